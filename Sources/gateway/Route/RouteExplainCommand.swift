// `gateway route explain`: where a call would go and why, without sending it.

import ArgumentParser
import Logging
import ModelGateway

struct RouteExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Show where a call would go and why, without sending it.",
        discussion: """
            Lists the deployments that may take the call in the order in which they would be tried, each with the number \
            that the policy considers, and why the others may not. With --url it asks a running gateway, which knows what \
            it has learned. Otherwise it shows the view of a gateway that has just started, after asking workers for their models.

              gateway route explain --url http://127.0.0.1:30000 -m assistant "Hi"
              gateway route explain --config gateway.toml -m assistant "Hi"
              gateway route explain --config gateway.toml --request call.json
              gateway route explain --session alice "Hi" --policy manual \\
                --worker-urls http://10.0.0.1:8000 http://10.0.0.2:8000

            Exit status: 69 if no deployment may take the call.
            """
    )

    @Argument(help: "The prompt. Without it, and without --request: standard input, if it is piped.")
    var prompt: String?

    @Option(help: ArgumentHelp("The running gateway to ask.", valueName: "url"))
    var url: String?

    @Option(help: ArgumentHelp("An admin's key for it. Prefer GATEWAY_ADMIN_KEY.", valueName: "key"))
    var adminKey: String?

    @Option(help: ArgumentHelp("A configuration in TOML or YAML.", valueName: "file"))
    var config: String?

    @OptionGroup var workers: WorkerListOptions

    @Option(name: [.short, .long], help: ArgumentHelp("The public name of the model; needed if there are several."))
    var model: String?

    @Option(
        help: ArgumentHelp(
            "A whole request body, as a client would send it (chat, completion or embedding); - is standard input.",
            valueName: "file"
        )
    )
    var request: String?

    @Option(help: ArgumentHelp("The session key that a client would send as a header.", valueName: "key"))
    var session: String?

    @Option(help: ArgumentHelp("Tags separated by commas, as a client would send them.", valueName: "names"))
    var tags: String?

    @Flag(help: "Print one JSON object instead of a table.")
    var json = false

    func validate() throws {
        if request != nil, prompt != nil || model != nil {
            throw ValidationError("--request contains the prompt and the model; leave out --model and the prompt.")
        }
        if let url {
            guard config == nil, workers.urls.isEmpty, workers.policy == nil else {
                throw ValidationError("--url asks a running gateway; leave out --config, --worker-urls and --policy.")
            }
            do { _ = try BaseURL(url) } catch { throw ValidationError("--url: \(error.message)") }
        } else if config == nil, workers.urls.isEmpty {
            throw ValidationError("Say what to route to: --url URL, --config FILE, or --worker-urls URL ….")
        }
        if url == nil, adminKey != nil { throw ValidationError("--admin-key has no effect without --url.") }
    }

    func run() async throws {
        let report = if let url { try await ask(url) } else { try await explain() }
        try await StandardStream.output.write(json ? report.line : report.table)
        if report.candidates.isEmpty {
            throw CommandFailure(.unavailable, "no deployment of \(report.model) may take the call now")
        }
    }

    /// What a running gateway says.
    private func ask(_ url: String) async throws -> RoutingReport {
        let call = try await call()
        let gateway = try RunningGateway(url: url, key: try key())
        let usual = RoutingHeaders()
        return try await gateway.explain(call.body(), headers: try headers(usual))
    }

    /// The admin's key for a running gateway: the first one, where the environment names several.
    private func key() throws -> Secret? {
        if let adminKey { return Secret(adminKey) }
        var configuration = Configuration()
        try configuration.applyEnvironment()
        return configuration.server.adminKeys.first
    }

    /// What a gateway of the configuration would say that has just started.
    private func explain() async throws -> RoutingReport {
        var configuration = Configuration()
        if let config {
            configuration = try ConfigurationFiles.load(config)
            ConfigurationFiles.report(configuration.warnings)
        } else {
            try configuration.applyEnvironment()
        }
        try workers.apply(to: &configuration)
        if let config { try ConfigurationFiles.requireModels(configuration, config) }
        let call = try await call()
        let logger = Logger(label: "gateway") { _ in SwiftLogNoOpLogHandler() }
        let backend = LocalBackend(logger: logger)
        let gateway = try Gateway(configuration: configuration, providers: backend.catalog)
        try await WorkerSearch.run(gateway, configuration: configuration, logger: logger, within: .seconds(5))
        let body = try call.body(naming: gateway.groups.map(\.model))
        let wire = WireRequest(
            try Endpoint(ofRequest: try JSONValue(parsing: body)),
            body: body,
            headers: try headers(configuration.routing),
            requestID: "req_explain"
        )
        return RoutingReport(try gateway.explain(wire), workers: gateway.workers)
    }

    /// What is to be routed, read before any worker is asked.
    private func call() async throws -> RoutedCall {
        let input = StandardInput()
        if request == "-" { return .body(Array(try await input.readAll().utf8)) }
        if let request { return .body(try InputFile.read(request)) }
        if let prompt { return .prompt(prompt, model: model) }
        return .prompt(input.isTerminal ? "" : try await input.readIfItComes(), model: model)
    }

    /// The headers in which a client would say what the options say.
    private func headers(_ routing: RoutingHeaders) throws -> [HTTPHeader] {
        var headers: [HTTPHeader] = []
        if let session {
            guard let name = routing.sessionHeaders.first else {
                throw CommandFailure(.usage, "--session has no effect: 'routing.session_headers' names no header")
            }
            headers.append(HTTPHeader(name, session))
        }
        if let tags { headers.append(HTTPHeader(routing.tagsHeader, tags)) }
        return headers
    }
}

/// What is to be routed.
private enum RoutedCall {
    case prompt(String, model: String?)
    case body([UInt8])

    /// The request that a client would send; without a model if none was named.
    func body() -> [UInt8] {
        switch self {
        case .body(let body): return body
        case .prompt(let prompt, let model):
            let message: JSONValue = ["role": "user", "content": .string(prompt)]
            let name = model.map { [JSONMember("model", .string($0))] } ?? []
            return JSONValue.object(name + [JSONMember("messages", [message])]).serialized()
        }
    }

    /// The request that a client would send, with the only one of the models if none was named.
    func body(naming models: [String]) throws -> [UInt8] {
        guard case .prompt(let prompt, nil) = self else { return body() }
        let model = try ChatModel.only(of: models, place: "the gateway")
        return RoutedCall.prompt(prompt, model: model).body()
    }
}
