// Streams that pass through: which bytes reach the client, and how a stream may end.

import ModelGateway
import ModelGatewayTesting
import Testing

@Suite("Streams that pass through", .timeLimit(.minutes(1)))
struct PassThroughStreamTests {
    @Test(arguments: TransportKind.allCases)
    func `The client gets the events byte for byte`(kind: TransportKind) async throws {
        let fixture = try RelayFixture(kind)
        fixture.engine.enqueue(.events([Chunk.role, Chunk.text("Hel"), Chunk.text("lo"), Chunk.stop, Chunk.done]))
        let response = try await fixture.relay(RelayFixture.streamRequest, caller: .admin)
        #expect(response.status == 200)
        #expect(response.header("content-type") == "text/event-stream")
        #expect(response.header("cache-control") == "no-store")
        #expect(response.header("x-accel-buffering") == "no")
        #expect(response.header("x-gateway-deployment") == "engine-0")
        #expect(response.header("x-gateway-attempts") == "1")
        let expected = Chunk.stream(Chunk.role, Chunk.text("Hel"), Chunk.text("lo"), Chunk.stop, Chunk.done)
        #expect(try await fixture.text(of: response) == expected)
    }

    @Test(arguments: [RelayFixture.streamRequest, RelayFixture.plainRequest])
    func `A3: an answer names its deployment to admins only`(request: String) async throws {
        for (caller, expected) in [(Caller.client, nil), (.admin, "engine-0")] {
            let fixture = try RelayFixture(.eventLoop)
            fixture.engine.enqueue(.events([Chunk.role, Chunk.text("Hi"), Chunk.stop, Chunk.done]))
            let response = try await fixture.relay(request, caller: caller)
            #expect(response.header("x-gateway-deployment") == expected)
            #expect(response.header("x-gateway-attempts") == "1")
        }
    }

    @Test(arguments: 1...40, TransportKind.allCases)
    func `Every partition of the bytes gives the same stream`(size: Int, kind: TransportKind) async throws {
        let fixture = try RelayFixture(kind)
        let chunks = [Chunk.role, Chunk.text("né€𝄞"), Chunk.stop, Chunk.done]
        fixture.engine.enqueue(.events(chunks).inPieces(of: size))
        let text = try await fixture.stream()
        #expect(text == chunks.map { "data: \($0)\n\n" }.joined())
    }

    @Test(
        arguments: ["\n", "\r\n", "\r"],
        TransportKind.allCases
    )
    func `Line ends, comments, a byte order mark and further fields are legal`(lineEnd: String, kind: TransportKind)
        async throws
    {
        let fixture = try RelayFixture(kind)
        let body =
            "\u{FEFF}: hello\(lineEnd)\(lineEnd)id: 1\(lineEnd)retry: 5\(lineEnd)data:\(Chunk.text("a"))\(lineEnd)\(lineEnd)"
            + "data: \(Chunk.stop)\(lineEnd)\(lineEnd)data: [DONE]\(lineEnd)\(lineEnd)"
        fixture.engine.enqueue(.eventStream(body))
        let text = try await fixture.stream()
        #expect(text.contains(Chunk.text("a")))
        #expect(text.contains(Chunk.stop))
        #expect(text.contains("[DONE]"))
        #expect(fixture.observer.records.map(\.error) == [nil])
    }

    @Test(arguments: TransportKind.allCases)
    func `Invalid UTF-8 in the middle does not end the stream`(kind: TransportKind) async throws {
        let fixture = try RelayFixture(kind)
        var bytes = Array("data: \(Chunk.text("a"))\n\ndata: ".utf8)
        bytes += [0xFF, 0xFE] + Array("\n\ndata: \(Chunk.text("b"))\n\ndata: \(Chunk.stop)\n\ndata: [DONE]\n\n".utf8)
        fixture.engine.enqueue(.eventStream(bytes))
        let text = try await fixture.stream()
        #expect(text.contains(Chunk.text("b")))
        #expect(text.hasSuffix("data: [DONE]\n\n"))
    }

    @Test(
        arguments: TransportKind.allCases
    )
    func `A stream without an end mark but with a finish reason is whole, and gets the mark`(kind: TransportKind)
        async throws
    {
        let fixture = try RelayFixture(kind)
        fixture.engine.enqueue(.events([Chunk.text("a"), Chunk.stop]))
        #expect(try await fixture.stream() == Chunk.stream(Chunk.text("a"), Chunk.stop, Chunk.done))
        #expect(fixture.observer.records.map(\.error) == [nil])
    }

    @Test(
        arguments: TransportKind.allCases
    )
    func `A stream that ends without a finish reason ends with an error event and no end mark`(kind: TransportKind)
        async throws
    {
        let fixture = try RelayFixture(kind)
        fixture.engine.enqueue(.events([Chunk.text("a")]))
        let text = try await fixture.stream()
        #expect(text.hasPrefix(Chunk.stream(Chunk.text("a"))))
        #expect(text.contains(#""code":"truncated_response""#))
        #expect(!text.contains("[DONE]"))
        #expect(fixture.observer.records.map(\.error) == [.truncatedResponse])
    }

