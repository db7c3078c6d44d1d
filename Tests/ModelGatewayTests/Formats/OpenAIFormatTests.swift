// OpenAI's format in both directions: what a request means, and how an answer is written.

import GatewayWire
import ModelGateway
import Testing

@Suite("OpenAI format")
struct OpenAIFormatTests {
    private func decode(_ text: String) throws -> OpenAIChatRequest {
        try OpenAIChatRequest(decoding: JSONValue(parsing: Array(text.utf8)))
    }

    @Test func `A full request is read and written without loss`() throws {
        let text =
            #"{"model":"m","messages":[{"role":"system","content":"Be brief."},"#
            + #"{"role":"user","content":[{"type":"text","text":"What is it?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA==","detail":"low"}}]},"#
            + #"{"role":"assistant","content":null,"tool_calls":[{"id":"t1","type":"function","function":{"name":"look","arguments":"{\"a\":1}"}}]},"#
            + #"{"role":"tool","content":"A cat.","tool_call_id":"t1"}],"#
            + #""tools":[{"type":"function","function":{"name":"look","description":"Looks.","parameters":{"type":"object","z":1.0,"a":[]},"strict":true}}],"#
            + #""tool_choice":{"type":"function","function":{"name":"look"}},"parallel_tool_calls":false,"temperature":0.5,"top_p":0.9,"top_k":40,"min_p":0.1,"#
            + #""frequency_penalty":0.25,"presence_penalty":-1,"repetition_penalty":1.5,"seed":7,"logit_bias":{"5":-100},"stop":["a","b"],"max_tokens":10,"n":2,"#
            + #""response_format":{"type":"json_schema","json_schema":{"name":"s","schema":{"type":"object"},"strict":true}},"user":"u","vendor":{"x":1e3}}"#
        let request = try decode(text)
        #expect(request.delivery.isStreamed == false)
        #expect(String(decoding: request.encoded(model: "m").serialized(), as: UTF8.self) == text)
    }

