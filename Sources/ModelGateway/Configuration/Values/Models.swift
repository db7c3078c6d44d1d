// The public models of the configuration and the deployments behind them.

extension Configuration {
    /// A public name and everything that serves it.
    package struct Model: Sendable, Hashable {
        /// The name that clients call.
        package var name: String
        /// Further names for the same.
        package var aliases: [String]
        /// The kinds of work that the model is offered for; empty (the default) means all that its providers have.
        package var modes: [Mode]
        /// How a deployment is chosen for each call. Default round robin.
        package var policy: RoutingPolicyKind
        /// How often a failed call is tried again, and when.
        package var retry: RetryOptions
        /// How many calls may be under way, and how many may wait for how long.
        package var admission: AdmissionOptions
        /// When to stop sending calls to a failing deployment.
        package var breaker: CircuitBreakerOptions
        /// How to find out whether the deployments are up.
        package var health: HealthOptions
        /// When a deployment that reports its load gets no further calls.
        package var overload: OverloadOptions
        /// Models to try, in this order, when all deployments have failed.
        package var fallbacks: [String]
        /// Models to try when the prompt does not fit into the context.
        package var contextWindowFallbacks: [String]
        /// Models to try when a provider refuses the content by its policy.
        package var contentPolicyFallbacks: [String]
        /// The deployments, at least one.
        package var deployments: [Deployment]

        /// Creates a model.
        package init(
            name: String,
            aliases: [String] = [],
            modes: [Mode] = [],
            policy: RoutingPolicyKind = .roundRobin,
            retry: RetryOptions = RetryOptions(),
            admission: AdmissionOptions = AdmissionOptions(),
            breaker: CircuitBreakerOptions = CircuitBreakerOptions(),
            health: HealthOptions = HealthOptions(),
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
    package struct Deployment: Sendable, Hashable {
        /// The id in logs, metrics and response headers; no two of a configuration are the same.
        /// Default in a file: the model's name, `/`, and the position from 1.
        package var id: String
        /// The name of the provider in ``providers``, if it is one of those.
        package var providerName: String?
        /// The upstream itself, whether it has a name or was given in place.
        package var provider: Provider
        /// The model's id at the provider. Default in a file: the public name.
        package var upstreamModel: String
        /// The GGUF file, for kind ``ProviderKind/llama``.
        package var path: String?
        /// How to run the GGUF file.
        package var llama: LlamaOptions
        /// The share of calls relative to the other deployments, 0 to 1,000. Default 1; 0 keeps calls away.
        package var weight: Double
        /// The tier, 0 to 1,000: lower ones first, the next only if no deployment of the tier is eligible. Default 0.
        package var priority: Int
        /// Tags that requests may ask for.
        package var tags: [String]
        /// Names and values for people and for metrics.
        package var labels: [String: String]
        /// How many calls may be in flight at once, 1 to 1,000,000. Default: no limit.
        package var maxConcurrentCalls: Int?
        /// The price of a million prompt tokens in US dollars, for the policy `cost`.
        package var inputPrice: Double?
        /// The price of a million generated tokens in US dollars, for the policy `cost`.
        package var outputPrice: Double?
        /// The time limits for one attempt. Default: the provider's.
        package var timeouts: Timeouts
        /// How it is probed. Default: nil, as the model says; in a file, a key that is left out is the model's.
        package var health: HealthOptions?

        /// Creates a deployment.
        package init(
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
            health: HealthOptions? = nil
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
    package struct Workers: Sendable, Hashable {
        /// The servers' base URLs.
        package var urls: [String]
        /// The key that is sent to all of them.
        package var apiKey: Secret?
        /// How a worker is chosen for each call. Default round robin.
        package var policy: RoutingPolicyKind
        /// Where further workers come from while the gateway runs.
        package var discovery: Discovery
        /// How long calls under way may hold a worker that is removed or drained. Default 600 s.
        package var drainDeadline: Duration
        /// The time limits for one attempt.
        package var timeouts: Timeouts
        /// When to stop sending calls to a failing worker.
        package var breaker: CircuitBreakerOptions
        /// How to find out whether a worker is up.
        package var health: HealthOptions
        /// How often a failed call is tried again, and when.
        package var retry: RetryOptions
        /// How many calls of a model may be under way, and how many may wait for how long.
        package var admission: AdmissionOptions
        /// When a worker that reports its load gets no further calls.
        package var overload: OverloadOptions

        /// Creates the settings of workers.
        package init(
            urls: [String] = [],
            apiKey: Secret? = nil,
            policy: RoutingPolicyKind = .roundRobin,
            discovery: Discovery = Discovery(),
            drainDeadline: Duration = .seconds(600),
            timeouts: Timeouts = Timeouts(),
            breaker: CircuitBreakerOptions = CircuitBreakerOptions(),
            health: HealthOptions = HealthOptions(),
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
    package struct Discovery: Sendable, Hashable {
        /// A file with one base URL per line; changes are picked up for changes.
        package var file: String?
        /// A DNS name whose addresses (A, AAAA) or services (SRV, for names that begin with `_`) are workers.
        package var dns: String?
        /// The port of workers found by address, 1 to 65535. Default 8000.
        package var dnsPort: Int
        /// How often DNS and the workers' models are asked. Default 30 s, at least 1 s.
        package var interval: Duration

        /// Creates the settings of discovery.
        package init(
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
