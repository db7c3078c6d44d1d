// Answers that are not all UTF-8: one rule for JSON and for streams.

import ModelGateway
import ModelGatewayTesting
import Testing

@Suite("Answers that are not all UTF-8", .timeLimit(.minutes(1)))
struct InvalidTextTests {
    /// The text with a byte in it that no UTF-8 has, for each star.
    private func spoiled(_ text: String) -> [UInt8] {
        text.utf8.map { $0 == UInt8(ascii: "*") ? 0xFF : $0 }
    }

    private let whole =
        #"{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"a*b"},"finish_reason":"stop"}]}"#
    private var events: String { Chunk.stream(Chunk.role, Chunk.text("a*b"), Chunk.stop, Chunk.done) }

    @Test func `D26: a JSON answer comes with the replacement character`() async throws {
        let fixture = try RelayFixture()
        fixture.engine.enqueue(.response(parts: [spoiled(whole)]))
        let text = try await fixture.relay(RelayFixture.plainRequest).text()
        #expect(text == whole.replacing("*", with: "\u{FFFD}"))
    }

    @Test(arguments: TransportKind.allCases)
    func `D26: a stream comes with the replacement character`(_ kind: TransportKind) async throws {
        let fixture = try RelayFixture(kind)
        fixture.engine.enqueue(.eventStream(spoiled(events)))
        let response = try await fixture.relay(RelayFixture.streamRequest)
        #expect(try await fixture.text(of: response) == events.replacing("*", with: "\u{FFFD}"))
        #expect(fixture.observer.records.map(\.error) == [nil])
    }

    @Test func `D26: the first piece of an answer counts as such although it is not all UTF-8`() async throws {
        let fixture = try RelayFixture()
        let start = spoiled(Chunk.stream(Chunk.text("*")))
        fixture.engine.enqueue(.eventStream(start))
        let response = try await fixture.relay(RelayFixture.streamRequest)
        let text = try await fixture.text(of: response)
        #expect(text.hasPrefix(Chunk.stream(Chunk.text("\u{FFFD}"))))
        #expect(text.contains(#""error""#))
    }

    @Test func `D26: the vocabulary follows the same rule`() async throws {
        let fixture = try RelayFixture()
        let request = ChatRequest(model: "public", messages: [.user("Hi")])
        fixture.engine.enqueue(.response(parts: [spoiled(whole)]), .eventStream(spoiled(events)))
        for _ in 0..<2 { #expect(try await fixture.gateway.chat(request).text == "a\u{FFFD}b") }
    }

    @Test func `D26: an empty list of models may be null, and models have a time`() async throws {
        let engine = try ScriptedEngine { _ in .json(#"{"object":"list","data":null}"#) }
        let provider = try OpenAICompatibleProvider(baseURL: engine.url, transport: CurlTransport())
        #expect(try await provider.models(timeouts: Timeouts()).isEmpty)
        let gateway = Gateway(groups: [DeploymentGroup(model: "public")])
        let created = try #require(gateway.models.first?.created)
        #expect(created > 1_700_000_000)
    }
}