    @Test(
        arguments: [
            (#"{"messages":[]}"#, "model"),
            (#"{"model":"m"}"#, "messages"),
            (#"{"model":"m","messages":[]}"#, "messages"),
            (#"{"model":"m","messages":{}}"#, "messages"),
            (#"{"model":"m","messages":[7]}"#, "messages[0]"),
            (#"{"model":"m","messages":[{"content":"x"}]}"#, "messages[0].role"),
            (#"{"model":"m","messages":[{"role":"robot","content":"x"}]}"#, "messages[0].role"),
            (#"{"model":"m","messages":[{"role":"user"}]}"#, "messages[0].content"),
            (#"{"model":"m","messages":[{"role":"user","content":[{"type":"text"}]}]}"#, "messages[0].content[0].text"),
            (#"{"model":"m","messages":[{"role":"tool","content":"x"}]}"#, "messages[0].tool_call_id"),
            (#"{"model":"m","messages":[{"role":"user","content":"x"}],"temperature":3}"#, "temperature"),
            (#"{"model":"m","messages":[{"role":"user","content":"x"}],"temperature":"hot"}"#, "temperature"),
            (#"{"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":0}"#, "max_tokens"),
            (#"{"model":"m","messages":[{"role":"user","content":"x"}],"stream":"yes"}"#, "stream"),
            (#"{"model":"m","messages":[{"role":"user","content":"x"}],"stop":[1]}"#, "stop[0]"),
            (#"{"model":"m","messages":[{"role":"user","content":"x"}],"logit_bias":{"a":1}}"#, "logit_bias"),
            (#"{"model":"m","messages":[{"role":"user","content":"x"}],"tools":[{"type":"web"}]}"#, "tools[0].type"),
        ]
    )
    func `Every mistake names its field`(body: String, param: String) throws {
        let error = #expect(throws: GatewayError.self) { try decode(body) }
        #expect(error?.param == param)
        #expect(error?.status == 400)
    }

    @Test func `Events written as a stream are read back as the same events`() throws {
        let events: [ChatEvent] = [
            .started(id: "c1", model: "m", created: 1), .reasoning("Hm", choice: 0),
            .text("né\u{1F600}\n\"", choice: 0),
            .toolCall(ToolCallDelta(index: 0, id: "t1", name: "f", arguments: ""), choice: 0),
            .toolCall(ToolCallDelta(index: 0, arguments: "{}"), choice: 0), .finished(.toolCalls, choice: 0),
            .usage(Usage(promptTokens: 3, completionTokens: 4, cachedPromptTokens: 2, reasoningTokens: 1)),
        ]
        let head = AnswerHead(id: "x", created: 1, model: "y")
        var encoder = OpenAIStreamEncoder(kind: .chat, head: head, includeUsage: true)
        var bytes: [UInt8] = []
        for event in events { encoder.encode(event, into: &bytes) }
        encoder.finish(into: &bytes)
        for size in 1...64 {
            var decoder = OpenAIStreamDecoder()
            var decoded: [ChatEvent] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                decoded += try decoder.feed(Array(bytes[start..<min(start + size, bytes.count)]))
            }
            #expect(decoded == events)
            #expect(decoder.isDone && decoder.isComplete)
        }
    }

    @Test func `The spellings of lenient engines are understood`() throws {
        var decoder = OpenAIStreamDecoder()
        let chunks = [
            #"{"choices":[{"index":0,"delta":null}]}"#,
            #"{"choices":[{"index":0,"delta":{"content":null,"reasoning":"r"}}]}"#,
            #"{"choices":[{"index":0,"delta":{"tool_calls":[{"function":{"name":"f","arguments":{"b":1,"a":2}}}]}}]}"#,
            #"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#,
            #"{"choices":[{"index":0,"delta":{},"finish_reason":"length"}]}"#,
        ]
        let bytes = chunks.flatMap { Array("data: \($0)\n\n".utf8) }
        let events = try decoder.feed(bytes)
        #expect(
            events == [
                .started(id: "", model: ""), .reasoning("r", choice: 0),
                .toolCall(ToolCallDelta(index: 0, name: "f", arguments: #"{"b":1,"a":2}"#), choice: 0),
                .finished(.toolCalls, choice: 0), .usage(Usage(promptTokens: 1, completionTokens: 2)),
            ]
        )
    }

    @Test func `Embeddings are written as numbers and as base 64, and both are read`() throws {
        let response = EmbeddingResponse(
            model: "m",
            embeddings: [[0.1, -2, 3.5e-8], [1, 0, .greatestFiniteMagnitude]],
            usage: Usage(promptTokens: 5, completionTokens: 0)
        )
        for encoding in [Delivery.VectorEncoding.float, .base64] {
            let json = try JSONValue(parsing: response.openAI(encoding: encoding))
            #expect(try EmbeddingResponse(openAI: json) == response)
        }
    }

    @Test func `The routing text follows the chat template's order`() throws {
        let body = Array(
            #"{"messages":[{"content":"Hi \u00e9","role":"user"},{"role":"assistant","content":[{"type":"text","text":"Yes"}]}],"model":"m","tools":[{"x":1}]}"#
                .utf8
        )
        let facts = try OpenAIRequestFacts(body)
        let text = String(decoding: facts.routingText(in: body), as: UTF8.self)
        #expect(text == "[{\"x\":1}]\nuser\nHi é\nassistant\nYes")
        #expect(facts.routingText(in: body, limit: 12).count == 12)
    }

    @Test(
        arguments: [
            (#"{"model":"m","user":"u","prompt_cache_key":"k"}"#, "k"),
            (#"{"model":"m","user":"u","metadata":{"session_id":"s"}}"#, "s"),
            (#"{"model":"m","user":"u","safety_identifier":"i"}"#, "i"),
            (#"{"model":"m","user":"u","prompt_cache_key":""}"#, "u"),
        ]
    )
    func `The session key comes from the first field that has one`(body: String, key: String) throws {
        let bytes = Array(body.utf8)
        #expect(try OpenAIRequestFacts(bytes).sessionKey(in: bytes) == key)
    }
}
