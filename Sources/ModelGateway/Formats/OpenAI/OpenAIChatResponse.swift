// OpenAI's chat completion and legacy completion responses: JSON to `ChatResponse` and back.

extension ChatResponse {
    /// Reads a provider's chat completion or completion.
    /// - Throws: What the response says instead; ``GatewayError/Code/malformedResponse`` if there is no answer in it.
    package init(openAI json: JSONValue) throws(GatewayError) {
        guard let choices = json["choices"]?.array, choices.contains(where: \.carriesAnswer) else {
            throw GatewayError(openAIWithoutAnswer: json)
        }
        self.init(
            id: json["id"]?.string ?? "",
            model: json["model"]?.string ?? "",
            created: json["created"]?.int ?? 0,
            choices: choices.enumerated().map { Choice(openAI: $0.element, position: $0.offset) },
            usage: json["usage"].flatMap(Usage.init(openAI:))
        )
    }

    /// The response of `/v1/chat/completions`.
    package var openAIChat: JSONValue {
        openAI(object: "chat.completion") { choice in
            var message = [JSONMember("role", "assistant")]
            let text = choice.message.text
            let isSilent = text.isEmpty && (!choice.message.toolCalls.isEmpty || choice.refusal != nil)
            message.append("content", isSilent ? .null : .string(text))
            message.append("refusal", choice.refusal.map(JSONValue.string) ?? .null)
            message.append("reasoning_content", choice.message.reasoning.map(JSONValue.string))
            if !choice.message.toolCalls.isEmpty {
                message.append("tool_calls", .array(choice.message.toolCalls.map(\.openAI)))
            }
            return JSONMember("message", .object(message))
        }
    }

    /// The response of `/v1/completions`.
    package var openAICompletion: JSONValue {
        openAI(object: "text_completion") { JSONMember("text", .string($0.message.text)) }
    }

    private func openAI(object: String, content: (Choice) -> JSONMember) -> JSONValue {
        var members = [
            JSONMember("id", .string(id)),
            JSONMember("object", .string(object)),
            JSONMember("created", .number(JSONNumber(created))),
            JSONMember("model", .string(model)),
            JSONMember(
                "choices",
                .array(
                    choices.map { choice in
                        .object([
                            JSONMember("index", .number(JSONNumber(choice.index))),
                            content(choice),
                            JSONMember("logprobs", .null),
                            JSONMember("finish_reason", .string(choice.finishReason.rawValue)),
                        ])
                    }
                )
            ),
        ]
        members.append("usage", usage?.openAI)
        return .object(members)
    }
}

extension ChatResponse.Choice {
    fileprivate init(openAI json: JSONValue, position: Int) {
        let body = json["message"] ?? .null
        var message = ChatMessage(role: .assistant, content: [])
        if let text = body["content"]?.string ?? json["text"]?.string, !text.isEmpty {
            message.content = [.text(text)]
        }
        message.reasoning = (body["reasoning_content"] ?? body["reasoning"])?.string
        for call in body["tool_calls"]?.array ?? [] {
            message.toolCalls.append(ToolCall(openAI: call))
        }
        self.init(
            index: json["index"]?.int ?? position,
            message: message,
            refusal: body["refusal"]?.string,
            finishReason: FinishReason(openAI: json["finish_reason"]?.string, hasToolCalls: !message.toolCalls.isEmpty)
        )
    }
}

extension ToolCall {
    /// Reads a provider's call. Some engines send the arguments as an object instead of as text.
    fileprivate init(openAI json: JSONValue) {
        let arguments = json["function"]?["arguments"]
        self.init(
            id: json["id"]?.string ?? "",
            name: json["function"]?["name"]?.string ?? "",
            arguments: arguments?.string ?? arguments.map { String(decoding: $0.serialized(), as: UTF8.self) } ?? "{}"
        )
    }
}

extension FinishReason {
    /// Reads a finish reason. Some engines leave it empty, or say `stop` although tools were called.
    package init(openAI text: String?, hasToolCalls: Bool) {
        switch text {
        case nil, "", "stop": self = hasToolCalls ? .toolCalls : .stop
        case .some(let text): self.init(rawValue: text)
        }
    }
}
