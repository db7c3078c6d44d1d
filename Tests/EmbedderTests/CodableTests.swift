// Requests, answers and JSON values through Foundation's coders: what comes back, what the JSON looks like, what is wrong.

import Foundation
import ModelGateway
import Testing

@Suite("Codable") struct CodableTests {
    private func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    private func read<Value: Decodable>(_ text: String, as type: Value.Type = Value.self) throws -> Value {
        try JSONDecoder().decode(Value.self, from: Data(text.utf8))
    }

    /// Expects that a value survives, and that its JSON is this.
    private func check<Value: Codable & Equatable>(_ value: Value, _ text: String) throws {
        #expect(try json(value) == text)
        #expect(try read(text) == value)
    }

    private func mistake<Value: Decodable>(_ text: String, as type: Value.Type) throws -> (path: String, what: String) {
        let error = try #require(#expect(throws: DecodingError.self) { try read(text, as: Value.self) })
        func name(_ path: [any CodingKey]) -> String {
            path.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
        }
        switch error {
        case .keyNotFound(let key, let context): return (name(context.codingPath + [key]), "missing")
        case .typeMismatch(_, let context): return (name(context.codingPath), "type")
        case .valueNotFound(_, let context): return (name(context.codingPath), "null")
        case .dataCorrupted(let context): return (name(context.codingPath), context.debugDescription)
        @unknown default: return ("", "\(error)")
        }
    }

    // MARK: JSON values

