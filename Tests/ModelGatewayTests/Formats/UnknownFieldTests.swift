// Fields that the vocabulary has no place for, and spellings that differ between servers.

import ModelGateway
import ModelGatewayTesting
import Testing

@Suite("Unknown fields and spellings")
struct UnknownFieldTests {
    private func roundTrip(_ text: String) throws -> String {
        let request = try OpenAIChatRequest(decoding: JSONValue(parsing: Array(text.utf8)))
        return String(decoding: request.encoded(model: "m").serialized(), as: UTF8.self)
    }

    @Test(arguments: [
        // A message, a part with a mark for the cache, a kind of part that is not known, an image with more fields.
        #"{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral"}},{"type":"input_audio","input_audio":{"data":"AA=="}},{"type":"image_url","image_url":{"url":"u","x":1}}],"prefix":true}]}"#,
        // A tool call, beside its function and in it.
        #"{"model":"m","messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"t","type":"function","function":{"name":"f","arguments":"{}","x":1},"extra_content":{"google":{"thought_signature":"s"}}}],"audio":{"id":"a"},"refusal":"no"}]}"#,
        // A tool, beside its function and in it.
        #"{"model":"m","messages":[{"role":"user","content":"a"}],"tools":[{"type":"function","function":{"name":"f","x":[1.0]},"cache_control":{"type":"ephemeral"}}]}"#,
        #"{"model":"m","messages":[{"role":"user","content":"a"}],"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto"}}}"#,
        #"{"model":"m","messages":[{"role":"user","content":"a"}],"tool_choice":{"type":"function","function":{"name":"f"},"x":1}}"#,
        #"{"model":"m","messages":[{"role":"user","content":"a"}],"response_format":{"type":"json_schema","json_schema":{"name":"s","schema":{},"strict":true,"description":"d"}}}"#,
        #"{"model":"m","messages":[{"role":"user","content":"a"}],"reasoning_effort":"low","vendor":{"x":1}}"#,
    ])
    func `D27: unknown fields of a request go out again`(_ text: String) throws {
        #expect(try roundTrip(text) == text)
    }

    @Test func `D27: a text part with further fields is still text`() throws {
        let parts = #"[{"type":"text","text":"a","x":1},{"type":"text","text":"b"}]"#
        let text = #"{"model":"m","messages":[{"role":"user","content":\#(parts)}]}"#
        let request = try OpenAIChatRequest(decoding: JSONValue(parsing: Array(text.utf8))).request
        #expect(request.messages[0].text == "ab")
    }

    @Test func `D27: fields of raw completions go out again, logprobs among them`() throws {
        let text = #"{"model":"m","prompt":"a","max_tokens":5,"logprobs":1,"suffix":"z","best_of":2,"user":"u","x":{}}"#
        let request = try OpenAICompletionRequest(decoding: JSONValue(parsing: Array(text.utf8)))
        #expect(String(decoding: request.encoded(model: "m").serialized(), as: UTF8.self) == text)
    }

    @Test func `D27: fields of embeddings go out again`() throws {
        let text = #"{"model":"m","input":"a","encoding_format":"float","input_type":"query"}"#
        let request = try OpenAIEmbeddingRequest(decoding: JSONValue(parsing: Array(text.utf8))).request
        #expect(String(decoding: request.openAI(model: "m").serialized(), as: UTF8.self) == text)
    }

    @Test func `D27: content of an answer as a list of parts is read`() throws {
        let parts = #"[{"type":"thinking","thinking":[{"type":"text","text":"Hm"}]},{"type":"text","text":"Hi"}]"#
        let message = #"{"role":"assistant","content":\#(parts)}"#
        let whole = #"{"choices":[{"index":0,"message":\#(message),"finish_reason":"stop"}]}"#
        let answer = try ChatResponse(openAI: JSONValue(parsing: Array(whole.utf8)))
        #expect(answer.text == "Hi")
        #expect(answer.message.reasoning == "Hm")
        var decoder = OpenAIStreamDecoder()
        let events = try decoder.feed(Array("data: {\"choices\":[{\"delta\":{\"content\":\(parts)}}]}\n\n".utf8))
        #expect(events.contains(.text("Hi", choice: 0)) && events.contains(.reasoning("Hm", choice: 0)))
    }

    @Test func `D27: of a repeated member the last one counts, in the tree as in the bytes`() throws {
        let bytes = Array(#"{"model":"a","stream":false,"model":"b","stream":true}"#.utf8)
        let json = try JSONValue(parsing: bytes)
        #expect(json["model"] == "b" && json["stream"] == true)
        // A request with such a member is not taken at all.
        let refusal = #expect(throws: GatewayError.self) { try OpenAIRequestFacts(bytes) }
        #expect(refusal?.code == .invalidRequest)
        var assembly = OpenAIAnswerAssembly()
        assembly.add(try JSONValue(parsing: Array(#"{"choices":[{"delta":{"content":"a","content":"b"}}]}"#.utf8)))
        let answer = assembly.answer(isChat: true, head: AnswerHead(id: "", created: 0, model: ""))
        #expect(answer["choices"]?.array?.first?["message"]?["content"] == "b")
    }

    @Test(arguments: [
        ("gpt-4o", "api.openai.com", "max_completion_tokens"), ("o3-mini", "x", "max_completion_tokens"),
        ("openai/gpt-5.1", "openrouter.ai", "max_completion_tokens"), ("o1", "a:8000", "max_completion_tokens"),
        ("qwen3-8b", "127.0.0.1:8000", "max_tokens"), ("o1000", "x", "max_tokens"), ("olmo", "x", "max_tokens"),
        ("gpt-4o", "api.openai.com:443", "max_completion_tokens"), ("gpt-50", "x", "max_tokens"),
    ])
    func `D27: the longest answer is spelled as the server wants it`(model: String, host: String, field: String) {
        #expect(TokenLimitField(model: model, at: host).rawValue == field)
    }

    @Test func `D27: the library sends the spelling, and a client of the byte path keeps its own`() async throws {
        let fixture = try RelayFixture(upstreamModel: "o3")
        fixture.engine.enqueue(FailoverTests.answer, FailoverTests.answer)
        let sampling = Sampling(maxTokens: 9)
        _ = try await fixture.gateway.chat(
            ChatRequest(model: "public", messages: [.user("Hi")], sampling: sampling)
        )
        _ = try await fixture.relay(#"{"model":"public","messages":[],"max_tokens":9}"#)
        #expect(fixture.engine.requests[0].text.contains(#""max_completion_tokens":9"#))
        #expect(fixture.engine.requests[1].text == #"{"model":"o3","messages":[],"max_tokens":9}"#)
    }

    @Test func `D27: a group names its deployments' model`() throws {
        let provider = try OpenAICompatibleProvider(baseURL: "http://127.0.0.1:1", transport: CurlTransport())
        let deployment = Deployment(id: "d", provider: provider, upstreamModel: "up")
        let fleet = Fleet([DeploymentGroup(model: "public", deployments: [deployment])])
        #expect(try fleet.group("public").status(of: "d")?.deployment.model == "public")
    }
}
