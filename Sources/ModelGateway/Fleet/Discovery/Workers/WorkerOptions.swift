// How workers are asked and how their models are served.

/// The settings that all workers share.
package struct WorkerOptions: Sendable {
    /// The key that is sent to workers without one of their own.
    package var apiKey: Secret?
    /// The settings of a group that a worker's model creates.
    package var group: DeploymentGroup
    /// The time limits for one attempt.
    package var timeouts: Timeouts
    /// How often a worker is asked for its models.
    package var interval: Duration
    /// How often an engine is asked for its load.
    package var loadInterval: Duration
    /// How long the answer to such a request may take.
    package var askTimeout: Duration
    /// How long calls may continue on a worker that has been removed.
    package var drainLimit: Duration

    package init(
        apiKey: Secret? = nil,
        group: DeploymentGroup = DeploymentGroup(model: ""),
        timeouts: Timeouts = Timeouts(),
        interval: Duration = .seconds(30),
        loadInterval: Duration = .seconds(2),
        askTimeout: Duration = .seconds(3),
        drainLimit: Duration = .seconds(600)
    ) {
        self.apiKey = apiKey
        self.group = group
        self.timeouts = timeouts
        self.interval = interval
        self.loadInterval = loadInterval
        self.askTimeout = askTimeout
        self.drainLimit = drainLimit
    }

    /// The time until a worker that did not answer is asked again: half a second, doubled each time, at most 10 s.
    func pause(afterFailures failures: Int) -> Duration {
        let longest = min(interval, .seconds(10))
        return min(longest, .milliseconds(500) * (1 << min(max(failures - 1, 0), 10)))
    }
}
