// Answers whose label is in another case, missing or wrong: what they are is told by their bytes, and nothing is paid twice.

import ModelGateway
import ModelGatewayTesting
import Testing

@Suite("Forms of answers", .timeLimit(.minutes(1)))
struct AnswerFormTests {
    static let types: [String?] = [
        "text/event-stream", "Text/Event-Stream;charset=utf-8", "application/json", "APPLICATION/JSON; charset=UTF-8",
        "text/plain", "", nil,
    ]
    static let whole =
        #"{"id":"c9","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}]}"#
    static let events = Chunk.stream(Chunk.role, Chunk.text("Hel"), Chunk.text("lo"), Chunk.stop, Chunk.done)

    private func script(_ body: String, type: String?, pieces: Int = 4096) -> Script {
        let bytes = Array(body.utf8)
        let parts = stride(from: 0, to: bytes.count, by: pieces).map {
            Array(bytes[$0..<min($0 + pieces, bytes.count)])
        }
        let headers = type.map { [HTTPHeader("Content-Type", $0)] } ?? []
        return .response(headers: headers, parts: parts, framing: .chunked)
    }

    @Test(arguments: types, TransportKind.allCases)
    func `D18: a stream is one whatever its label says`(type: String?, kind: TransportKind) async throws {
        let fixture = try RelayFixture(kind)
        fixture.engine.enqueue(script(Self.events, type: type), script(Self.events, type: type))
        #expect(try await fixture.stream() == Self.events)
        #expect(try await fixture.stream(RelayFixture.plainRequest).contains(#""content":"Hello""#))
        #expect(fixture.engine.requests.count == 2)
    }

    @Test(arguments: types, TransportKind.allCases)
    func `D18: a whole answer is one whatever its label says`(type: String?, kind: TransportKind) async throws {
        let fixture = try RelayFixture(kind)
        fixture.engine.enqueue(script(Self.whole, type: type), script(Self.whole, type: type))
        #expect(try await fixture.stream(RelayFixture.plainRequest) == Self.whole)
        #expect(try await fixture.stream().contains(#""delta":{"content":"Hello"}"#))
        #expect(fixture.engine.requests.count == 2)
    }

    @Test(arguments: [1, 3, 7])
    func `D18: a byte order mark and blank lines say nothing, in pieces of any size`(size: Int) async throws {
        let fixture = try RelayFixture()
        for type in ["application/json", "text/event-stream"] {
            fixture.engine.enqueue(script("\u{FEFF}\n\n \n" + Self.events, type: type, pieces: size))
            #expect(try await fixture.stream() == Self.events)
            fixture.engine.enqueue(script("\u{FEFF}\n\n \n" + Self.whole, type: type, pieces: size))
            #expect(try await fixture.stream(RelayFixture.plainRequest) == Self.whole)
        }
    }

    @Test(arguments: types)
    func `D18: the library reads both forms under every label`(type: String?) async throws {
        let fixture = try RelayFixture()
        fixture.engine.enqueue(script(Self.events, type: type), script(Self.whole, type: type))
        let request = ChatRequest(model: "public", messages: [ChatMessage(role: .user, content: [.text("Hi")])])
        #expect(try await fixture.gateway.chat(request).text == "Hello")
        #expect(try await fixture.gateway.chat(request).text == "Hello")
        #expect(fixture.engine.requests.count == 2)
    }

    @Test(arguments: ["Internal error", "<html>no</html>", "database: down"])
    func `D18: what is neither is refused as before`(body: String) async throws {
        let fixture = try RelayFixture()
        fixture.engine.enqueue(script(body, type: "application/json"), script(body, type: "text/event-stream"))
        for request in [RelayFixture.plainRequest, RelayFixture.streamRequest] {
            let error = await #expect(throws: GatewayError.self) { try await fixture.relay(request) }
            #expect(error?.status == 502)
        }
    }
}
