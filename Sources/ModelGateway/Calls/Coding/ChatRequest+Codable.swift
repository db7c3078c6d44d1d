// Conversations through any encoder and decoder, in the shape of the vocabulary.

/// The shape is this vocabulary's and no provider's: the names of the properties as Swift spells them, such as
/// `toolChoice`; nil, empty lists and empty ``extra`` left out. `model` and `messages` must be there. Unknown names are
/// ignored.
///
/// ```json
/// {"model": "assistant", "messages": [{"role": "user", "content": [{"text": "Hi"}]}], "sampling": {"maxTokens": 9}}
/// ```
/// Numbers and the order inside of JSON values are kept as far as ``JSONValue`` says.
extension ChatRequest: Codable {
    private enum Key: CodingKey {
        case model, messages, tools, toolChoice, parallelToolCalls, sampling, responseFormat, user, extra
    }

    /// Reads a request.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        self.init(
            model: try values.decode(String.self, forKey: .model),
            messages: try values.decode([ChatMessage].self, forKey: .messages),
            tools: try values.list(.tools),
            toolChoice: try values.decodeIfPresent(ToolChoice.self, forKey: .toolChoice),
            parallelToolCalls: try values.decodeIfPresent(Bool.self, forKey: .parallelToolCalls),
            sampling: try values.decodeIfPresent(Sampling.self, forKey: .sampling) ?? Sampling(),
            responseFormat: try values.decodeIfPresent(ResponseFormat.self, forKey: .responseFormat),
            user: try values.decodeIfPresent(String.self, forKey: .user),
            extra: try values.fields(.extra)
        )
    }

    /// Writes the request.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(model, forKey: .model)
        try values.encode(messages, forKey: .messages)
        try values.encode(list: tools, forKey: .tools)
        try values.encodeIfPresent(toolChoice, forKey: .toolChoice)
        try values.encodeIfPresent(parallelToolCalls, forKey: .parallelToolCalls)
        if sampling != Sampling() { try values.encode(sampling, forKey: .sampling) }
        try values.encodeIfPresent(responseFormat, forKey: .responseFormat)
        try values.encodeIfPresent(user, forKey: .user)
        try values.encode(fields: extra, forKey: .extra)
    }
}

/// The names of the properties; ``role`` and ``content`` must be there.
extension ChatMessage: Codable {
    private enum Key: CodingKey {
        case role, content, name, toolCalls, toolCallID, reasoning, extra
    }

    /// Reads a turn.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        self.init(
            role: try values.decode(Role.self, forKey: .role),
            content: try values.decode([Part].self, forKey: .content),
            name: try values.decodeIfPresent(String.self, forKey: .name),
            toolCalls: try values.list(.toolCalls),
            toolCallID: try values.decodeIfPresent(String.self, forKey: .toolCallID),
            reasoning: try values.decodeIfPresent(String.self, forKey: .reasoning),
            extra: try values.fields(.extra)
        )
    }

    /// Writes the turn.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(role, forKey: .role)
        try values.encode(content, forKey: .content)
        try values.encodeIfPresent(name, forKey: .name)
        try values.encode(list: toolCalls, forKey: .toolCalls)
        try values.encodeIfPresent(toolCallID, forKey: .toolCallID)
        try values.encodeIfPresent(reasoning, forKey: .reasoning)
        try values.encode(fields: extra, forKey: .extra)
    }
}

extension ChatMessage.Role: Codable {}

/// An object with one member: `{"text": "…"}`, `{"image": {"url": "…", "detail": "low"}}` or `{"other": …}`.
extension ChatMessage.Part: Codable {
    private enum Key: CodingKey {
        case text, image, other
    }

    private struct Image: Codable {
        var url: String
        var detail: String?
    }

    /// Reads a piece.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        switch try values.onlyKey("An object with one of 'text', 'image' and 'other'") {
        case .text: self = .text(try values.decode(String.self, forKey: .text))
        case .image:
            let image = try values.decode(Image.self, forKey: .image)
            self = .image(url: image.url, detail: image.detail)
        case .other: self = .other(try values.decode(JSONValue.self, forKey: .other))
        }
    }

    /// Writes the piece.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        switch self {
        case .text(let text): try values.encode(text, forKey: .text)
        case .image(let url, let detail): try values.encode(Image(url: url, detail: detail), forKey: .image)
        case .other(let value): try values.encode(value, forKey: .other)
        }
    }
}

/// The names of the properties; all may be left out.
extension Sampling: Codable {
    private enum Key: CodingKey {
        case temperature, topP, topK, minP, frequencyPenalty, presencePenalty, repetitionPenalty
        case seed, logitBias, stop, maxTokens, choices
    }

    /// Reads sampling parameters.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        self.init(
            temperature: try values.decodeIfPresent(Double.self, forKey: .temperature),
            topP: try values.decodeIfPresent(Double.self, forKey: .topP),
            topK: try values.decodeIfPresent(Int.self, forKey: .topK),
            minP: try values.decodeIfPresent(Double.self, forKey: .minP),
            frequencyPenalty: try values.decodeIfPresent(Double.self, forKey: .frequencyPenalty),
            presencePenalty: try values.decodeIfPresent(Double.self, forKey: .presencePenalty),
            repetitionPenalty: try values.decodeIfPresent(Double.self, forKey: .repetitionPenalty),
            seed: try values.decodeIfPresent(Int.self, forKey: .seed),
            logitBias: try values.decodeIfPresent([Int: Double].self, forKey: .logitBias) ?? [:],
            stop: try values.list(.stop),
            maxTokens: try values.decodeIfPresent(Int.self, forKey: .maxTokens),
            choices: try values.decodeIfPresent(Int.self, forKey: .choices)
        )
    }

    /// Writes the sampling parameters.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encodeIfPresent(temperature, forKey: .temperature)
        try values.encodeIfPresent(topP, forKey: .topP)
        try values.encodeIfPresent(topK, forKey: .topK)
        try values.encodeIfPresent(minP, forKey: .minP)
        try values.encodeIfPresent(frequencyPenalty, forKey: .frequencyPenalty)
        try values.encodeIfPresent(presencePenalty, forKey: .presencePenalty)
        try values.encodeIfPresent(repetitionPenalty, forKey: .repetitionPenalty)
        try values.encodeIfPresent(seed, forKey: .seed)
        if !logitBias.isEmpty { try values.encode(logitBias, forKey: .logitBias) }
        try values.encode(list: stop, forKey: .stop)
        try values.encodeIfPresent(maxTokens, forKey: .maxTokens)
        try values.encodeIfPresent(choices, forKey: .choices)
    }
}
