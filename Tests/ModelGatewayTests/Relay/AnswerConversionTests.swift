// Answers of OpenAI's format whose provider sends the other form than the client asked for: JSON for events, or events
// for JSON. Nothing of them may be lost.

import ModelGateway
import ModelGatewayTesting
import Testing

@Suite("Conversion between JSON and events", .timeLimit(.minutes(1)))
struct AnswerConversionTests {
    /// A chat completion with what OpenAI, vLLM, llama.cpp, OpenRouter and Perplexity put into theirs.
    private static let whole =
        #"{"id":"c9","object":"chat.completion","created":1700000001,"model":"up","choices":[{"index":0,"message":"#
        + #"{"role":"assistant","content":"Hi","refusal":"no","reasoning":"Hm","reasoning_content":"Hm","#
        + #""annotations":[{"type":"url_citation","url_citation":{"url":"u"}}],"vendor":{"x":1.0},"#
        + #""tool_calls":[{"id":"t","type":"function","function":{"name":"f","arguments":"{}"},"extra_content":{"s":"g"}}]},"#
        + #""logprobs":{"content":[{"token":"Hi","logprob":-0.5}]},"stop_reason":7,"finish_reason":"tool_calls"}],"#
        + #""system_fingerprint":"fp","service_tier":"default","citations":["a","b"],"timings":{"ms":1.50},"#
        + #""usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7,"cost":0.25}}"#

    @Test func `D21: a JSON answer keeps every field as events`() async throws {
        let fixture = try RelayFixture()
        fixture.engine.enqueue(.json(Self.whole))
        let text = try await fixture.stream(
            #"{"model":"public","messages":[],"stream":true,"stream_options":{"include_usage":true}}"#
        )
        let head =
            #"data: {"id":"c9","object":"chat.completion.chunk","created":1700000001,"model":"up","#
            + #""system_fingerprint":"fp","service_tier":"default","choices":["#
        let expected = [
            head + #"{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#,
            head + #"{"index":0,"delta":{"content":"Hi","refusal":"no","reasoning":"Hm","reasoning_content":"Hm","#
                + #""annotations":[{"type":"url_citation","url_citation":{"url":"u"}}],"vendor":{"x":1.0},"#
                + #""tool_calls":[{"index":0,"id":"t","type":"function","function":{"name":"f","arguments":"{}"},"extra_content":{"s":"g"}}]},"#
                + #""logprobs":{"content":[{"token":"Hi","logprob":-0.5}]},"finish_reason":null}]}"#,
            head + #"{"index":0,"delta":{},"stop_reason":7,"finish_reason":"tool_calls"}],"#
                + #""citations":["a","b"],"timings":{"ms":1.50}}"#,
            head + #"],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7,"cost":0.25}}"#,
            "data: [DONE]", "",
        ]
        #expect(text == expected.joined(separator: "\n\n"))
        #expect(fixture.observer.records.map(\.usage?.totalTokens) == [7])
    }

