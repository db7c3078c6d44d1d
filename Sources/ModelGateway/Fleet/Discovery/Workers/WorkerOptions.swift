// How workers are asked and how their models are served.

/// The settings that all workers share.
public struct WorkerOptions: Sendable {
    /// The key that is sent to workers without one of their own, except to those that were only added with
    /// ``Gateway/addWorker(url:apiKey:weight:priority:labels:tags:)``. Default nil: no key.
    public var apiKey: Secret?
    /// The settings of the groups that the workers' models create. Its model, its names and its deployments are ignored.
    public var group: DeploymentGroup
    /// The time limits for one attempt.
    public var timeouts: Timeouts
    /// How often a worker is asked for its models. Default 30 s.
    public var interval: Duration
    /// How long calls may go on at a worker that is drained or has gone. Default 600 s; zero for not at all.
    public var drainDeadline: Duration
    /// How often an engine is asked for its load.
    package var loadInterval = Duration.seconds(2)
    /// How long the answer to such a request may take.
    package var askTimeout = Duration.seconds(3)

    /// Creates a set of options.
    public init(
        apiKey: Secret? = nil,
        group: DeploymentGroup = DeploymentGroup(model: ""),
        timeouts: Timeouts = Timeouts(),
        interval: Duration = .seconds(30),
        drainDeadline: Duration = .seconds(600)
    ) {
        self.apiKey = apiKey
        self.group = group
        self.timeouts = timeouts
        self.interval = interval
        self.drainDeadline = drainDeadline
    }

    /// The time until a worker that did not answer is asked again: half a second, doubled each time, at most 10 s.
    func pause(afterFailures failures: Int) -> Duration {
        let longest = min(interval, .seconds(10))
        return min(longest, .milliseconds(500) * (1 << min(max(failures - 1, 0), 10)))
    }
}
