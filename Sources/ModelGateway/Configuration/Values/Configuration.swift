// Everything that can be configured, as one value: what the files, the environment and the flags end up in.

/// The configuration of a gateway.
///
/// Build it in code, or read it from a TOML or YAML file with ``load(path:environment:policies:)``. A file may also be a DB-GPT
/// `[models]` TOML or a DeltaLLM or LiteLLM `model_list` YAML. <doc:ConfigurationReference> lists every key.
public struct Configuration: Sendable, Hashable {
    /// How the HTTP server listens and what it demands of its clients.
    package var server = Server()
    /// What is logged, and how.
    public var logging: Logging
    /// How the session key and the tags of a request are found.
    public var routing: Routing
    /// Upstreams that deployments refer to by name.
    public var providers: [String: Provider]
    /// The public models, each with the deployments that serve it.
    public var models: [Model]
    /// OpenAI-compatible servers whose models are discovered.
    public var workers: Workers
    /// Models in GGUF files that this process serves itself, by their public names.
    public var localModels: [String: LocalModel]
    /// What the file says that has no effect, such as unknown keys of a foreign schema. Log these at start.
    public package(set) var warnings: [ConfigurationIssue] = []

    /// Creates a configuration. What is left out has the defaults of the reference.
    public init(
        logging: Logging = Logging(),
        routing: Routing = Routing(),
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
