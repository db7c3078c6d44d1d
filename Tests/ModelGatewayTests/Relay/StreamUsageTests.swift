// The usage of streams: asked for where the upstream knows the question, and taken out where the client did not ask.

import ModelGateway
import ModelGatewayTesting
import Testing

@Suite("Usage of streams", .timeLimit(.minutes(1)))
struct StreamUsageTests {
    static let good = Script.events([Chunk.role, Chunk.text("ok"), Chunk.stop, Chunk.done])

    /// An engine that refuses what it does not know, as several servers word it.
    static let refusals: [(status: Int, body: String)] = [
        (400, #"{"error":{"message":"Unrecognized request argument supplied: stream_options"}}"#),
        (
            422,
            #"{"detail":[{"loc":["body","stream_options"],"msg":"Extra inputs are not permitted","type":"extra_forbidden"}]}"#
        ),
        (400, #"{"message":"json: unknown field"}"#),
        (400, "Additional properties are not allowed"),
    ]

    @Test(arguments: refusals.indices)
    func `D17: a question that is refused is left out in the same attempt, and never asked again`(
        index: Int
    ) async throws {
        let refusal = Self.refusals[index]
        let fixture = try RelayFixture(upstreamModel: "public")
        fixture.engine.enqueue(.json(refusal.body, status: refusal.status), Self.good, Self.good)
        let response = try await fixture.relay(RelayFixture.streamRequest)
        #expect(response.header("x-gateway-attempts") == "1")
        #expect(try await response.text().hasSuffix("data: [DONE]\n\n"))
        _ = try await fixture.stream()
        let sent = fixture.engine.requests.map(\.text)
        #expect(sent.map { $0.contains("stream_options") } == [true, false, false])
        #expect(sent[1] == RelayFixture.streamRequest)
        #expect(fixture.observer.records.map(\.attempts) == [1, 1])
        #expect(fixture.observer.records.map(\.error) == [nil, nil])
    }

    @Test(arguments: refusals.indices)
    func `D17: so it is for the library`(index: Int) async throws {
        let refusal = Self.refusals[index]
        let fixture = try RelayFixture()
        fixture.engine.enqueue(.json(refusal.body, status: refusal.status), Self.good, Self.good)
        let request = ChatRequest(model: "public", messages: [ChatMessage(role: .user, content: [.text("Hi")])])
        #expect(try await fixture.gateway.chat(request).text == "ok")
        #expect(try await fixture.gateway.chat(request).text == "ok")
        #expect(fixture.engine.requests.map { $0.text.contains("stream_options") } == [true, false, false])
    }

    @Test func `D17: what the client asked itself is refused to the client`() async throws {
        let fixture = try RelayFixture()
        fixture.engine.enqueue(.json(Self.refusals[0].body, status: 400))
        let body = #"{"model":"public","messages":[],"stream":true,"stream_options":{"include_usage":true}}"#
        let error = await #expect(throws: GatewayError.self) { try await fixture.relay(body) }
        #expect(error?.status == 400)
        #expect(fixture.engine.requests.count == 1)
    }

    @Test func `D17: a refusal of something else is the client's, and is not held against the question`() async throws {
        let fixture = try RelayFixture()
        fixture.engine.enqueue(.json(#"{"error":{"message":"temperature is too high"}}"#, status: 400))
        fixture.engine.enqueue(.json(#"{"error":"unknown field: foo"}"#, status: 400))
        fixture.engine.enqueue(.json(#"{"error":"unknown field: foo, again"}"#, status: 400))
        fixture.engine.enqueue(Self.good)
        var messages: [String?] = []
        for _ in 0..<2 {
            let error = await #expect(throws: GatewayError.self) { try await fixture.stream() }
            messages.append(error?.message)
        }
        #expect(messages == ["temperature is too high", "unknown field: foo, again"])
        _ = try await fixture.stream()
        let asked = fixture.engine.requests.map { $0.text.contains("stream_options") }
        #expect(asked == [true, true, false, true])
    }

    @Test func `D17, D27: a provider without it is never asked, by the relay and by the library`() async throws {
        let fixture = try RelayFixture(reportsStreamUsage: false)
        fixture.engine.enqueue(Self.good, Self.good, Self.good)
        let request = ChatRequest(model: "public", messages: [ChatMessage(role: .user, content: [.text("Hi")])])
        _ = try await fixture.stream()
        _ = try await fixture.gateway.chat(request)
        for try await _ in fixture.gateway.complete(CompletionRequest(model: "public", prompts: [.text("Hi")])) {}
        #expect(fixture.engine.requests.map { $0.text.contains("stream_options") } == [false, false, false])
    }

    @Test func `D17: the configuration turns it off for a provider and for a deployment`() throws {
        let configuration = try ConfigurationReadingTests.diagnose(
            """
            [providers.old]
            base_url = "http://a:1/v1"
            stream_usage = false
            [[models]]
            name = "m"
            [[models.deployments]]
            provider = "old"
            [[models.deployments]]
            provider = "old"
            stream_usage = true
            [[models.deployments]]
            base_url = "http://b:1/v1"
            [[models.deployments]]
            base_url = "http://c:1/v1"
            stream_usage = false
            """
        ).get()
        let deployments = try Gateway(configuration: configuration).groups[0].deployments.map(\.deployment)
        let asked = deployments.map { ($0.provider as? any RelayingProvider)?.reportsStreamUsage }
        #expect(asked == [false, true, true, false])
    }

    /// Last chunks that carry usage, and what is left of them for a client that did not ask for it.
    static let chunks: [(chunk: String, rest: String?)] = [
        (Chunk.usage, nil),
        (#"{"id":"c","choices": [ ],"usage":{"prompt_tokens":7,"completion_tokens":2},"obfuscation":"xyz"}"#, nil),
        (#"{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2},"service_tier":"default","x":null}"#, nil),
        (
            #"{ "id":"c","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2} , "timings":{"n":1.50}}"#,
            #"{ "id":"c","choices":[] , "timings":{"n":1.50}}"#
        ),
        (
            #"{"usage":{"prompt_tokens":7,"completion_tokens":2},"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
            #"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#
        ),
        (
            #"{"choices":[{"index":0,"delta":{"content":"x"}}],"usage":null}"#,
            #"{"choices":[{"index":0,"delta":{"content":"x"}}],"usage":null}"#
        ),
    ]

    @Test(arguments: chunks.indices, TransportKind.allCases)
    func `D17: a chunk loses its usage and nothing else`(index: Int, kind: TransportKind) async throws {
        let (chunk, rest) = Self.chunks[index]
        let fixture = try RelayFixture(kind)
        let body =
            "id: 7\ndata:\(Chunk.text("a"))\n\ndata: \(Chunk.stop)\n\nid: 8\r\ndata:\(chunk)\r\n\r\ndata: [DONE]\n\n"
        fixture.engine.enqueue(.eventStream(body), .eventStream(body))
        let kept = rest.map { "id: 8\r\ndata:\($0)\r\n\r\n" } ?? ""
        let expected = "id: 7\ndata:\(Chunk.text("a"))\n\ndata: \(Chunk.stop)\n\n\(kept)data: [DONE]\n\n"
        #expect(try await fixture.stream() == expected)
        let asking = #"{"model":"public","messages":[],"stream":true,"stream_options":{"include_usage":true}}"#
        #expect(try await fixture.stream(asking) == body)
        if chunk.contains("prompt_tokens") {
            #expect(fixture.observer.records.allSatisfy { $0.usage?.promptTokens == 7 })
        }
    }
}
