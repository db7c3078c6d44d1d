// Which model a chat is held with: the options that name it, and the configuration that they amount to.

import ArgumentParser
import GatewaySystem
import ModelGateway

/// The options that choose a model.
struct ChatModelOptions: ParsableArguments {
    @Option(
        name: [.short, .long],
        help: ArgumentHelp(
            "The model: a name of the server or the configuration, or a GGUF file.",
            valueName: "model"
        )
    )
    var model: String?

    @Option(help: ArgumentHelp("A configuration in TOML or YAML whose models to use.", valueName: "file"))
    var config: String?

    @Option(
        name: .customLong("base-url"),
        help: ArgumentHelp(
            "The address of an OpenAI-compatible server, such as http://127.0.0.1:8000/v1.",
            valueName: "url"
        )
    )
    var baseURL: String?

    @Option(
        help: ArgumentHelp(
            "The server's key. Prefer GATEWAY_API_KEY (for api.openai.com: OPENAI_API_KEY), which other users cannot see.",
            valueName: "key"
        )
    )
    var apiKey: String?

    @OptionGroup var local: LocalModelOptions

    func validate() throws {
        if config != nil, baseURL != nil {
            throw ValidationError("--config and --base-url cannot be combined; a configuration can name the server.")
        }
        if apiKey != nil, baseURL == nil {
            throw ValidationError("--api-key needs the --base-url of the server that it is for.")
        }
    }

    /// The configuration that the options, the file and the environment amount to.
    func resolved() async throws -> ChatModel {
        var chosen =
            if let config { try fromFile(config) } else if let baseURL { try await onServer(baseURL) } else {
                try inFile()
            }
        try local.apply(to: &chosen.configuration)
        return chosen
    }

    // MARK: A configuration file

    private func fromFile(_ path: String) throws -> ChatModel {
        let configuration = try ConfigurationFiles.load(path)
        ConfigurationFiles.report(configuration.warnings)
        if model?.hasSuffix(".gguf") != true { try ConfigurationFiles.requireModels(configuration, path) }
        guard let model else { return ChatModel(configuration: configuration, name: nil) }
        let isKnown = configuration.models.contains { $0.name == model || $0.aliases.contains(model) }
        if isKnown || configuration.localModels[model] != nil || !model.hasSuffix(".gguf") {
            return ChatModel(configuration: configuration, name: model)
        }
        return try inFile()
    }

    // MARK: A server

    private func onServer(_ baseURL: String) async throws -> ChatModel {
        let key = try apiKey ?? Self.environmentKey(for: BaseURL(baseURL))
        let provider = Configuration.Provider(baseURL: baseURL, apiKey: key.map { Secret($0) })
        let name: String
        if let model { name = model } else { name = try await Self.onlyModel(of: provider) }
        let deployment = Configuration.Deployment(id: "server", provider: provider, upstreamModel: name)
        return ChatModel(
            configuration: Configuration(models: [Configuration.Model(name: name, deployments: [deployment])]),
            name: name
        )
    }

    /// A key of OpenAI goes to OpenAI only: another server must not get it because a variable happens to be set.
    private static func environmentKey(for url: BaseURL) -> String? {
        if let key = ProcessEnvironment.nonempty("GATEWAY_API_KEY") { return key }
        let isOpenAI = url.scheme == "https" && (url.host == "api.openai.com" || url.host.hasSuffix(".api.openai.com"))
        return isOpenAI ? ProcessEnvironment.nonempty("OPENAI_API_KEY") : nil
    }

    private static func onlyModel(of server: Configuration.Provider) async throws -> String {
        let provider = try OpenAICompatibleProvider(
            baseURL: server.baseURL ?? "",
            apiKey: server.apiKey?.reveal(),
            transport: CurlTransport()
        )
        let models = try await provider.models(timeouts: Timeouts(total: .seconds(30))).map(\.id)
        return try ChatModel.only(of: models, place: "the server")
    }

    // MARK: A file

    private func inFile() throws -> ChatModel {
        let path = model.map { LocalBackend.path($0) } ?? LocalBackend.defaultPath
        try LocalBackend.check(path)
        let name = LocalBackend.name(of: path)
        let models = [name: Configuration.LocalModel(path: path)]
        return ChatModel(configuration: Configuration(localModels: models), name: name)
    }
}

/// A configuration and the model of it to talk to.
struct ChatModel {
    var configuration: Configuration
    /// The public name; nil means the only one that there is.
    var name: String?

    /// The ids of the deployments that serve a model.
    func deployments(of name: String) -> Set<String> {
        if configuration.localModels[name] != nil { return [name] }
        let model = configuration.models.first { $0.name == name || $0.aliases.contains(name) }
        return Set(model?.deployments.map(\.id) ?? [])
    }

    /// The one model, if it needs no choice.
    static func only(of models: [String], place: String) throws(CommandFailure) -> String {
        guard let first = models.first else {
            throw CommandFailure(.unavailable, "\(place) has no models")
        }
        guard models.count == 1 else {
            let shown = models.prefix(20).joined(separator: ", ") + (models.count > 20 ? ", …" : "")
            throw CommandFailure(.usage, "\(place) has \(models.count) models, choose one with --model: \(shown)")
        }
        return first
    }
}
