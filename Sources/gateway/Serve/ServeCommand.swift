// `gateway serve`: the HTTP server, from flags, environment and file.

import ArgumentParser
import Logging
import ModelGateway

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve models over HTTP, in the shape of OpenAI's API.",
        discussion: """
            Flags override GATEWAY_* environment variables, and those override the file. Without a file or a model, it \
            serves the small model that scripts/setup installs. After SIGTERM it is not ready, accepts calls for another \
            server.shutdown_delay (5 s, none on a terminal) and lets running answers finish; a second SIGTERM ends it sooner.

              gateway serve
              gateway serve --model qwen=~/models/qwen3.gguf --port 8080
              gateway serve --worker-urls http://10.0.0.1:8000 http://10.0.0.2:8000
              gateway serve --host unix:/run/gateway.sock
              gateway serve --config gateway.toml
            """
    )

    @Option(
        help: ArgumentHelp(
            "The address to listen on, or a Unix domain socket: unix:/run/gateway.sock (default: 127.0.0.1).",
            valueName: "address"
        )
    )
    var host: String?

    @Option(help: ArgumentHelp("The port to listen on, 0 for any free one (default: 30000).", valueName: "port"))
    var port: Int?

    @Option(help: ArgumentHelp("A configuration in TOML or YAML.", valueName: "file"))
    var config: String?

    @Option(
        name: [.short, .long],
        help: ArgumentHelp(
            "A GGUF file to serve; without NAME= it is named after the file. Repeatable.",
            valueName: "name=path"
        )
    )
    var model: [LocalModelArgument] = []

    @OptionGroup var local: LocalModelOptions

    @OptionGroup var workers: WorkerListOptions

    @Option(
        help: ArgumentHelp(
            "A key that clients may use; without any, everyone may call. Repeatable. Prefer GATEWAY_API_KEY.",
            valueName: "key"
        )
    )
    var apiKey: [String] = []

    @Option(
        help: ArgumentHelp(
            "A key of admins, who see and change the workers; without any, programs on this machine may. Repeatable. "
                + "Prefer GATEWAY_ADMIN_KEY.",
            valueName: "key"
        )
    )
    var adminKey: [String] = []

    @Flag(help: "Listen on public addresses even if clients need no key.")
    var allowUnauthenticated = false

    @Option(
        help: ArgumentHelp(
            "The least severe level logged: trace, debug, info, notice, warning, error, critical (default: info).",
            valueName: "level"
        ),
        transform: { try named($0) }
    )
    var logLevel: Logger.Level?

    @Option(
        help: ArgumentHelp("The format of log lines: text or json (default: text).", valueName: "form"),
        transform: { try named($0) }
    )
    var logFormat: Configuration.Logging.Format?

    func validate() throws {
        if let port, !(0...65535).contains(port) { throw ValidationError("--port must be 0 to 65535.") }
        if apiKey.contains("") { throw ValidationError("--api-key must not be empty.") }
        if adminKey.contains("") { throw ValidationError("--admin-key must not be empty.") }
        for (index, one) in model.enumerated() where model[..<index].contains(where: { $0.name == one.name }) {
            throw ValidationError("--model gives the name '\(one.name)' twice; choose another with NAME=PATH.")
        }
    }

    func run() async throws {
        try await ServerProcess(configuration: try resolved()).run()
    }

    /// The configuration that the file, the environment and the flags amount to.
    private func resolved() throws -> Configuration {
        var configuration = Configuration()
        if let config {
            configuration = try ConfigurationFiles.load(config)
        } else {
            try configuration.applyEnvironment()
        }
        do {
            try applyFlags(to: &configuration)
        } catch {
            // There will be no log to say it in.
            ConfigurationFiles.report(configuration.warnings)
            throw error
        }
        return configuration
    }

    private func applyFlags(to configuration: inout Configuration) throws {
        if let host { configuration.server.host = host }
        if let port { configuration.server.port = port }
        if !apiKey.isEmpty { configuration.server.apiKeys = apiKey.map { Secret($0) } }
        if !adminKey.isEmpty { configuration.server.adminKeys = adminKey.map { Secret($0) } }
        if allowUnauthenticated { configuration.server.allowUnauthenticated = true }
        try checkAccess(configuration.server)
        if let logLevel { configuration.logging.level = logLevel }
        if let logFormat { configuration.logging.format = logFormat }
        try workers.apply(to: &configuration)
        try addLocalModels(to: &configuration)
        try local.apply(to: &configuration)
    }

    /// To listen where others can connect takes a decision about who may call.
    private func checkAccess(_ server: Configuration.Server) throws {
        if server.adminKeys.contains(where: server.apiKeys.contains) {
            throw CommandFailure(
                .configuration,
                "a key of 'server.admin_keys' is also one of 'server.api_keys'; admins need keys of their own"
            )
        }
        guard server.apiKeys.isEmpty, !server.allowUnauthenticated, !server.isLocal else { return }
        throw CommandFailure(
            .configuration,
            """
            on \(server.host) everybody who can connect could use the models: give clients a key with --api-key \
            (GATEWAY_API_KEY, 'server.api_keys'), listen on 127.0.0.1 only, or allow it with --allow-unauthenticated \
            ('server.allow_unauthenticated')
            """
        )
    }

    private func addLocalModels(to configuration: inout Configuration) throws {
        for argument in model {
            if configuration.models.contains(where: { $0.name == argument.name || $0.aliases.contains(argument.name) })
            {
                throw CommandFailure(
                    .usage,
                    "--model \(argument.name): the configuration already has a model of that name; choose another with NAME=PATH"
                )
            }
            configuration.localModels[argument.name] = Configuration.LocalModel(path: argument.path)
        }
        if let config { try ConfigurationFiles.requireModels(configuration, config) }
        if configuration.hasNoModels {
            let path = LocalBackend.defaultPath
            configuration.localModels[LocalBackend.name(of: path)] = Configuration.LocalModel(path: path)
        }
        for path in configuration.localModelPaths { try LocalBackend.check(path) }
    }
}

