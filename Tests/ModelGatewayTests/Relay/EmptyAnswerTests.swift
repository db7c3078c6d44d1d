// Success by its status, but no answer in it: the call goes on elsewhere, and never ends as if it had succeeded.

import ModelGateway
import ModelGatewayTesting
import Testing

@Suite("Successes without an answer", .timeLimit(.minutes(1)))
struct EmptyAnswerTests {
    /// Bodies that are no answer to a request for a whole chat completion or completion.
    static let bodies = [
        #"{"id":"c","object":"chat.completion","choices":[]}"#,
        #"{"id":"c","object":"chat.completion"}"#,
        #"{"choices":null}"#,
        #"{"choices":[{}]}"#,
        #"{"choices":[{"index":0,"message":{"role":"assistant","content":null},"finish_reason":null}]}"#,
        #"{"object":"error","message":"boom","type":"InternalServerError","code":500}"#,
        #"{"error":{"message":"slow down","code":"429"}}"#,
        #"{"detail":"Engine is dead"}"#,
        #"[{"error":{"code":503,"message":"overloaded"}}]"#,
        "{}", "",
    ]

    /// Streams that are no answer, as the data of their events.
    static let streams: [[String]] = [
        [],
        ["[DONE]"],
        [#"{"choices":[]}"#, Chunk.usage, "[DONE]"],
        [Chunk.role, "[DONE]"],
        [#"{"object":"error","message":"boom","type":"InternalServerError","code":500}"#, "[DONE]"],
        [Chunk.role, #"{"error":{"message":"slow down","code":"429"}}"#],
        [#"{"message":"slow down","code":"429"}"#, "[DONE]"],
        [#"[{"error":{"code":503,"message":"overloaded"}}]"#],
    ]

    /// Two calls, of which one begins at the engine with the bad script.
    private func expectFailover(
        _ bad: Script,
        _ good: Script,
        _ body: String,
        mode: Mode = .chat
    ) async throws {
        let fixture = try RelayFixture(engines: 2)
        fixture.engines[0].enqueue(bad, good)
        fixture.engines[1].enqueue(good, good)
        for _ in 0..<2 {
            let text = try await fixture.relay(body, mode: mode).text()
            #expect(text.contains("ok") || text.contains("0.5"))
        }
        #expect(fixture.engines.map(\.requests.count).reduce(0, +) == 3)
        #expect(fixture.observer.records.map(\.error) == [nil, nil])
        #expect(fixture.observer.records.map(\.attempts).reduce(0, +) == 3)
    }

    @Test(arguments: bodies)
    func `D20: a whole answer without a choice is tried elsewhere`(body: String) async throws {
        try await expectFailover(.json(body), FailoverTests.answer, RelayFixture.plainRequest)
    }

    @Test(arguments: bodies)
    func `D20: so is one where a stream was asked for`(body: String) async throws {
        try await expectFailover(.json(body), FailoverTests.answer, RelayFixture.streamRequest)
    }

    @Test(arguments: streams)
    func `D20: a stream without content is tried elsewhere`(chunks: [String]) async throws {
        let good = Script.events([Chunk.role, Chunk.text("ok"), Chunk.stop, Chunk.done])
        try await expectFailover(.events(chunks), good, RelayFixture.streamRequest)
        try await expectFailover(.events(chunks), good, RelayFixture.plainRequest)
    }

    @Test(arguments: [#"{"text":"","index":0,"finish_reason":null}"#, ""])
    func `D20: a completion without text and end is tried elsewhere`(choice: String) async throws {
        let good = Script.json(#"{"choices":[{"text":"ok","index":0,"finish_reason":"stop"}]}"#)
        let request = #"{"model":"public","prompt":"Hi"}"#
        try await expectFailover(.json(#"{"choices":[\#(choice)]}"#), good, request, mode: .completion)
    }

    @Test(arguments: [#"{"object":"list","data":[]}"#, #"{"object":"list"}"#, #"{"data":null}"#])
    func `D20: embeddings without data are tried elsewhere`(body: String) async throws {
        let request = #"{"model":"public","input":"Hi"}"#
        try await expectFailover(.json(body), .embeddings([[0.5]]), request, mode: .embedding)
    }

    @Test func `D20: no vectors are right for no input`() async throws {
        let fixture = try RelayFixture()
        fixture.engine.enqueue(.json(#"{"object":"list","data":[]}"#))
        let response = try await fixture.relay(#"{"model":"public","input":[]}"#, mode: .embedding)
        #expect(response.status == 200)
    }

    @Test(arguments: [
        #"{"choices":[{"index":0,"message":{"role":"assistant","content":""},"finish_reason":"stop"}]}"#,
        #"{"choices":[{"index":0,"message":{"role":"assistant","content":null,"refusal":"No."}}]}"#,
        #"{"choices":[{"index":0,"message":{"role":"assistant","tool_calls":[{"id":"t"}]}}]}"#,
        #"{"choices":[{"index":0,"finish_reason":"content_filter"}]}"#,
    ])
    func `D20: an empty text with an end, a refusal and a tool call are answers`(body: String) async throws {
        let fixture = try RelayFixture()
        fixture.engine.enqueue(.json(body), .json(body))
        #expect(try await fixture.relay(RelayFixture.plainRequest).text() == body)
        #expect(try await fixture.stream().hasSuffix("data: [DONE]\n\n"))
        #expect(fixture.observer.records.map(\.error) == [nil, nil])
    }

    @Test func `D20: a stream with nothing but an end is an answer`() async throws {
        let fixture = try RelayFixture()
        fixture.engine.enqueue(.events([Chunk.role, Chunk.stop, Chunk.done]))
        #expect(try await fixture.stream() == Chunk.stream(Chunk.role, Chunk.stop, Chunk.done))
    }

    /// Errors in the middle of a stream, in forms that are no event with an `error` in its data.
    static let endings = [
        "error: {\"code\":429,\"message\":\"slow down\",\"type\":\"rate_limit_error\"}\n\n",
        "{\"error\":{\"code\":\"429\",\"message\":\"slow down\"}}\n\n",
        "data: [{\"error\":{\"code\":429,\"message\":\"slow down\"}}]\n\n",
        "data: {\"error\":{\"code\":429,\"message\":\"slow down\"}}",
        "{\"error\":{\"code\":429,\"message\":\"slow down\"}}",
    ]

    @Test(arguments: endings, TransportKind.allCases)
    func `D20: an error in the middle of a stream is read in whatever form it comes`(
        ending: String,
        kind: TransportKind
    ) async throws {
        let fixture = try RelayFixture(kind)
        let body = ": hello\n\ndata: \(Chunk.text("a"))\n\n" + ending
        fixture.engine.enqueue(.eventStream(body))
        let text = try await fixture.stream()
        #expect(text.hasPrefix(": hello\n\n" + Chunk.stream(Chunk.text("a"))))
        #expect(text.contains(#""message":"slow down""#) && text.contains(#""code":"rate_limited""#))
        #expect(!text.contains("[DONE]"))
        let other = try RelayFixture(kind)
        other.engine.enqueue(.eventStream(body))
        let error = await #expect(throws: GatewayError.self) { try await other.relay(RelayFixture.plainRequest) }
        #expect(error?.code == .rateLimited)
    }

    @Test(arguments: [
        "event: error\ndata: {\"message\":\"slow down\",\"code\":\"429\"}\n\n", "event: error\ndata: 429\n\n",
    ])
    func `D20: an event that is named error is one, whatever its data`(event: String) async throws {
        let fixture = try RelayFixture()
        fixture.engine.enqueue(.eventStream("data: \(Chunk.text("a"))\n\n" + event))
        let text = try await fixture.stream()
        #expect(text.hasPrefix(Chunk.stream(Chunk.text("a"))))
        #expect(text.contains("rate_limited") || text.contains("upstream_failed"))
        #expect(!text.contains("[DONE]"))
    }

    @Test(arguments: [
        Script.json(bodies[0]), .json(bodies[5]), .json(bodies[6]), .events(streams[1]), .events(streams[4]),
    ])
    func `D20: the library reports it, whole and streamed`(script: Script) async throws {
        let fixture = try RelayFixture()
        fixture.engine.enqueue(script, script)
        let request = ChatRequest(model: "public", messages: [ChatMessage(role: .user, content: [.text("Hi")])])
        await #expect(throws: GatewayError.self) { try await fixture.gateway.chat(request) }
        await #expect(throws: GatewayError.self) { for try await _ in fixture.gateway.stream(request) {} }
        #expect(fixture.observer.records.allSatisfy { $0.error != nil })
    }
}
