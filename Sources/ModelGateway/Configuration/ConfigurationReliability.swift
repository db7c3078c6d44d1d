// The settings that decide how failures are survived: retry, circuit breaker, health probes.

extension Configuration {
    /// How often a failed call is tried again, and when.
    public struct Retry: Sendable, Hashable {
        /// Attempts of one call in all, 1 to 20. Default 3.
        public var maxAttempts: Int
        /// The pause before the second attempt; it doubles from there, ±20 %. Default 50 ms.
        public var backoff: Duration
        /// The longest pause. Default 2 s.
        public var maxBackoff: Duration
        /// Retries as a share of the calls of the last 10 s, 0 to 10. Default 0.2.
        public var budgetRatio: Double
        /// Retries a second that are allowed beyond the share, 0 to 100,000. Default 3.
        public var budgetPerSecond: Double

        /// Creates the settings of retries.
        public init(
            maxAttempts: Int = 3,
            backoff: Duration = .milliseconds(50),
            maxBackoff: Duration = .seconds(2),
            budgetRatio: Double = 0.2,
            budgetPerSecond: Double = 3
        ) {
            self.maxAttempts = maxAttempts
            self.backoff = backoff
            self.maxBackoff = maxBackoff
            self.budgetRatio = budgetRatio
            self.budgetPerSecond = budgetPerSecond
        }
    }

    /// When to stop sending calls to a failing deployment, and when to try it again.
    public struct Breaker: Sendable, Hashable {
        /// Whether there is a breaker. Default true.
        public var enabled: Bool
        /// The sliding window in which calls are counted, 1 s to 1 h. Default 30 s.
        public var window: Duration
        /// Failures in a row that open the breaker, 1 to 10,000. Default 5.
        public var consecutiveFailures: Int
        /// The share of failures in the window that opens it, 0.01 to 1. Default 0.5.
        public var failureRate: Double
        /// Calls in the window before the share counts, 1 to 1,000,000. Default 20.
        public var minimumCalls: Int
        /// How long it stays open the first time. Default 10 s.
        public var openTime: Duration
        /// The limit of the open time, which doubles each time. Default 120 s.
        public var maxOpenTime: Duration
        /// Probes at the same time while it is half open, 1 to 1,000. Default 3.
        public var probes: Int
        /// Successful probes that close it, 1 to 1,000. Default 2.
        public var successes: Int

        /// Creates the settings of a breaker.
        public init(
            enabled: Bool = true,
            window: Duration = .seconds(30),
            consecutiveFailures: Int = 5,
            failureRate: Double = 0.5,
            minimumCalls: Int = 20,
            openTime: Duration = .seconds(10),
            maxOpenTime: Duration = .seconds(120),
            probes: Int = 3,
            successes: Int = 2
        ) {
            self.enabled = enabled
            self.window = window
            self.consecutiveFailures = consecutiveFailures
            self.failureRate = failureRate
            self.minimumCalls = minimumCalls
            self.openTime = openTime
            self.maxOpenTime = maxOpenTime
            self.probes = probes
            self.successes = successes
        }
    }

    /// How to find out whether a deployment is up.
    public struct Health: Sendable, Hashable {
        /// Whether it is probed. Default true; real traffic counts in any case.
        public var enabled: Bool
        /// The path to ask, from the server's root. Default: `/health`, and `/v1/models` where that is not found.
        public var path: String?
        /// The time between two probes, ±20 %. Default 10 s.
        public var interval: Duration
        /// How long a probe may take. Default 3 s.
        public var timeout: Duration
        /// Failed probes in a row that take it out, 1 to 1,000. Default 3.
        public var failures: Int
        /// Successful probes in a row that bring it back, 1 to 1,000. Default 2.
        public var successes: Int
        /// The limit of the time between probes of one that is out, which doubles each time. Default 60 s.
        public var maxInterval: Duration

        /// Creates the settings of health probes.
        public init(
            enabled: Bool = true,
            path: String? = nil,
            interval: Duration = .seconds(10),
            timeout: Duration = .seconds(3),
            failures: Int = 3,
            successes: Int = 2,
            maxInterval: Duration = .seconds(60)
        ) {
            self.enabled = enabled
            self.path = path
            self.interval = interval
            self.timeout = timeout
            self.failures = failures
            self.successes = successes
            self.maxInterval = maxInterval
        }
    }
}