    @Test func `a JSON value is what it says, and its objects are in the order of their names`() throws {
        let value: JSONValue = [
            "a": [nil, true, "text", [], [:]], "b": ["deep": ["er": 1]], "z": -2.5, "ü": "ß\u{1F600}",
        ]
        try check(value, #"{"a":[null,true,"text",[],{}],"b":{"deep":{"er":1}},"z":-2.5,"ü":"ß😀"}"#)
        for scalar: JSONValue in [nil, false, 7, "x"] {
            #expect(try read(try json(scalar)) == scalar)
        }
        #expect(try read(#"{"z":1,"a":2}"#, as: JSONValue.self).object?.map(\.name) == ["a", "z"])
    }

    @Test(arguments: [
        "0", "-1", "9223372036854775807", "-9223372036854775808", "18446744073709551615",
        "170141183460469231731687303715884105727", "0.1", "-2.5", "1e+300",
    ])
    func `numbers stay exact`(text: String) throws {
        let number = try #require(try JSONValue(parsing: Array(text.utf8)).double)
        #expect(try read(text, as: JSONValue.self).double == number)
        let again = try json(read(text, as: JSONValue.self))
        if !text.contains(where: { ".e".contains($0) }) { #expect(again == text) }
        #expect(try JSONValue(parsing: Array(again.utf8)).double == number)
    }

    @Test func `a number that no Double can hold is an error that names its place`() throws {
        let value = JSONValue.object([JSONMember("n", .array([try JSONValue(parsing: Array("1e999".utf8))]))])
        let error = #expect(throws: EncodingError.self) { try json(value) }
        guard case .invalidValue(_, let context) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(context.codingPath.map(\.stringValue).first == "n")
    }

    @Test func `of members of one name the last one counts`() throws {
        #expect(
            try json(JSONValue.object([JSONMember("a", 1), JSONMember("b", 2), JSONMember("a", 3)]))
                == #"{"a":3,"b":2}"#
        )
    }

    // MARK: Requests

    @Test func `a small request is small`() throws {
        try check(
            ChatRequest(model: "m", messages: [.user("Hi")]),
            #"{"messages":[{"content":[{"text":"Hi"}],"role":"user"}],"model":"m"}"#
        )
        try check(
            CompletionRequest(model: "m", prompts: [.text("a"), .tokens([1, 2])]),
            #"{"model":"m","prompts":["a",[1,2]]}"#
        )
        try check(
            EmbeddingRequest(model: "m", input: [.text("a"), .tokens([1, 2])]),
            #"{"input":["a",[1,2]],"model":"m"}"#
        )
    }

    @Test func `everything that a request can say comes back`() throws {
        let request = ChatRequest(
            model: "m",
            messages: [
                .system("Be brief."),
                ChatMessage(
                    role: .user,
                    content: [
                        .text("What is this?"), .image(url: "data:image/png;base64,AA==", detail: "low"),
                        .image(url: "https://example.com/a.png", detail: nil),
                        .other(["input_audio": ["data": "AA=="], "type": "input_audio"]),
                    ],
                    name: "eve",
                    extra: [JSONMember("cache", true)]
                ),
                ChatMessage(
                    role: .assistant,
                    content: [],
                    toolCalls: [ToolCall(id: "1", name: "f", arguments: "{", extra: [JSONMember("signature", "s")])],
                    reasoning: "Hm."
                ),
                .tool("42", callID: "1"),
            ],
            tools: [
                Tool(
                    name: "f",
                    description: "Does it.",
                    parameters: ["type": "object"],
                    strict: true,
                    extra: [JSONMember("cache_control", ["type": "ephemeral"])]
                )
            ],
            toolChoice: .function("f"),
            parallelToolCalls: false,
            sampling: Sampling(
                temperature: 0.2,
                topP: 0.9,
                topK: 40,
                minP: 0.05,
                frequencyPenalty: 1,
                presencePenalty: -1,
                repetitionPenalty: 1.1,
                seed: 7,
                logitBias: [50256: -100],
                stop: ["\n"],
                maxTokens: 9,
                choices: 2
            ),
            responseFormat: .jsonSchema(
                name: "s",
                schema: ["type": "object"],
                strict: nil,
                extra: [JSONMember("a", 1)]
            ),
            user: "u",
            extra: [JSONMember("service_tier", "flex")]
        )
        #expect(try read(try json(request)) == request)
        let completion = CompletionRequest(
            model: "m",
            prompts: [.text("a")],
            sampling: request.sampling,
            echo: true,
            extra: [JSONMember("suffix", "b")]
        )
        #expect(try read(try json(completion)) == completion)
        let embedding = EmbeddingRequest(
            model: "m",
            input: [.text("a")],
            dimensions: 3,
            user: "u",
            extra: [JSONMember("input_type", "query")]
        )
        #expect(try read(try json(embedding)) == embedding)
    }

    @Test func `choices of a tool and forms of an answer are words where they can be`() throws {
        try check([ToolChoice.auto, .none, .required], #"["auto","none","required"]"#)
        try check([ToolChoice.function("f"), .other(["a": 1])], #"[{"function":"f"},{"other":{"a":1}}]"#)
        try check([ResponseFormat.text, .jsonObject], #"["text","jsonObject"]"#)
        try check(
            [ResponseFormat.jsonSchema(name: "s", schema: [:], strict: true)],
            #"[{"jsonSchema":{"name":"s","schema":{},"strict":true}}]"#
        )
    }

    @Test func `what is wrong is named by its path`() throws {
        var error = try mistake(#"{"messages":[]}"#, as: ChatRequest.self)
        #expect(error == ("model", "missing"))
        error = try mistake(#"{"model":"m","messages":[{"role":"user","content":"Hi"}]}"#, as: ChatRequest.self)
        #expect(error == ("messages.0.content", "type"))
        error = try mistake(
            #"{"model":"m","messages":[{"role":"user","content":[{"text":"a"},{"txt":"b"}]}]}"#,
            as: ChatRequest.self
        )
        #expect(error.path == "messages.0.content.1")
        #expect(error.what.contains("'image'"))
        error = try mistake(#"{"model":"m","messages":[],"toolChoice":"any"}"#, as: ChatRequest.self)
        #expect(error.path == "toolChoice")
        error = try mistake(#"{"model":"m","messages":[],"extra":[1]}"#, as: ChatRequest.self)
        #expect(error.path == "extra")
        error = try mistake(#"{"model":"m","messages":[],"sampling":{"maxTokens":"9"}}"#, as: ChatRequest.self)
        #expect(error == ("sampling.maxTokens", "type"))
        error = try mistake(#"{"model":"m","prompts":["a",{}]}"#, as: CompletionRequest.self)
        #expect(error == ("prompts.1", "type"))
    }

    // MARK: Answers

    @Test func `answers come back`() throws {
        let response = ChatResponse(
            id: "1",
            model: "m",
            created: 3,
            choices: [
                ChatResponse.Choice(
                    index: 0,
                    message: .assistant("Yes."),
                    refusal: "No.",
                    finishReason: .stop,
                    extra: [JSONMember("logprobs", nil)]
                )
            ],
            usage: Usage(
                promptTokens: 5,
                completionTokens: 2,
                cachedPromptTokens: 1,
                reasoningTokens: 1,
                extra: [JSONMember("cost", 0.25)]
            ),
            extra: [JSONMember("citations", ["a"])]
        )
        #expect(try read(try json(response)) == response)
        try check(
            EmbeddingResponse(model: "m", embeddings: [[0.25, -1]], usage: nil),
            #"{"embeddings":[[0.25,-1]],"model":"m"}"#
        )
    }
}
