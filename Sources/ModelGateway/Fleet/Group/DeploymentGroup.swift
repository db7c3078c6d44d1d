// The configuration of everything behind one public model name.

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
    /// When a failing deployment is avoided. Each kind of work has its own breaker, so that a failing
    /// embeddings endpoint does not affect conversations. A group judges by its own calls: an upstream that serves
    /// two public names has a breaker in each of the two groups.
    public var breaker: CircuitBreakerOptions
    /// How failed attempts are retried.
    public var retry: RetryOptions
    /// How deployments are probed; nil for no probes.
    public var health: HealthOptions?
    /// When a deployment counts as overloaded.
    public var overload: OverloadOptions
    /// Models that take over calls that this one could not answer.
    public var fallbacks: [String]
    /// Models that take over calls that do not fit into this one's context.
    public var contextWindowFallbacks: [String]
    /// Models that take over calls that this one refused because of their content.
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