    @Test func `D21: a stream that was not asked for keeps every field as JSON`() async throws {
        let fixture = try RelayFixture()
        func chunk(_ rest: String) -> String {
            #"{"id":"c9","object":"chat.completion.chunk","created":1700000001,"model":"up","system_fingerprint":"fp","#
                + rest + "}"
        }
        fixture.engine.enqueue(
            .events([
                #"{"id":"","object":"","created":0,"model":"","choices":[],"prompt_filter_results":[{"hate":false}]}"#,
                chunk(#""choices":[{"index":0,"delta":{"role":"assistant","content":""}}]"#),
                chunk(#""choices":[{"index":0,"delta":{"reasoning":"H"}},{"index":1,"delta":{"content":"B"}}]"#),
                chunk(
                    #""choices":[{"index":0,"delta":{"reasoning":"m","reasoning_details":[{"index":0,"text":"x"}]}}]"#
                ),
                chunk(
                    #""choices":[{"index":0,"delta":{"content":"H","reasoning_details":[{"index":0,"text":"y"}]},"logprobs":{"content":[{"token":"H"}]}}]"#
                ),
                chunk(
                    #""choices":[{"index":0,"delta":{"content":"i","annotations":[{"a":1}]},"logprobs":{"content":[{"token":"i"}]}}]"#
                ),
                chunk(
                    #""choices":[{"index":0,"delta":{"annotations":[{"a":2}],"tool_calls":[{"index":0,"id":"t","type":"function","function":{"name":"f","arguments":"{\"a"},"extra_content":{"s":"g"}}]}}]"#
                ),
                chunk(
                    #""choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"","function":{"name":"","arguments":"\":1}"}}]}}]"#
                ),
                chunk(#""service_tier":"default","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]"#),
                chunk(#""choices":[{"index":1,"delta":{},"finish_reason":"length","stop_reason":7}]"#),
                chunk(
                    #""choices":[],"citations":["a"],"timings":{"ms":1.50},"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7,"cost":1}"#
                ), "[DONE]",
            ])
        )
        let response = try await fixture.relay(RelayFixture.plainRequest)
        #expect(response.header("content-type") == "application/json")
        let expected =
            #"{"id":"c9","object":"chat.completion","created":1700000001,"model":"up","choices":["#
            + #"{"index":0,"message":{"role":"assistant","content":"Hi","reasoning":"Hm","#
            + #""reasoning_details":[{"index":0,"text":"xy"}],"annotations":[{"a":1},{"a":2}],"#
            + #""tool_calls":[{"id":"t","type":"function","function":{"name":"f","arguments":"{\"a\":1}"},"extra_content":{"s":"g"}}]},"#
            + #""logprobs":{"content":[{"token":"H"},{"token":"i"}]},"finish_reason":"tool_calls"},"#
            + #"{"index":1,"message":{"role":"assistant","content":"B"},"finish_reason":"length","stop_reason":7}],"#
            + #""prompt_filter_results":[{"hate":false}],"system_fingerprint":"fp","service_tier":"default","#
            + #""citations":["a"],"timings":{"ms":1.50},"#
            + #""usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7,"cost":1}}"#
        #expect(try await response.text() == expected)
        #expect(fixture.observer.records.map(\.usage?.totalTokens) == [7])
    }

    @Test func `D21: an answer survives both conversions`() throws {
        let head = AnswerHead(id: "x", created: 1, model: "y")
        let answer = try JSONValue(parsing: Array(Self.whole.utf8))
        var assembly = OpenAIAnswerAssembly()
        for chunk in try OpenAIAnswerChunks(answer, isChat: true, head: head).chunks { assembly.add(chunk) }
        #expect(assembly.isComplete)
        let back = assembly.answer(isChat: true, head: head)
        #expect(back.sorted == answer.sorted)
    }

    @Test func `D21: raw completions keep their log probabilities both ways`() async throws {
        let fixture = try RelayFixture()
        let logprobs = #"{"tokens":["a"],"token_logprobs":[-1.5],"text_offset":[0]}"#
        let whole =
            #"{"id":"c","object":"text_completion","created":5,"model":"m","choices":[{"index":0,"text":"a","logprobs":\#(logprobs),"finish_reason":"stop"}]}"#
        fixture.engine.enqueue(.json(whole))
        let body = #"{"model":"public","prompt":"x","stream":true}"#
        let text = try await fixture.text(of: fixture.relay(body, mode: .completion))
        #expect(text.contains(#"{"index":0,"text":"a","logprobs":\#(logprobs),"finish_reason":null}"#))
        #expect(text.contains(#""created":5"#))
        fixture.engine.enqueue(.eventStream(text))
        let back = try await fixture.relay(#"{"model":"public","prompt":"x"}"#, mode: .completion).text()
        let answer = try JSONValue(parsing: Array(back.utf8))
        #expect(answer.sorted == (try JSONValue(parsing: Array(whole.utf8)).sorted))
    }

    @Test func `D21: an unasked stream that breaks off goes to the next deployment`() async throws {
        let fixture = try RelayFixture(engines: 2)
        fixture.engines[0].enqueue(.events([Chunk.text("a")]), .json(Self.whole))
        fixture.engines[1].enqueue(.json(Self.whole), .json(Self.whole))
        // In turn: one of the two calls begins at the engine that fails.
        for _ in 0..<2 {
            #expect(try await fixture.relay(RelayFixture.plainRequest).text() == Self.whole)
        }
        #expect(fixture.engines.map(\.requests.count).reduce(0, +) == 3)
    }

    @Test func `D21: the vocabulary carries what it has no place for`() async throws {
        let fixture = try RelayFixture()
        fixture.engine.enqueue(.json(Self.whole))
        let request = ChatRequest(model: "public", messages: [.user("Hi")])
        let answer = try await fixture.gateway.chat(request)
        #expect(answer.created == 1_700_000_001)
        #expect(answer.id == "c9")
        var expected = try JSONValue(parsing: Array(Self.whole.utf8))
        // The one spelling of two that mean the same.
        if case .object(var members) = expected, let place = members.firstIndex(where: { $0.name == "choices" }),
            case .object(var choice)? = members[place].value.array?.first,
            case .object(var message)? = choice.first(where: { $0.name == "message" })?.value
        {
            message.removeAll { $0.name == "reasoning" }
            choice.removeAll { $0.name == "message" }
            choice.append(JSONMember("message", .object(message)))
            members[place].value = [.object(choice)]
            expected = .object(members)
        }
        #expect(answer.openAIChat.sorted == expected.sorted)
    }

    @Test func `D21: events of the vocabulary are written with what it has no place for`() throws {
        let head = AnswerHead(id: "x", created: 1, model: "y")
        let answer = try ChatResponse(openAI: JSONValue(parsing: Array(Self.whole.utf8)))
        var encoder = OpenAIStreamEncoder(kind: .chat, head: head, includeUsage: true)
        var bytes: [UInt8] = []
        for event in answer.events { encoder.encode(event, into: &bytes) }
        encoder.finish(into: &bytes)
        var decoder = OpenAIStreamDecoder()
        var collector = ChatCollector()
        for event in try decoder.feed(bytes) { collector.add(event) }
        #expect(collector.response.openAIChat.sorted == answer.openAIChat.sorted)
        #expect(collector.response.created == 1_700_000_001)
    }
}

extension JSONValue {
    /// The value with the members of every object in the order of their names.
    var sorted: JSONValue {
        switch self {
        case .array(let elements): .array(elements.map(\.sorted))
        case .object(let members):
            .object(members.map { JSONMember($0.name, $0.value.sorted) }.sorted { $0.name < $1.name })
        default: self
        }
    }
}
