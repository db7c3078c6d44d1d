// From a configuration to a gateway: providers, transports, deployments and groups.

import GatewayWire

extension Gateway {
    /// Creates a gateway from a configuration.
    /// - Parameters:
    ///   - configuration: The models and providers. Workers are not asked for their models before ``run(logger:)``.
    ///   - providers: The kinds of providers that the configuration may name.
    ///   - workerSources: What names workers besides the configuration while ``run(logger:)`` runs; they are served as
    ///     the configuration's `workers` say. Default: nothing.
    ///   - observer: Receives a record of each call when it ends. Default nil: none.
    ///   - wrap: Makes what sends the requests out of the libcurl transport, once for the standard settings and once
    ///     for each set of settings that providers have of their own: see ``CurlTransport/options-swift.property``. Default:
    ///     the libcurl transport itself.
    /// - Throws: ``GatewayError/Code/configuration`` if a deployment's settings cannot be used.
    public convenience init(
        configuration: Configuration,
        providers: ProviderCatalog = .standard,
        workerSources: [any WorkerSource] = [],
        observer: (any CallObserver)? = nil,
        transport wrap: @escaping (CurlTransport) throws(GatewayError) -> any HTTPTransport = { $0 }
    ) throws(GatewayError) {
        var transports = try TransportPool(wrap)
        var groups: [DeploymentGroup] = []
        for model in configuration.allModels {
            var deployments: [Deployment] = []
            for deployment in model.deployments {
                let transport = try transports.transport(for: deployment.provider)
                let settings = ProviderCatalog.Settings(deployment: deployment, transport: transport)
                let provider = try providers.provider(settings)
                deployments.append(Deployment(deployment, provider: provider))
            }
            groups.append(DeploymentGroup(model, deployments: deployments))
        }
        let workers = configuration.workers
        let registry = WorkerRegistry(
            Fleet(groups),
            options: WorkerOptions(workers),
            transport: transports.standard
        )
        self.init(
            groups: groups,
            registry: registry,
            sources: try workers.sources() + workerSources,
            routingHeaders: configuration.routing,
            observer: observer,
            preferredExecutor: transports.standard.preferredExecutor
        )
    }
}

extension Configuration {
    /// The models of the file and those in GGUF files beside it.
    fileprivate var allModels: [Model] {
        models
            + localModels.sorted { $0.key < $1.key }.map { name, local in
                Model(
                    name: name,
                    deployments: [
                        Deployment(
                            id: name,
                            provider: Provider(kind: .llama),
                            upstreamModel: name,
                            path: local.path,
                            llama: local.llama
                        )
                    ]
                )
            }
    }
}

extension Deployment {
    init(_ configuration: Configuration.Deployment, provider: any Provider) {
        self.init(
            id: configuration.id,
            provider: provider,
            upstreamModel: configuration.upstreamModel,
            weight: configuration.weight,
            priority: configuration.priority,
            tags: configuration.tags,
            labels: configuration.labels,
            timeouts: configuration.timeouts,
            health: configuration.health,
            maxConcurrentCalls: configuration.maxConcurrentCalls,
            inputPrice: configuration.inputPrice,
            outputPrice: configuration.outputPrice
        )
        fingerprint = configuration.provider.fingerprint
    }
}

extension Configuration.Provider {
    /// Changes when the upstream is another one, or is spoken to with other credentials.
    fileprivate var fingerprint: UInt64 {
        let text = [kind.rawValue, baseURL ?? "", apiKey?.reveal() ?? ""].joined(separator: "\u{0}")
        return StableHash.hash(text)
    }
}

extension DeploymentGroup {
    init(_ model: Configuration.Model, deployments: [Deployment]) {
        self.init(
            model: model.name,
            aliases: model.aliases,
            modes: Set(model.modes),
            deployments: deployments,
            policy: model.policy,
            admission: model.admission,
            breaker: model.breaker,
            retry: model.retry,
            health: model.health,
            overload: model.overload,
            fallbacks: model.fallbacks,
            contextWindowFallbacks: model.contextWindowFallbacks,
            contentPolicyFallbacks: model.contentPolicyFallbacks
        )
    }
}
