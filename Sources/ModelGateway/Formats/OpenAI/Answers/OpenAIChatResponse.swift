// OpenAI's chat completion and legacy completion responses: JSON to `ChatResponse` and back.

extension ChatResponse {
    /// Reads a provider's chat completion or completion.
    /// - Throws: What the response says instead; ``GatewayError/Code/malformedResponse`` if there is no answer in it.
    package init(openAI json: JSONValue) throws(GatewayError) {
        guard let choices = json["choices"]?.array, choices.contains(where: \.carriesAnswer) else {
            throw GatewayError(upstreamWithoutAnswer: json)
        }
        self.init(
            id: json["id"]?.string ?? "",
            model: json["model"]?.string ?? "",
            created: json["created"]?.int ?? 0,
            choices: choices.enumerated().map { Choice(openAI: $0.element, position: $0.offset) },
            usage: json["usage"].flatMap(Usage.init(openAI:)),
            extra: OpenAIAnswerFields.beside(OpenAIAnswerFields.answer, in: json)
        )
    }

    /// The response of `/v1/chat/completions`.
    package var openAIChat: JSONValue {
        openAI(object: "chat.completion") { choice in
            var message = [JSONMember("role", "assistant")]
            let isSilent = !choice.message.toolCalls.isEmpty || choice.refusal != nil
            message.append("content", choice.message.openAIAnswer(isSilent: isSilent))
            message.append("refusal", choice.refusal.map(JSONValue.string) ?? .null)
            message.append("reasoning_content", choice.message.reasoning.map(JSONValue.string))
            if !choice.message.toolCalls.isEmpty {
                message.append("tool_calls", .array(choice.message.toolCalls.map(\.openAI)))
            }
            return JSONMember("message", .object(message + choice.message.extra))
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
                        let logprobs = choice.extra.last { $0.name == "logprobs" }?.value
                        let members = [
                            JSONMember("index", .number(JSONNumber(choice.index))),
                            content(choice),
                            JSONMember("logprobs", logprobs ?? .null),
                            JSONMember("finish_reason", .string(choice.finishReason.rawValue)),
                        ]
                        return .object(members + choice.extra.beside(["logprobs"]))
                    }
                )
            ),
        ]
        members.append("usage", usage?.openAI)
        return .object(members + extra)
    }
}

extension ChatResponse.Choice {
    fileprivate init(openAI json: JSONValue, position: Int) {
        let body = json["message"] ?? .null
        var message = ChatMessage(role: .assistant, content: [])
        let content = OpenAIAnswerContent(body["content"] ?? json["text"] ?? .null)
        if !content.text.isEmpty { message.content.append(.text(content.text)) }
        message.content += content.others.map(ChatMessage.Part.other)
        message.reasoning = (body["reasoning_content"] ?? body["reasoning"])?.string ?? content.reasoning
        for call in body["tool_calls"]?.array ?? [] {
            message.toolCalls.append(ToolCall(openAI: call))
        }
        message.extra = OpenAIAnswerFields.beside(OpenAIAnswerFields.message, in: body)
        self.init(
            index: json["index"]?.int ?? position,
            message: message,
            refusal: body["refusal"]?.string,
            finishReason: FinishReason(openAI: json["finish_reason"]?.string, hasToolCalls: !message.toolCalls.isEmpty),
            extra: OpenAIAnswerFields.beside(OpenAIAnswerFields.choice, in: json)
        )
    }
}

extension ChatMessage {
    /// The `content` of an answer: its text, or parts if it has others.
    /// - Parameter isSilent: Whether the answer may be without text.
    fileprivate func openAIAnswer(isSilent: Bool) -> JSONValue {
        let isText = content.allSatisfy { if case .text = $0 { true } else { false } }
        guard isText else { return .array(content.map(\.openAI)) }
        let text = text
        return text.isEmpty && isSilent ? .null : .string(text)
    }
}

extension ToolCall {
    /// Reads a provider's call. Some engines send the arguments as an object instead of as text.
    fileprivate init(openAI json: JSONValue) {
        let arguments = json["function"]?["arguments"]
        self.init(
            id: json["id"]?.string ?? "",
            name: json["function"]?["name"]?.string ?? "",
            arguments: arguments?.string ?? arguments.map { String(decoding: $0.serialized(), as: UTF8.self) } ?? "{}",
            extra: FunctionExtra(of: json, known: FunctionExtra.knownOfCall).members
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
