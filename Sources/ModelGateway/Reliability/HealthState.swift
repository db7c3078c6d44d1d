// Whether a deployment counts as healthy, from the results of its probes and of real calls.

/// How deployments are probed.
public struct HealthOptions: Sendable, Hashable {
    /// Time between two probes of a healthy deployment. Default 10 s.
    public var interval: Duration
    /// Share by which the interval varies at random in both directions. Default 0.2.
    public var jitter: Double
    /// How long a probe may take. Default 3 s.
    public var timeout: Duration
    /// Failures in a row that take a deployment out. Default 3.
    public var failuresToLeave: Int
    /// Successes in a row that bring it back. Default 2.
    public var successesToReturn: Int
    /// The longest time between two probes of a failed deployment, reached by doubling. Default 60 s.
    public var maxInterval: Duration
    /// The path on the deployment's server that is asked, with the credentials of calls: it begins with a slash and may
    /// have a query. A status of 200 to 299 says that the deployment is up, any other that it is not. Default nil:
    /// `/health`, and where there is none the list of models, of which any answer below 500 says that it is up.
    public var path: String?

    /// Creates a set of limits.
    public init(
        interval: Duration = .seconds(10),
        jitter: Double = 0.2,
        timeout: Duration = .seconds(3),
        failuresToLeave: Int = 3,
        successesToReturn: Int = 2,
        maxInterval: Duration = .seconds(60),
        path: String? = nil
    ) {
        self.interval = interval
        self.jitter = jitter
        self.timeout = timeout
        self.failuresToLeave = failuresToLeave
        self.successesToReturn = successesToReturn
        self.maxInterval = maxInterval
        self.path = path
    }
}

/// Counts results in a row; a deployment is healthy until enough of them say otherwise.
package struct HealthState: Sendable, Hashable {
    /// Whether calls may go to the deployment.
    package private(set) var isHealthy = true
    private var failures = 0
    private var successes = 0

    /// Creates a healthy state.
    package init() {}

    /// Notes a successful probe or call. Returns whether the deployment has just come back.
    package mutating func succeed(_ options: HealthOptions) -> Bool {
        failures = 0
        guard !isHealthy else { return false }
        successes += 1
        guard successes >= options.successesToReturn else { return false }
        isHealthy = true
        successes = 0
        return true
    }

    /// Notes a failed probe. Returns whether the deployment has just gone out.
    package mutating func fail(_ options: HealthOptions) -> Bool {
        successes = 0
        failures += 1
        guard isHealthy, failures >= options.failuresToLeave else { return false }
        isHealthy = false
        return true
    }

    /// The time until the next probe.
    /// - Parameter variation: A number in -1...1 that moves the time within its jitter.
    package func pause(_ options: HealthOptions, variation: Double) -> Duration {
        var seconds = options.interval.inSeconds
        if !isHealthy {
            let doublings = min(max(0, failures - options.failuresToLeave), 16)
            seconds = min(seconds * Double(1 << doublings), max(seconds, options.maxInterval.inSeconds))
        }
        return .seconds(seconds * (1 + options.jitter * variation))
    }
}
