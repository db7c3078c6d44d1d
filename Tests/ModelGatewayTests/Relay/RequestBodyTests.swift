// What a provider gets of a client's request: the same bytes but for the few that must change.

import ModelGateway
import ModelGatewayTesting
import Testing

@Suite("Request bodies that pass through", .timeLimit(.minutes(1)))
struct RequestBodyTests {
    @Test(
        arguments: [
            #"{"model":"public","messages":[],"unknown":{"b":1,"a":[1.0,1e2,"é\u00e9"]},"n":1}"#,
            #" { "messages" : [] , "model" : "public" , "big": 12345678901234567890, "e": 1E+2 } "#,
            #"{"temperature":1.0,"model":"pub\u006cic"}"#,
        ]
    )
    func `Only the model's name changes`(body: String) async throws {
        let fixture = try RelayFixture()
        fixture.engine.enqueue(FailoverTests.answer)
        _ = try await fixture.relay(body)
        let expected = body.replacing("\"public\"", with: "\"upstream-model\"")
            .replacing("\"pub\\u006cic\"", with: "\"upstream-model\"")
        #expect(fixture.engine.requests[0].text == expected)
    }

    @Test(
        arguments: [
            #"{"model":"secret-model","model":"public"}"#,
            #"{"model":"public","mod\u0065l":"secret-model"}"#,
            #"{"m\u006fdel":"secret-model","model":"public"}"#,
            #"{"model":"public","Model":"secret-model"}"#,
            #"{"model":"public","stream":false,"stream":true}"#,
            #"{"model":"public","stream":false,"\u0073tream":true}"#,
            #"{"model":"public","STREAM":true}"#,
            #"{"model":"public","messages":[],"messages":[{"role":"user","content":"Hi"}]}"#,
            #"{"model":"public","stream":true,"stream_options":{},"stream_options":null}"#,
            #"{"model":"public","stream":true,"stream_options":{"include_usage":true,"include_usage":false}}"#,
        ]
    )
    func `D22: a body that two readers would understand in two ways is refused`(body: String) async throws {
        for upstreamModel in ["upstream-model", "public"] {
            let fixture = try RelayFixture(upstreamModel: upstreamModel)
            let error = await #expect(throws: GatewayError.self) { try await fixture.relay(body) }
            #expect(error?.code == .invalidRequest)
            #expect(error?.param != nil)
            #expect(fixture.engine.requests.isEmpty)
        }
    }

    @Test func `D22: an escaped key is the key that it spells`() async throws {
        let fixture = try RelayFixture()
        fixture.engine.enqueue(FailoverTests.answer)
        _ = try await fixture.relay(#"{"mod\u0065l":"public","messages":[],"temperature":1,"temperature":2}"#)
        let expected = #"{"mod\u0065l":"upstream-model","messages":[],"temperature":1,"temperature":2}"#
        #expect(fixture.engine.requests[0].text == expected)
    }

    @Test(
        arguments: [
            (
                #"{"stream":true,"model":"public"}"#,
                #"{"stream_options":{"include_usage":true},"stream":true,"model":"public"}"#
            ),
            (
                #"{"stream":true,"stream_options":{},"model":"public"}"#,
                #"{"stream":true,"stream_options":{"include_usage":true},"model":"public"}"#
            ),
            (
                #"{"stream":true,"stream_options":{"x":1},"model":"public"}"#,
                #"{"stream":true,"stream_options":{"include_usage":true,"x":1},"model":"public"}"#
            ),
            (
                #"{"stream":true,"stream_options":{"include_usage":false},"model":"public"}"#,
                #"{"stream":true,"stream_options":{"include_usage":true},"model":"public"}"#
            ),
            (
                #"{"stream":true,"stream_options":null,"model":"public"}"#,
                #"{"stream":true,"stream_options":{"include_usage":true},"model":"public"}"#
            ),
        ]
    )
    func `Stream options are added without harm to the others`(body: String, expected: String) async throws {
        let fixture = try RelayFixture(upstreamModel: "public")
        fixture.engine.enqueue(.events([Chunk.text("a"), Chunk.stop, Chunk.done]))
        _ = try await fixture.stream(body)
        #expect(fixture.engine.requests[0].text == expected)
    }

    @Test
    func `The provider gets its own key and the id of the call, and none of the client's credentials`() async throws {
        let fixture = try RelayFixture()
        fixture.engine.enqueue(FailoverTests.answer)
        let request = WireRequest(
            .openAIChat,
            body: Array(RelayFixture.plainRequest.utf8),
            headers: [
                HTTPHeader("authorization", "Bearer client-key"), HTTPHeader("openai-beta", "x=1"),
                HTTPHeader("cookie", "a=b"),
            ],
            requestID: "req-42"
        )
        _ = try await fixture.gateway.relay(request)
        let sent = fixture.engine.requests[0]
        #expect(sent.header("authorization") == "Bearer upstream-key")
        #expect(sent.header("x-request-id") == "req-42")
        #expect(sent.header("openai-beta") == "x=1")
        #expect(sent.header("cookie") == nil)
        #expect(sent.path == "/v1/chat/completions")
    }

    @Test(
        arguments: [
            "", "{", "[]", "nope", #"{"messages":[]}"#, #"{"model":7}"#, #"{"model":""}"#, "{\"model\":\"\u{01}\"}",
        ]
    )
    func `A body that cannot be routed is refused before anything is sent`(body: String) async throws {
        let fixture = try RelayFixture()
        let error = await #expect(throws: GatewayError.self) { try await fixture.relay(body) }
        #expect(error?.code == .invalidRequest)
        #expect(fixture.engine.requests.isEmpty)
    }

    @Test func `An unknown model is named`() async throws {
        let fixture = try RelayFixture()
        let error = await #expect(throws: GatewayError.self) { try await fixture.relay(#"{"model":"nope"}"#) }
        #expect(error?.code == .modelNotFound)
        #expect(error?.param == "model")
        #expect(error?.message.contains("nope") == true)
    }
}
