// The code of the article "Write a transport", word for word, and that it works.

import ModelGateway
import ModelGatewayTesting
import Synchronization
import Testing

/// Sends requests with another transport, with a fresh token in each.
struct TokenTransport: HTTPTransport {
    let next: any HTTPTransport
    /// Gets a token; called for each request, so it should remember the last one while that is valid.
    let token: @Sendable () async throws -> String

    var preferredExecutor: (any TaskExecutor)? { next.preferredExecutor }

    func send(_ request: HTTPTransportRequest) async throws(GatewayError) -> HTTPTransportResponse {
        var request = request
        do {
            request.headers.append(HTTPHeader("authorization", "Bearer \(try await token())"))
        } catch {
            throw GatewayError(.upstreamUnauthorized, "No token for the provider could be had.")
        }
        return try await next.send(request)
    }
}

/// Answers requests out of memory, for tests of a program that uses a gateway.
struct CannedTransport: HTTPTransport {
    /// The status and the pieces of the body for a request.
    let answer: @Sendable (HTTPTransportRequest) -> (status: Int, body: [[UInt8]])

    func send(_ request: HTTPTransportRequest) async throws(GatewayError) -> HTTPTransportResponse {
        guard !Task.isCancelled else { throw GatewayError(.cancelled, "The call was cancelled.") }
        let (status, body) = answer(request)
        return HTTPTransportResponse(
            status: status,
            headers: HTTPHeaderBlock([HTTPHeader("content-type", "application/json")]),
            body: Pieces(body)
        )
    }
}

/// A body that is there already.
final class Pieces: ByteStream {
    private let rest: Mutex<[[UInt8]]>

    init(_ pieces: [[UInt8]]) {
        rest = Mutex(pieces.filter { !$0.isEmpty }.reversed())
    }

    func next() async throws(GatewayError) -> [UInt8]? {
        guard !Task.isCancelled else {
            cancel()
            throw GatewayError(.cancelled, "The call was cancelled.")
        }
        return rest.withLock { $0.popLast() }
    }

    func cancel() { rest.withLock { $0 = [] } }
}

func makeGateway(over transport: any HTTPTransport, model: String) throws -> Gateway {
    let provider = try OpenAICompatibleProvider(baseURL: "https://models.example.com/v1", transport: transport)
    return Gateway(provider: provider, models: [model], preferredExecutor: transport.preferredExecutor)
}

@Suite("Write a transport, as the article says", .timeLimit(.minutes(1)))
struct TransportArticleTests {
    private let request = ChatRequest(model: "small", messages: [.user("Hi")])

    private static let chunk =
        #"data: {"id":"1","model":"small","choices":[{"index":0,"delta":{"content":"Yes."},"#
        + #""finish_reason":"stop"}]}"# + "\n\n"

    @Test func `the article has this code`() throws {
        try expectArticle("WritingATransport", hasCodeOf: #filePath, blocks: 3)
    }

    @Test func `each request goes out with a token of its own`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI(text: "Yes."))
        defer { engine.stop() }
        let count = Mutex(0)
        let transport = TokenTransport(next: try CurlTransport()) {
            count.withLock { count in
                count += 1
                return "token-\(count)"
            }
        }
        let provider = try OpenAICompatibleProvider(baseURL: engine.url, transport: transport)
        let gateway = Gateway(provider: provider, models: ["small"])
        for _ in 0..<2 { #expect(try await gateway.chat(request).text == "Yes.") }
        #expect(engine.requests.map { $0.header("authorization") } == ["Bearer token-1", "Bearer token-2"])
    }

    @Test func `without a token nothing is sent`() async throws {
        struct NoToken: Error {}
        let transport = TokenTransport(next: CannedTransport { _ in (200, []) }) { throw NoToken() }
        let gateway = try makeGateway(over: transport, model: "small")
        let error = await #expect(throws: GatewayError.self) { _ = try await gateway.chat(request) }
        #expect(error?.code == .upstreamUnauthorized || error?.code == .unavailable)
    }

    @Test func `answers out of memory are read like those of a server`() async throws {
        let asked = Mutex<[String]>([])
        let transport = CannedTransport { request in
            asked.withLock { $0.append(request.url) }
            return (200, (Self.chunk + "data: [DONE]\n\n").utf8.map { [$0] })
        }
        let gateway = try makeGateway(over: transport, model: "small")
        #expect(try await gateway.chat(request).text == "Yes.")
        #expect(asked.withLock(\.self) == ["https://models.example.com/v1/chat/completions"])
    }

    @Test func `a canned refusal is one`() async throws {
        let gateway = try makeGateway(over: CannedTransport { _ in (400, [Array("{}".utf8)]) }, model: "small")
        let error = await #expect(throws: GatewayError.self) { _ = try await gateway.chat(request) }
        #expect(error?.upstream?.status == 400)
    }
}
