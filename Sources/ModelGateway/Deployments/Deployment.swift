// One concrete way to serve a model.

/// A provider, a model's id there, and the limits under which calls go to it.
public struct Deployment: Sendable {
    /// The id, unique in the fleet; shown in the `x-gateway-deployment` header and in metrics.
    public var id: String
    /// The public name of the model that the deployment serves: that of its group, which sets it. Empty before.
    public package(set) var model = ""
    /// What speaks to the upstream.
    public var provider: any Provider
    /// The model's id at the provider.
    public var upstreamModel: String
    /// The share of calls relative to the others of the group. Default 1; 0 keeps calls away.
    public var weight: Double
    /// Lower numbers go first; the next tier is used only when nothing of this one can take a call. Default 0.
    public var priority: Int
    /// Names that a call can prefer deployments by.
    public var tags: [String]
    /// Names and values for people and dashboards; routing ignores them.
    public var labels: [String: String]
    /// The time limits for one attempt.
    public var timeouts: Timeouts
    /// Whether and how it is probed. Default nil: as its group says.
    public var health: HealthOptions?
    /// Calls that may be under way at a time, up to the last byte of their answers; nil for no limit.
    public var maxConcurrentCalls: Int?
    /// The price of a million prompt tokens in the currency of the configuration, if known; used by `cost`.
    public var inputPrice: Double?
    /// The price of a million answer tokens in the currency of the configuration, if known; used by `cost`.
    public var outputPrice: Double?
    /// Tokens that the engine's prefix cache holds, if known: `cache_aware` then knows what it must have dropped.
    public var cacheTokens: Int?
    /// Tells two versions of the same deployment apart: when it changes, what was learned about the upstream (breaker,
    /// health, rejected credentials, cached prompts) is forgotten. Make it from the address and the credentials.
    package var fingerprint: UInt64 = 0

    /// Creates a deployment.
    public init(
        id: String,
        provider: any Provider,
        upstreamModel: String,
        weight: Double = 1,
        priority: Int = 0,
        tags: [String] = [],
        labels: [String: String] = [:],
        timeouts: Timeouts = Timeouts(),
        health: HealthOptions? = nil,
        maxConcurrentCalls: Int? = nil,
        inputPrice: Double? = nil,
        outputPrice: Double? = nil,
        cacheTokens: Int? = nil
    ) {
        self.id = id
        self.provider = provider
        self.upstreamModel = upstreamModel
        self.weight = weight
        self.priority = priority
        self.tags = tags
        self.labels = labels
        self.timeouts = timeouts
        self.health = health
        self.maxConcurrentCalls = maxConcurrentCalls
        self.inputPrice = inputPrice
        self.outputPrice = outputPrice
        self.cacheTokens = cacheTokens
    }
}
