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
            that the policy looks at, and why the others may not. Workers are asked for their models first. It is the \
            view of a gateway that has just started: what a running one has learned is in its GET /workers and /metrics.

              gateway route explain --config gateway.toml -m assistant "Hi"
              gateway route explain --config gateway.toml --request call.json
              gateway route explain --session alice "Hi" --policy manual \\
                --worker-urls http://10.0.0.1:8000 http://10.0.0.2:8000

            Exit status: 69 if no deployment may take the call.
            """
    )

    @Argument(help: "The prompt. Without it, and without --request: standard input, if it is piped.")
    var prompt: String?

    @Option(help: ArgumentHelp("A configuration in TOML or YAML.", valueName: "file"))
    var config: String?

    @OptionGroup var workers: WorkerOptions

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

    @Option(help: ArgumentHelp("Tags with commas in between, as a client would send them.", valueName: "names"))
    var tags: String?

    @Flag(help: "Print one JSON object instead of a table.")
    var json = false

    func validate() throws {
        if request != nil, prompt != nil || model != nil {
            throw ValidationError("--request has the prompt and the model in it; leave out --model and the prompt.")
        }
        if config == nil, workers.urls.isEmpty {
            throw ValidationError("Say what to route to: --config FILE, or --worker-urls URL ….")
        }
    }

    func run() async throws {
        var configuration = Configuration()
        if let config {
            configuration = try ConfigurationFiles.load(config)
            ConfigurationFiles.report(configuration.warnings)
        } else {
            try configuration.applyEnvironment()
        }
        workers.apply(to: &configuration)
        if let config { try ConfigurationFiles.requireModels(configuration, config) }
        let call = try await call()
        let logger = Logger(label: "gateway") { _ in SwiftLogNoOpLogHandler() }
        let backend = LocalBackend(logger: logger)
        let gateway = try Gateway(configuration: configuration, providers: backend.catalog)
        try await WorkerSearch.run(gateway, configuration: configuration, logger: logger, within: .seconds(5))
        let wire = try call.wireRequest(of: gateway, headers: headers(configuration.routing))
        let report = RouteReport(try gateway.explain(wire), workers: gateway.workers)
        try await StandardStream.output.write(json ? report.json : report.table)
        if report.explanation.candidates.isEmpty {
            throw CommandFailure(.unavailable, "no deployment of \(report.explanation.model) may take the call now")
        }
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
    private func headers(_ routing: Configuration.Routing) throws -> [HTTPHeader] {
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

    /// The request that a client would send.
    func wireRequest(of gateway: Gateway, headers: [HTTPHeader]) throws -> WireRequest {
        switch self {
        case .body(let body):
            return WireRequest(mode: try Self.mode(of: body), body: body, headers: headers, requestID: "req_explain")
        case .prompt(let prompt, let model):
            let models = gateway.groups.map(\.model)
            let name = if let model { model } else { try ChatModel.only(of: models, place: "the gateway") }
            let message: JSONValue = ["role": "user", "content": .string(prompt)]
            let body: JSONValue = ["model": .string(name), "messages": [message]]
            return WireRequest(mode: .chat, body: body.serialized(), headers: headers, requestID: "req_explain")
        }
    }

    /// The kind of work, which a client tells by the path.
    private static func mode(of body: [UInt8]) throws -> Mode {
        let json = try JSONValue(parsing: body)
        if json["messages"] != nil { return .chat }
        if json["prompt"] != nil { return .completion }
        if json["input"] != nil { return .embedding }
        throw CommandFailure(.badData, "the request has none of 'messages', 'prompt' and 'input'")
    }
}
