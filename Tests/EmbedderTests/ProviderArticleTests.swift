// The code of the article "Write a provider", word for word, and that it works.

import Foundation
import ModelGateway
import ModelGatewayTesting
import Testing

/// A server that answers `POST /generate` with a JSON object on each line: `{"text": "…"}`, and `{"done": true}` last.
struct LineProvider: Provider {
    let name = "lines"
    let modes: Set<Mode> = [.chat]
    let url: String
    let transport: any HTTPTransport

    func chat(_ request: ChatRequest, context: AttemptContext) async throws(GatewayError) -> any ChatEventSource {
        guard request.tools.isEmpty else {
            throw GatewayError(.unsupported, "\(request.model) cannot call tools; leave them out.", param: "tools")
        }
        let turns = request.messages.map { "\($0.role.rawValue): \($0.text)" }
        let body: JSONValue = [
            "model": .string(context.upstreamModel), "prompt": .string(turns.joined(separator: "\n")),
        ]
        let response = try await transport.send(
            HTTPTransportRequest(
                method: "POST",
                url: url + "/generate",
                headers: context.headers + [
                    HTTPHeader("content-type", "application/json"), HTTPHeader("x-request-id", context.requestID),
                ],
                body: .bytes(body.serialized()),
                timeouts: context.timeouts
            )
        )
        guard response.status == 200 else { throw await response.failure() }
        return LineEvents(response.body, context)
    }

    func models(timeouts: Timeouts) async throws(GatewayError) -> [ModelInfo] {
        let request = HTTPTransportRequest(method: "GET", url: url + "/models", timeouts: timeouts)
        let response = try await transport.send(request)
        guard response.status == 200 else { throw await response.failure() }
        let text = String(decoding: try await response.wholeBody(), as: UTF8.self)
        return text.split(separator: "\n").map { ModelInfo(id: String($0)) }
    }
}

/// The lines of an answer as events.
actor LineEvents: ChatEventSource {
    private let body: any ByteStream
    private let context: AttemptContext
    private var buffer: [UInt8] = []
    private var hasBegun = false
    private var isComplete = false

    init(_ body: any ByteStream, _ context: AttemptContext) {
        self.body = body
        self.context = context
    }

    func next() async throws(GatewayError) -> [ChatEvent]? {
        guard hasBegun else {
            hasBegun = true
            return [.started(id: context.requestID, model: context.upstreamModel)]
        }
        while !isComplete {
            if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
                let line = Array(buffer[..<end])
                buffer.removeSubrange(...end)
                return [try event(line)]
            }
            guard let bytes = try await body.next() else {
                throw GatewayError(.truncatedResponse, "The answer was cut off before its end.", requestWasSent: true)
            }
            buffer += bytes
        }
        return nil
    }

    private func event(_ line: [UInt8]) throws(GatewayError) -> ChatEvent {
        let json = try? JSONValue(parsing: line)
        if json?["done"] == true {
            isComplete = true
            body.discard()
            return .finished(.stop, choice: 0)
        }
        guard let text = json?["text"]?.string else {
            throw GatewayError(.malformedResponse, "The answer has a line without a text.", requestWasSent: true)
        }
        return .text(text, choice: 0)
    }

    nonisolated func cancel() { body.cancel() }
}

func makeGateway(lines url: String) throws -> Gateway {
    let transport = try CurlTransport()
    return Gateway(provider: LineProvider(url: url, transport: transport), models: ["story"])
}

func makeGateway(linesAmong file: String) throws -> Gateway {
    let lines = ProviderKind(rawValue: "lines")
    var catalog = ProviderCatalog.standard
    catalog.register(lines) { settings throws(GatewayError) in
        guard let url = settings.baseURL else {
            throw GatewayError(.configuration, "Deployment \(settings.id) needs a base_url.")
        }
        return LineProvider(url: url, transport: settings.transport)
    }
    let configuration = try Configuration.load(path: file, kinds: [lines])
    return try Gateway(configuration: configuration, providers: catalog)
}

@Suite("Write a provider, as the article says", .timeLimit(.minutes(1)))
struct ProviderArticleTests {
    private static let answer = #"{"text":"Once "}"# + "\n" + #"{"text":"upon"}"# + "\n" + #"{"done":true}"# + "\n"

    private func start(_ script: Script) throws -> (ScriptedEngine, Gateway) {
        let engine = try ScriptedEngine { $0.path == "/generate" ? script : .response(parts: [Array("story\n".utf8)]) }
        return (engine, try makeGateway(lines: engine.url))
    }

    private let request = ChatRequest(model: "story", messages: [.system("Be brief."), .user("Tell me one.")])

    @Test func `the article has this code`() throws {
        try expectArticle("WritingAProvider", hasCodeOf: #filePath, blocks: 4)
    }

    @Test func `an answer comes whole, in whatever pieces it arrives`() async throws {
        let (engine, gateway) = try start(.response(parts: Self.answer.utf8.map { [$0] }, framing: .chunked))
        defer { engine.stop() }
        let response = try await gateway.chat(request)
        #expect(response.text == "Once upon")
        #expect(response.model == "story")
        let body = try JSONValue(parsing: try #require(engine.requests.last).body)
        #expect(body["prompt"] == "system: Be brief.\nuser: Tell me one.")
    }

    @Test func `a cut answer is not a complete one`() async throws {
        let (engine, gateway) = try start(.response(parts: [Array(Self.answer.utf8.prefix(40))]))
        defer { engine.stop() }
        let error = await #expect(throws: GatewayError.self) { _ = try await gateway.chat(request) }
        #expect(error?.code == .truncatedResponse)
    }

    @Test func `a refusal has its code`() async throws {
        let (engine, gateway) = try start(.json(#"{"error":"too long"}"#, status: 413))
        defer { engine.stop() }
        let error = await #expect(throws: GatewayError.self) { _ = try await gateway.chat(request) }
        #expect(error?.upstream?.status == 413)
    }

    @Test func `what it cannot do is refused`() async throws {
        let (engine, gateway) = try start(.json("{}"))
        defer { engine.stop() }
        var request = request
        request.tools = [Tool(name: "f")]
        var error = await #expect(throws: GatewayError.self) { _ = try await gateway.chat(request) }
        #expect(error?.code == .unsupported && error?.param == "tools")
        error = await #expect(throws: GatewayError.self) {
            _ = try await gateway.embed(EmbeddingRequest(model: "story", texts: ["a"]))
        }
        #expect(error?.code == .unsupported)
        #expect(engine.requests.isEmpty)
    }

    private func withFile(_ text: String, _ body: (String) async throws -> Void) async throws {
        let name = "provider-\(UInt64.random(in: 0 ... .max)).toml"
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(name)
        try text.write(to: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: file) }
        try await body(file.path)
    }

    @Test func `a configuration names it by its kind`() async throws {
        let engine = try ScriptedEngine { _ in .response(parts: [Array(Self.answer.utf8)]) }
        defer { engine.stop() }
        try await withFile(
            """
            [[models]]
            name = "story"
            [[models.deployments]]
            kind = "lines"
            base_url = "\(engine.url)"
            """
        ) { file in
            let gateway = try makeGateway(linesAmong: file)
            #expect(try await gateway.chat(request).text == "Once upon")
        }
    }
}
