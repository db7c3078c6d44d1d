// The public models of the configuration and the deployments behind them.

extension Configuration {
    /// A public name and everything that serves it.
    public struct Model: Sendable, Hashable {
        /// The name that clients call.
        public var name: String
        /// Further names for the same.
        public var aliases: [String]
        /// The kinds of work that the model is offered for; empty (the default) means all that its providers have.
        public var modes: [Mode]
        /// How a deployment is chosen for each call. Default round robin.
        public var policy: RoutingPolicyKind
        /// How often a failed call is tried again, and when.
        public var retry: RetryOptions
        /// How many calls may be under way, and how many may wait for how long.
        public var admission: AdmissionOptions
        /// When to stop sending calls to a failing deployment.
        public var breaker: CircuitBreakerOptions
        /// How to find out whether the deployments are up.
        public var health: Health
        /// When a deployment that reports its load gets no further calls.
        public var overload: OverloadOptions
        /// Models to try, in this order, when all deployments have failed.
        public var fallbacks: [String]
        /// Models to try when the prompt does not fit into the context.
        public var contextWindowFallbacks: [String]
        /// Models to try when a provider refuses the content by its policy.
        public var contentPolicyFallbacks: [String]
        /// The deployments, at least one.
        public var deployments: [Deployment]

        /// Creates a model.
        public init(
            name: String,
            aliases: [String] = [],
            modes: [Mode] = [],
            policy: RoutingPolicyKind = .roundRobin,
            retry: RetryOptions = RetryOptions(),
            admission: AdmissionOptions = AdmissionOptions(),
            breaker: CircuitBreakerOptions = CircuitBreakerOptions(),
            health: Health = Health(),
            overload: OverloadOptions = OverloadOptions(),
            fallbacks: [String] = [],
            contextWindowFallbacks: [String] = [],
            contentPolicyFallbacks: [String] = [],
            deployments: [Deployment] = []
        ) {
            self.name = name
            self.aliases = aliases
            self.modes = modes
            self.policy = policy
            self.retry = retry
            self.admission = admission
            self.breaker = breaker
            self.health = health
            self.overload = overload
            self.fallbacks = fallbacks
            self.contextWindowFallbacks = contextWindowFallbacks
            self.contentPolicyFallbacks = contentPolicyFallbacks
            self.deployments = deployments
        }
    }

    /// One concrete way to serve a model.
    public struct Deployment: Sendable, Hashable {
        /// The id in logs, metrics and response headers; no two of a configuration are the same.
        /// Default in a file: the model's name, `/`, and the position from 1.
        public var id: String
        /// The name of the provider in ``Configuration/providers``, if it is one of those.
        package var providerName: String?
        /// The upstream itself, whether it has a name or was given in place.
        public var provider: Provider
        /// The model's id at the provider. Default in a file: the public name.
        public var upstreamModel: String
        /// The GGUF file, for kind ``ProviderKind/llama``.
        public var path: String?
        /// How to run the GGUF file.
        public var llama: LlamaOptions
        /// The share of calls relative to the other deployments, 0 to 1,000. Default 1; 0 keeps calls away.
        public var weight: Double
        /// The tier, 0 to 1,000: lower ones first, the next only if no deployment of the tier is eligible. Default 0.
        public var priority: Int
        /// Tags that requests may ask for.
        public var tags: [String]
        /// Names and values for people and for metrics.
        public var labels: [String: String]
        /// How many calls may be in flight at once, 1 to 1,000,000. Default: no limit.
        public var maxConcurrentCalls: Int?
        /// The price of a million prompt tokens in US dollars, for the policy `cost`.
        public var inputPrice: Double?
        /// The price of a million generated tokens in US dollars, for the policy `cost`.
        public var outputPrice: Double?
        /// The time limits for one attempt. Default: the provider's.
        public var timeouts: Timeouts
        /// How it is probed. Default: nil, as the model says; in a file, a key that is left out is the model's.
        public var health: Health?

        /// Creates a deployment.
        public init(
            id: String,
            provider: Provider = Provider(),
            upstreamModel: String,
            path: String? = nil,
            llama: LlamaOptions = LlamaOptions(),
            weight: Double = 1,
            priority: Int = 0,
            tags: [String] = [],
            labels: [String: String] = [:],
            maxConcurrentCalls: Int? = nil,
            inputPrice: Double? = nil,
            outputPrice: Double? = nil,
            timeouts: Timeouts? = nil,
            health: Health? = nil
        ) {
            self.id = id
            self.provider = provider
            self.upstreamModel = upstreamModel
            self.path = path
            self.llama = llama
            self.weight = weight
            self.priority = priority
            self.tags = tags
            self.labels = labels
            self.maxConcurrentCalls = maxConcurrentCalls
            self.inputPrice = inputPrice
            self.outputPrice = outputPrice
            self.timeouts = timeouts ?? provider.timeouts
            self.health = health
        }
    }

    /// OpenAI-compatible servers whose models are asked for at `/v1/models`.
    public struct Workers: Sendable, Hashable {
        /// The servers' base URLs.
        public var urls: [String]
        /// The key that is sent to all of them.
        public var apiKey: Secret?
        /// How a worker is chosen for each call. Default round robin.
        public var policy: RoutingPolicyKind
        /// Where further workers come from while the gateway runs.
        public var discovery: Discovery
        /// How long calls under way may hold a worker that is removed or drained. Default 600 s.
        public var drainDeadline: Duration
        /// The time limits for one attempt.
        public var timeouts: Timeouts
        /// When to stop sending calls to a failing worker.
        public var breaker: CircuitBreakerOptions
        /// How to find out whether a worker is up.
        public var health: Health
        /// How often a failed call is tried again, and when.
        public var retry: RetryOptions
        /// How many calls of a model may be under way, and how many may wait for how long.
        public var admission: AdmissionOptions
        /// When a worker that reports its load gets no further calls.
        public var overload: OverloadOptions

        /// Creates the settings of workers.
        public init(
            urls: [String] = [],
            apiKey: Secret? = nil,
            policy: RoutingPolicyKind = .roundRobin,
            discovery: Discovery = Discovery(),
            drainDeadline: Duration = .seconds(600),
            timeouts: Timeouts = Timeouts(),
            breaker: CircuitBreakerOptions = CircuitBreakerOptions(),
            health: Health = Health(),
            retry: RetryOptions = RetryOptions(),
            admission: AdmissionOptions = AdmissionOptions(),
            overload: OverloadOptions = OverloadOptions()
        ) {
            self.urls = urls
            self.apiKey = apiKey
            self.policy = policy
            self.discovery = discovery
            self.drainDeadline = drainDeadline
            self.timeouts = timeouts
            self.breaker = breaker
            self.health = health
            self.retry = retry
            self.admission = admission
            self.overload = overload
        }
    }

    /// Where workers come from while the gateway runs.
    public struct Discovery: Sendable, Hashable {
        /// A file with one base URL per line; changes are picked up for changes.
        public var file: String?
        /// A DNS name whose addresses (A, AAAA) or services (SRV, for names that begin with `_`) are workers.
        public var dns: String?
        /// The port of workers found by address, 1 to 65535. Default 8000.
        public var dnsPort: Int
        /// How often DNS and the workers' models are asked. Default 30 s, at least 1 s.
        public var interval: Duration

        /// Creates the settings of discovery.
        public init(
            file: String? = nil,
            dns: String? = nil,
            dnsPort: Int = 8000,
            interval: Duration = .seconds(30)
        ) {
            self.file = file
            self.dns = dns
            self.dnsPort = dnsPort
            self.interval = interval
        }
    }
}