    @Test(
        arguments: [Script.Ending.close, .reset],
        TransportKind.allCases
    )
    func `A stream whose connection breaks ends with an error event`(ending: Script.Ending, kind: TransportKind)
        async throws
    {
        let fixture = try RelayFixture(kind)
        let script = Script.events([Chunk.text("a"), Chunk.text("b"), Chunk.stop, Chunk.done], pace: .milliseconds(20))
        fixture.engine.enqueue(script.cut(after: script.byteCount - 150, by: ending))
        let text = try await fixture.stream()
        #expect(text.hasPrefix(Chunk.stream(Chunk.text("a"))))
        #expect(text.contains(#""error""#))
        #expect(!text.contains("[DONE]"))
        #expect(fixture.observer.records.count == 1)
        #expect(fixture.observer.records.first?.error != nil)
    }

    @Test(arguments: TransportKind.allCases)
    func `Data behind the end mark is dropped`(kind: TransportKind) async throws {
        let fixture = try RelayFixture(kind)
        fixture.engine.enqueue(.events([Chunk.text("a"), Chunk.stop, Chunk.done, Chunk.text("late")]))
        #expect(try await fixture.stream() == Chunk.stream(Chunk.text("a"), Chunk.stop, Chunk.done))
    }

    @Test(arguments: TransportKind.allCases)
    func `An event that is not JSON is forwarded and the stream goes on`(kind: TransportKind) async throws {
        let fixture = try RelayFixture(kind)
        fixture.engine.enqueue(.events([Chunk.text("a"), "{oops", Chunk.stop, Chunk.done]))
        #expect(try await fixture.stream() == Chunk.stream(Chunk.text("a"), "{oops", Chunk.stop, Chunk.done))
    }

    @Test(arguments: TransportKind.allCases)
    func `An event beyond 8 MiB ends the stream with an error event`(kind: TransportKind) async throws {
        let fixture = try RelayFixture(kind)
        let huge = Chunk.text(String(repeating: "x", count: 9 << 20))
        fixture.engine.enqueue(.events([Chunk.text("a"), huge, Chunk.done]))
        let text = try await fixture.stream()
        #expect(text.utf8.count < 10_000)
        #expect(text.contains(#""code":"malformed_response""#))
    }

    @Test(arguments: TransportKind.allCases)
    func `An error event after content becomes an error event of the gateway`(kind: TransportKind) async throws {
        let fixture = try RelayFixture(kind)
        let error = #"{"error":{"message":"at 10.0.0.7:8000 boom","type":"server_error","code":500}}"#
        fixture.engine.enqueue(.events([Chunk.text("a"), error]))
        let text = try await fixture.stream()
        #expect(text.contains(#""code":"upstream_failed""#))
        #expect(!text.contains("10.0.0.7"))
        #expect(!text.contains("[DONE]"))
    }

    @Test(
        arguments: TransportKind.allCases
    )
    func `An error event before content is an error of the call, with its own status`(kind: TransportKind) async throws
    {
        let fixture = try RelayFixture(kind)
        let error = #"{"error":{"message":"no","type":"invalid_request_error","code":"context_length_exceeded"}}"#
        fixture.engine.enqueue(.events([Chunk.role, error]))
        let failure = await #expect(throws: GatewayError.self) { try await fixture.stream() }
        #expect(failure?.code == .contextLengthExceeded)
        #expect(fixture.observer.records.map(\.error) == [.contextLengthExceeded])
    }

    @Test(arguments: TransportKind.allCases)
    func `A whole answer instead of a stream becomes a stream`(kind: TransportKind) async throws {
        let fixture = try RelayFixture(kind)
        fixture.engine.enqueue(
            .json(
                #"{"id":"c9","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}]}"#
            )
        )
        let text = try await fixture.stream()
        #expect(text.contains(#""delta":{"content":"Hello"}"#))
        #expect(text.contains(#""finish_reason":"stop""#))
        #expect(text.hasSuffix("data: [DONE]\n\n"))
    }

    @Test(arguments: TransportKind.allCases)
    func `A stream instead of a whole answer is collected`(kind: TransportKind) async throws {
        let fixture = try RelayFixture(kind)
        fixture.engine.enqueue(.events([Chunk.role, Chunk.text("Hel"), Chunk.text("lo"), Chunk.stop, Chunk.done]))
        let text = try await fixture.stream(RelayFixture.plainRequest)
        #expect(text.contains(#""content":"Hello""#))
        #expect(text.contains(#""object":"chat.completion""#))
    }

    @Test(arguments: TransportKind.allCases)
    func `The usage is asked for, and taken out unless the client wanted it`(kind: TransportKind) async throws {
        let fixture = try RelayFixture(kind)
        let chunks = [Chunk.text("a"), Chunk.stop, Chunk.usage, Chunk.done]
        fixture.engine.enqueue(.events(chunks), .events(chunks))
        #expect(try await fixture.stream() == Chunk.stream(Chunk.text("a"), Chunk.stop, Chunk.done))
        let wanting = #"{"model":"public","messages":[],"stream":true,"stream_options":{"include_usage":true}}"#
        #expect(try await fixture.stream(wanting).contains(Chunk.usage))
        #expect(fixture.engine.requests[0].text.contains(#""stream_options":{"include_usage":true}"#))
        #expect(
            fixture.observer.records.map(\.usage)
                == Array(repeating: Usage(promptTokens: 7, completionTokens: 2), count: 2)
        )
    }
}

extension Script {
    /// An event stream with these bytes as its body.
    static func eventStream(_ body: [UInt8]) -> Script {
        .response(headers: [HTTPHeader("Content-Type", "text/event-stream")], parts: [body], framing: .chunked)
    }

    static func eventStream(_ body: String) -> Script { eventStream(Array(body.utf8)) }
}