/// The value of `--model`: `NAME=PATH`, or a path whose file gives the name.
struct LocalModelArgument: ExpressibleByArgument, Sendable {
    var name: String
    var path: String

    init?(argument: String) {
        if let separator = argument.firstIndex(of: "="), !argument[..<separator].contains("/") {
            let file = argument[argument.index(after: separator)...]
            guard separator > argument.startIndex, !file.isEmpty else { return nil }
            name = String(argument[..<separator])
            path = LocalBackend.path(String(file))
        } else if argument.isEmpty {
            return nil
        } else {
            path = LocalBackend.path(argument)
            name = LocalBackend.name(of: path)
        }
    }
}

/// Reads one of the names of an enumeration.
private func named<Value: RawRepresentable<String> & CaseIterable>(_ text: String) throws -> Value {
    if let value = Value(rawValue: text) { return value }
    let names = Value.allCases.map(\.rawValue).joined(separator: ", ")
    throw ValidationError("'\(text)' is not one of \(names).")
}

extension Configuration.Server {
    /// Whether only programs on this machine can connect.
    fileprivate var isLocal: Bool {
        if host == "localhost" || host == "::1" || host.hasPrefix("unix:") { return true }
        return host.hasPrefix("127.") && host.allSatisfy { $0.isNumber || $0 == "." }
    }
}

extension Configuration {
    /// Whether nothing says what to serve.
    var hasNoModels: Bool {
        models.isEmpty && localModels.isEmpty && workers.urls.isEmpty && workers.discovery.file == nil
            && workers.discovery.dns == nil
    }

    /// The GGUF files that this process is to load.
    fileprivate var localModelPaths: [String] {
        localModels.values.map(\.path) + models.flatMap(\.deployments).compactMap(\.path)
    }
}
