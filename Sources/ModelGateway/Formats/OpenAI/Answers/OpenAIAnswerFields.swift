// The members of OpenAI-shaped answers and chunks that the vocabulary has a place for, and the content of a message.

/// Tells known members from those that are kept as they are.
enum OpenAIAnswerFields {
    /// Of an answer or a chunk.
    static let answer: Set<String> = ["id", "object", "created", "model", "choices", "usage", "error"]
    /// Of a choice.
    static let choice: Set<String> = ["index", "message", "delta", "text", "finish_reason"]
    /// Of a message or a delta.
    static let message: Set<String> = ["role", "content", "refusal", "reasoning_content", "reasoning", "tool_calls"]

    /// The members besides the known ones that say something.
    static func beside(_ known: Set<String>, in json: JSONValue) -> [JSONMember] {
        (json.object ?? []).filter { $0.value != .null && !known.contains($0.name) }
    }
}

/// The `content` of a message or a delta: a text, or a list of parts as some providers send it.
struct OpenAIAnswerContent {
    /// The text, that of all parts joined.
    private(set) var text = ""
    /// The reasoning that is among the parts.
    private(set) var reasoning: String?
    /// Parts of other kinds.
    private(set) var others: [JSONValue] = []

    init(_ json: JSONValue) {
        if let text = json.string { self.text = text }
        for part in json.array ?? [] { take(part) }
    }

    private mutating func take(_ part: JSONValue) {
        if let text = part.string ?? (part["type"] == "text" ? part["text"]?.string : nil) {
            self.text += text
        } else if part["type"] == "thinking", let thinking = part["thinking"] {
            reasoning = (reasoning ?? "") + (thinking.string ?? OpenAIAnswerContent(thinking).text)
        } else {
            others.append(part)
        }
    }
}
