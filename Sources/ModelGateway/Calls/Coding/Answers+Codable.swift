// Whole answers through any encoder and decoder.

/// The names of the properties, nil and what is empty left out; `choices` must be there.
extension ChatResponse: Codable {
    private enum Key: CodingKey {
        case id, model, created, choices, usage, extra
    }

    /// Reads an answer.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        self.init(
            id: try values.decodeIfPresent(String.self, forKey: .id) ?? "",
            model: try values.decodeIfPresent(String.self, forKey: .model) ?? "",
            created: try values.decodeIfPresent(Int.self, forKey: .created) ?? 0,
            choices: try values.decode([Choice].self, forKey: .choices),
            usage: try values.decodeIfPresent(Usage.self, forKey: .usage),
            extra: try values.fields(.extra)
        )
    }

    /// Writes the answer.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(id, forKey: .id)
        try values.encode(model, forKey: .model)
        try values.encode(created, forKey: .created)
        try values.encode(choices, forKey: .choices)
        try values.encodeIfPresent(usage, forKey: .usage)
        try values.encode(fields: extra, forKey: .extra)
    }
}

/// The names of the properties; ``index``, ``message`` and ``finishReason`` must be there.
extension ChatResponse.Choice: Codable {
    private enum Key: CodingKey {
        case index, message, refusal, finishReason, extra
    }

    /// Reads a choice.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        self.init(
            index: try values.decode(Int.self, forKey: .index),
            message: try values.decode(ChatMessage.self, forKey: .message),
            refusal: try values.decodeIfPresent(String.self, forKey: .refusal),
            finishReason: try values.decode(FinishReason.self, forKey: .finishReason),
            extra: try values.fields(.extra)
        )
    }

    /// Writes the choice.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(index, forKey: .index)
        try values.encode(message, forKey: .message)
        try values.encodeIfPresent(refusal, forKey: .refusal)
        try values.encode(finishReason, forKey: .finishReason)
        try values.encode(fields: extra, forKey: .extra)
    }
}

extension FinishReason: Codable {}

/// The names of the properties; ``promptTokens`` and ``completionTokens`` must be there.
extension Usage: Codable {
    private enum Key: CodingKey {
        case promptTokens, completionTokens, cachedPromptTokens, reasoningTokens, extra
    }

    /// Reads a count.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        self.init(
            promptTokens: try values.decode(Int.self, forKey: .promptTokens),
            completionTokens: try values.decode(Int.self, forKey: .completionTokens),
            cachedPromptTokens: try values.decodeIfPresent(Int.self, forKey: .cachedPromptTokens) ?? 0,
            reasoningTokens: try values.decodeIfPresent(Int.self, forKey: .reasoningTokens) ?? 0,
            extra: try values.fields(.extra)
        )
    }

    /// Writes the count.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(promptTokens, forKey: .promptTokens)
        try values.encode(completionTokens, forKey: .completionTokens)
        try values.encode(cachedPromptTokens, forKey: .cachedPromptTokens)
        try values.encode(reasoningTokens, forKey: .reasoningTokens)
        try values.encode(fields: extra, forKey: .extra)
    }
}
