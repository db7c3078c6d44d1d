// Whether a deployment counts as healthy, judged by its probes and by real calls.

/// Whether and how deployments are probed, while ``Gateway/run(logger:)`` runs. Calls tell in any case what they find.
public struct HealthOptions: Sendable, Hashable {
    /// Whether they are probed. Default true.
    public var enabled: Bool
    /// Time between two probes of a healthy deployment. Default 10 s.
    public var interval: Duration
    /// Share by which the interval varies randomly in either direction. Default 0.2.
    public var jitter: Double
    /// How long a probe may take. Default 3 s.
    public var timeout: Duration
    /// Consecutive failures that take a deployment out. Default 3.
    public var failureThreshold: Int
    /// Consecutive successes that bring it back. Default 2.
    public var successThreshold: Int
    /// The longest time between two probes of a failed deployment, reached by doubling. Default 60 s.
    public var maxInterval: Duration
    /// The path to probe on the deployment's server, with the credentials that calls use: it begins with a slash and
    /// may have a query. A status of 200 to 299 means that the deployment is up, any other that it is not. Default nil:
    /// `/health`, or where there is none the list of models, where any answer below 500 means that it is up.
    public var path: String?

    /// Creates a set of options.
    public init(
        enabled: Bool = true,
        interval: Duration = .seconds(10),
        jitter: Double = 0.2,
        timeout: Duration = .seconds(3),
        failureThreshold: Int = 3,
        successThreshold: Int = 2,
        maxInterval: Duration = .seconds(60),
        path: String? = nil
    ) {
        self.enabled = enabled
        self.interval = interval
        self.jitter = jitter
        self.timeout = timeout
        self.failureThreshold = failureThreshold
        self.successThreshold = successThreshold
        self.maxInterval = maxInterval
        self.path = path
    }
}

/// Counts consecutive results; a deployment is healthy until enough of them say otherwise.
package struct HealthState: Sendable, Hashable {
    /// Whether calls may go to the deployment.
    package private(set) var isHealthy = true
    private var failures = 0
    private var successes = 0

    /// Creates a healthy state.
    package init() {}

    /// Notes a successful probe or call. Returns whether this brought the deployment back.
    package mutating func succeed(_ options: HealthOptions) -> Bool {
        failures = 0
        guard !isHealthy else { return false }
        successes += 1
        guard successes >= options.successThreshold else { return false }
        isHealthy = true
        successes = 0
        return true
    }

    /// Notes a failed probe. Returns whether this took the deployment out.
    package mutating func fail(_ options: HealthOptions) -> Bool {
        successes = 0
        failures += 1
        guard isHealthy, failures >= options.failureThreshold else { return false }
        isHealthy = false
        return true
    }

    /// The time until the next probe.
    /// - Parameter variation: A number in -1...1 that shifts the time within its jitter.
    package func pause(_ options: HealthOptions, variation: Double) -> Duration {
        var seconds = options.interval.inSeconds
        if !isHealthy {
            let doublings = min(max(0, failures - options.failureThreshold), 16)
            seconds = min(seconds * Double(1 << doublings), max(seconds, options.maxInterval.inSeconds))
        }
        return .seconds(seconds * (1 + options.jitter * variation))
    }
}
