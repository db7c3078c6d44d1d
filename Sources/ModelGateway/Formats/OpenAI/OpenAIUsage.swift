// Token usage in OpenAI's format.

extension Usage {
    /// Reads a `usage` object; nil if it is null or holds no counts.
    package init?(openAI json: JSONValue) {
        guard let prompt = json["prompt_tokens"]?.int ?? json["total_tokens"]?.int else { return nil }
        self.init(
            promptTokens: prompt,
            completionTokens: json["completion_tokens"]?.int ?? 0,
            cachedPromptTokens: json["prompt_tokens_details"]?["cached_tokens"]?.int ?? 0,
            reasoningTokens: json["completion_tokens_details"]?["reasoning_tokens"]?.int ?? 0
        )
    }

    /// The `usage` object.
    package var openAI: JSONValue {
        var members = [
            JSONMember("prompt_tokens", .number(JSONNumber(promptTokens))),
            JSONMember("completion_tokens", .number(JSONNumber(completionTokens))),
            JSONMember("total_tokens", .number(JSONNumber(totalTokens))),
        ]
        if cachedPromptTokens > 0 {
            members.append("prompt_tokens_details", ["cached_tokens": .number(JSONNumber(cachedPromptTokens))])
        }
        if reasoningTokens > 0 {
            members.append("completion_tokens_details", ["reasoning_tokens": .number(JSONNumber(reasoningTokens))])
        }
        return .object(members)
    }
}
