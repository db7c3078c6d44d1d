// The configuration of everything behind one public model name.

/// All deployments behind one public model name, and how calls are spread over them.
public struct DeploymentGroup: Sendable {
    /// The public name of the model.
    public var model: String
    /// Further names under which clients may call it.
    public var aliases: [String]
    /// The kinds of work that it is offered for; empty (the default) for all that its providers have.
    public var modes: Set<Mode>
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
    /// Whether and how deployments are probed. Default: not at all.
    public var health: HealthOptions
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
        aliases: [String] = [],
        modes: Set<Mode> = [],
        deployments: [Deployment] = [],
        policy: RoutingPolicyKind = .roundRobin,
        admission: AdmissionOptions = AdmissionOptions(),
        breaker: CircuitBreakerOptions = CircuitBreakerOptions(),
        retry: RetryOptions = RetryOptions(),
        health: HealthOptions = HealthOptions(enabled: false),
        overload: OverloadOptions = OverloadOptions(),
        fallbacks: [String] = [],
        contextWindowFallbacks: [String] = [],
        contentPolicyFallbacks: [String] = []
    ) {
        self.model = model
        self.aliases = aliases
        self.modes = modes
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
