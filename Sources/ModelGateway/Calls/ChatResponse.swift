// What a chat model answers: whole, or as a stream of events.

/// A model's whole answer.
public struct ChatResponse: Sendable, Hashable {
    /// One of the answers asked for.
    public struct Choice: Sendable, Hashable {
        /// Its place among the answers, from 0.
        public var index: Int
        /// The answer: an assistant turn that can be appended to the conversation.
        public var message: ChatMessage
        /// A refusal in the model's own words, if it refused.
        public var refusal: String?
        /// Why the answer ended.
        public var finishReason: FinishReason
        /// Fields of the provider's own format that have no place above, such as `logprobs`. Default: none.
        public var extra: [JSONMember]

        /// Creates an answer.
        public init(
            index: Int,
            message: ChatMessage,
            refusal: String? = nil,
            finishReason: FinishReason,
            extra: [JSONMember] = []
        ) {
            self.index = index
            self.message = message
            self.refusal = refusal
            self.finishReason = finishReason
            self.extra = extra
        }
    }

    /// The id that the provider gave to the answer.
    public var id: String
    /// The model that answered, as the provider names it.
    public var model: String
    /// Seconds since 1970 at which the answer was begun.
    public var created: Int
    /// The answers; one unless more were asked for.
    public var choices: [Choice]
    /// What the call used, if the provider said so.
    public var usage: Usage?
    /// Fields of the provider's own format that have no place above, such as `system_fingerprint` or `citations`.
    /// Default: none.
    public var extra: [JSONMember]

    /// Creates a response.
    public init(
        id: String,
        model: String,
        created: Int,
        choices: [Choice],
        usage: Usage?,
        extra: [JSONMember] = []
    ) {
        self.id = id
        self.model = model
        self.created = created
        self.choices = choices
        self.usage = usage
        self.extra = extra
    }

    /// The first answer's message; an empty assistant turn if there is none.
    public var message: ChatMessage {
        choices.first?.message ?? ChatMessage(role: .assistant, content: [])
    }

    /// The text of the first answer.
    public var text: String { message.text }
}

/// Why an answer ended. The set is open.
public struct FinishReason: Sendable, Hashable, RawRepresentable {
    public var rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    /// The model was done, or a stop string came.
    public static let stop = FinishReason(rawValue: "stop")
    /// The token limit or the context was reached.
    public static let length = FinishReason(rawValue: "length")
    /// The model waits for the results of tool calls.
    public static let toolCalls = FinishReason(rawValue: "tool_calls")
    /// The provider's content policy cut the answer.
    public static let contentFilter = FinishReason(rawValue: "content_filter")
}

/// The tokens that a call used.
///
/// The parts are disjoint: `promptTokens` includes the cached ones, and `completionTokens` the reasoning ones, as in
/// OpenAI's format; providers that count otherwise are converted.
public struct Usage: Sendable, Hashable {
    /// Tokens of the prompt, cached ones included.
    public var promptTokens: Int
    /// Tokens of the answer, reasoning included.
    public var completionTokens: Int
    /// Prompt tokens that came out of the provider's cache.
    public var cachedPromptTokens: Int
    /// Answer tokens that were reasoning.
    public var reasoningTokens: Int
    /// Counts of the provider's own format that have no place above, such as `cost`. Default: none.
    public var extra: [JSONMember]

    /// Creates a count.
    public init(
        promptTokens: Int,
        completionTokens: Int,
        cachedPromptTokens: Int = 0,
        reasoningTokens: Int = 0,
        extra: [JSONMember] = []
    ) {
        self.promptTokens = promptTokens
        self.completionTokens = completionTokens
        self.cachedPromptTokens = cachedPromptTokens
        self.reasoningTokens = reasoningTokens
        self.extra = extra
    }

    /// Prompt and answer together.
    public var totalTokens: Int { promptTokens + completionTokens }
}

/// A step of a streamed answer.
public enum ChatEvent: Sendable, Hashable {
    /// The answer begins: its id, the model that answers, and when (seconds since 1970, 0 if the provider did not say).
    /// Comes once, first.
    case started(id: String, model: String, created: Int = 0)
    /// More text of a choice.
    case text(String, choice: Int)
    /// More reasoning of a choice.
    case reasoning(String, choice: Int)
    /// More of a refusal of a choice.
    case refusal(String, choice: Int)
    /// More of a tool call of a choice.
    case toolCall(ToolCallDelta, choice: Int)
    /// A choice is complete.
    case finished(FinishReason, choice: Int)
    /// What the call used so far; the last one counts.
    case usage(Usage)
    /// Fields of the provider's own format that no other event has a place for, such as `logprobs`.
    case fields([JSONMember], at: ChatFieldPlace)
}

/// Where in an answer the fields of ``ChatEvent/fields(_:at:)`` stand.
public enum ChatFieldPlace: Sendable, Hashable {
    /// In the answer as a whole; see ``ChatResponse/extra``. A later value replaces an earlier one.
    case answer
    /// In a choice; see ``ChatResponse/Choice/extra``. Lists are joined, other values are replaced.
    case choice(Int)
    /// In the message of a choice; see ``ChatMessage/extra``. Texts and lists are joined.
    case message(choice: Int)
}

/// A piece of a streamed tool call: the first of an index carries id and name.
public struct ToolCallDelta: Sendable, Hashable {
    /// The call's place among the calls of its choice, from 0.
    public var index: Int
    /// The call's id, on its first piece.
    public var id: String?
    /// The function's name, on its first piece.
    public var name: String?
    /// More of the arguments' JSON text.
    public var arguments: String
    /// Fields of the provider's own format that have no place above; see ``ToolCall/extra``. Default: none.
    public var extra: [JSONMember]

    /// Creates a piece.
    public init(
        index: Int,
        id: String? = nil,
        name: String? = nil,
        arguments: String = "",
        extra: [JSONMember] = []
    ) {
        self.index = index
        self.id = id
        self.name = name
        self.arguments = arguments
        self.extra = extra
    }
}
