// Everything that can be configured, as one value: what the files, the environment and the flags end up in.

/// The configuration of a gateway, as a TOML or YAML file and the environment have it.
///
/// Read one with ``load(path:environment:policies:kinds:)`` and make a gateway of it with
/// ``Gateway/init(configuration:providers:workerSources:observer:transport:)``. A file may also be a DB-GPT `[models]` TOML or
/// a DeltaLLM or LiteLLM `model_list` YAML. <doc:ConfigurationReference> lists every key. What a program decides by itself
/// needs no configuration: ``DeploymentGroup``, ``Deployment`` and ``WorkerOptions`` have the same settings.
public struct Configuration: Sendable, Hashable {
    /// How the HTTP server listens and what it demands of its clients.
    package var server = Server()
    /// What is logged, and how.
    public package(set) var logging: Logging
    /// How the session key and the tags of a request are found.
    package var routing: RoutingHeaders
    /// Upstreams that deployments refer to by name.
    package var providers: [String: Provider]
    /// The public models, each with the deployments that serve it.
    package var models: [Model]
    /// OpenAI-compatible servers whose models are discovered.
    package var workers: Workers
    /// Models in GGUF files that this process serves itself, by their public names.
    package var localModels: [String: LocalModel]
    /// What the file says that has no effect, such as unknown keys of a foreign schema. Log these at start.
    public package(set) var warnings: [ConfigurationIssue] = []

    /// Creates a configuration without models, for ``applyEnvironment(_:policies:)``.
    public init() {
        self.init(models: [])
    }

    /// Creates a configuration. What is left out has the defaults of the reference.
    package init(
        logging: Logging = Logging(),
        routing: RoutingHeaders = RoutingHeaders(),
        providers: [String: Provider] = [:],
        models: [Model] = [],
        workers: Workers = Workers(),
        localModels: [String: LocalModel] = [:]
    ) {
        self.logging = logging
        self.routing = routing
        self.providers = providers
        self.models = models
        self.workers = workers
        self.localModels = localModels
    }
}
