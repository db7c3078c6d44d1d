// The configuration of everything behind one public model name.

/// How calls wait when a group has no room for them.
public struct AdmissionOptions: Sendable, Hashable {
    /// Calls of the group that may be under way at a time, up to the last byte of their answers; nil for no limit.
    public var maximumConcurrentCalls: Int?
    /// Calls that may wait for room, first come first served. Default 100; 0 refuses at once.
    public var queueSize: Int
    /// How long a call may wait. Default 60 s; zero for no limit.
    public var queueTimeout: Duration

    /// Creates a set of limits.
    public init(maximumConcurrentCalls: Int? = nil, queueSize: Int = 100, queueTimeout: Duration = .seconds(60)) {
        self.maximumConcurrentCalls = maximumConcurrentCalls
        self.queueSize = queueSize
        self.queueTimeout = queueTimeout
    }
}

/// The load at which a deployment that reports its load gets no further calls.
public struct OverloadOptions: Sendable, Hashable {
    /// Requests waiting in the engine from which on it is overloaded; nil turns this rule off.
    public var waitingRequests: Int?
    /// Use of the engine's KV cache (0 to 1) from which on it is overloaded; nil turns this rule off.
    public var cacheUsage: Double?

    /// Creates a set of limits.
    public init(waitingRequests: Int? = nil, cacheUsage: Double? = nil) {
        self.waitingRequests = waitingRequests
        self.cacheUsage = cacheUsage
    }
}

/// All deployments behind one public model name, and how calls are spread over them.
public struct DeploymentGroup: Sendable {
    /// The public name of the model.
    public var model: String
    /// The deployments.
    public var deployments: [Deployment]
    /// How a deployment is chosen.
    public var policy: RoutingPolicyKind
    /// How calls wait for room.
    public var admission: AdmissionOptions
    /// When a failing deployment is left alone. Each kind of work has a breaker of its own, so that a failing embeddings
    /// endpoint does not take conversations away. A group judges by its own calls: an upstream that serves two public
    /// names has a breaker in each of the two groups.
    public var breaker: CircuitBreakerOptions
    /// How failed attempts are repeated.
    public var retry: RetryOptions
    /// How deployments are probed; nil for no probes.
    public var health: HealthOptions?
    /// When a deployment counts as overloaded.
    public var overload: OverloadOptions
    /// Models that take a call which this one could not answer.
    public var fallbacks: [String]
    /// Models that take a call which does not fit into this one's context.
    public var contextWindowFallbacks: [String]
    /// Models that take a call which this one refused for its content.
    public var contentPolicyFallbacks: [String]

    /// Creates a group.
    public init(
        model: String,
        deployments: [Deployment] = [],
        policy: RoutingPolicyKind = .roundRobin,
        admission: AdmissionOptions = AdmissionOptions(),
        breaker: CircuitBreakerOptions = CircuitBreakerOptions(),
        retry: RetryOptions = RetryOptions(),
        health: HealthOptions? = nil,
        overload: OverloadOptions = OverloadOptions(),
        fallbacks: [String] = [],
        contextWindowFallbacks: [String] = [],
        contentPolicyFallbacks: [String] = []
    ) {
        self.model = model
        self.deployments = deployments
        self.policy = policy
        self.admission = admission
        self.breaker = breaker
        self.retry = retry
        self.health = health
        self.overload = overload
        self.fallbacks = fallbacks
        self.contextWindowFallbacks = contextWindowFallbacks
        self.contentPolicyFallbacks = contentPolicyFallbacks
    }
}
