// Header lines of an upstream that reach the client: quota and ids, on success, in streams and with errors.

import ModelGateway
import ModelGatewayTesting
import Testing

@Suite("Header lines of the upstream", .timeLimit(.minutes(1)))
struct UpstreamHeaderTests {
    private static let sent = [
        HTTPHeader("X-RateLimit-Remaining-Requests", "9"), HTTPHeader("ratelimit", "limit=1"),
        HTTPHeader("RateLimit-Reset", "5"), HTTPHeader("anthropic-ratelimit-tokens-limit", "7"),
        HTTPHeader("openai-processing-ms", "12"), HTTPHeader("x-request-id", "up-1"),
        HTTPHeader("openai-organization", "acme"), HTTPHeader("set-cookie", "a=b"), HTTPHeader("server", "uvicorn"),
        HTTPHeader("x-internal-host", "10.0.0.1"), HTTPHeader("x-rate", "1"),
    ]
    private static let expected = [
        HTTPHeader("x-ratelimit-remaining-requests", "9"), HTTPHeader("ratelimit", "limit=1"),
        HTTPHeader("ratelimit-reset", "5"), HTTPHeader("anthropic-ratelimit-tokens-limit", "7"),
        HTTPHeader("openai-processing-ms", "12"), HTTPHeader("x-upstream-request-id", "up-1"),
    ]

    private func forwarded(_ headers: [HTTPHeader]) -> [HTTPHeader] {
        let own = ["content-type", "cache-control", "x-accel-buffering", "x-gateway-deployment", "x-gateway-attempts"]
        return headers.filter { !own.contains($0.name) && $0.name != "retry-after" }
    }

    @Test func `D26: quota and ids of the upstream reach the client of a whole answer`() async throws {
        let fixture = try RelayFixture()
        fixture.engine.enqueue(
            .json(
                #"{"choices":[{"index":0,"message":{"content":"ok"},"finish_reason":"stop"}]}"#,
                headers: Self.sent
            )
        )
        let response = try await fixture.relay(RelayFixture.plainRequest)
        #expect(forwarded(response.headers) == Self.expected)
    }

    @Test(arguments: TransportKind.allCases)
    func `D26: quota and ids of the upstream reach the client of a stream`(_ kind: TransportKind) async throws {
        let fixture = try RelayFixture(kind)
        fixture.engine.enqueue(.events([Chunk.text("a"), Chunk.stop, Chunk.done], headers: Self.sent))
        let response = try await fixture.relay(RelayFixture.streamRequest)
        #expect(forwarded(response.headers) == Self.expected)
        _ = try await fixture.text(of: response)
    }

    @Test(arguments: [400, 429, 500])
    func `D26: quota and ids of the upstream reach the client of an error`(_ status: Int) async throws {
        let fixture = try RelayFixture()
        let refusal = Script.json(#"{"error":{"message":"no"}}"#, status: status, headers: Self.sent)
        // As many as there are attempts at most.
        fixture.engine.enqueue(refusal, refusal, refusal)
        let error = await #expect(throws: GatewayError.self) { try await fixture.relay(RelayFixture.plainRequest) }
        let headers = error.map { OpenAIFormat().headers(of: $0) } ?? []
        #expect(forwarded(headers) == Self.expected)
    }

    @Test func `D26: an upstream that repeats our id, or sends none of all this, adds nothing`() async throws {
        let block = HTTPHeaderBlock(bytes: Array("server: x\r\nx-request-id: req-1\r\nx-other: 1\r\n".utf8))
        #expect(UpstreamHeaders.forClient(block, requestID: "req-1").isEmpty)
        #expect(UpstreamHeaders.forClient(HTTPHeaderBlock(bytes: Array("date: x\r\n".utf8))).isEmpty)
    }
}
