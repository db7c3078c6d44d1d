// What a program asks of a chat model, independent of any provider's wire format.

/// A conversation for a model to continue.
public struct ChatRequest: Sendable, Hashable {
    /// The public name of the model, as the gateway knows it.
    public var model: String
    /// The conversation so far, oldest first.
    public var messages: [ChatMessage]
    /// The functions that the model may ask to be called.
    public var tools: [Tool]
    /// Whether and which tool the model must use. Nil leaves it to the provider (`auto` where there are tools).
    public var toolChoice: ToolChoice?
    /// Whether the model may ask for several calls at once. Nil leaves it to the provider.
    public var parallelToolCalls: Bool?
    /// How the next token is chosen, and when to stop.
    public var sampling: Sampling
    /// The form that the answer must have. Nil is free text.
    public var responseFormat: ResponseFormat?
    /// An opaque name of the end user, for the provider's abuse detection and for routing.
    public var user: String?
    /// Fields of the provider's own format that have no place above, sent as they are where the format is the same.
    public var extra: [JSONMember]

    /// Creates a request.
    public init(
        model: String,
        messages: [ChatMessage],
        tools: [Tool] = [],
        toolChoice: ToolChoice? = nil,
        parallelToolCalls: Bool? = nil,
        sampling: Sampling = Sampling(),
        responseFormat: ResponseFormat? = nil,
        user: String? = nil,
        extra: [JSONMember] = []
    ) {
        self.model = model
        self.messages = messages
        self.tools = tools
        self.toolChoice = toolChoice
        self.parallelToolCalls = parallelToolCalls
        self.sampling = sampling
        self.responseFormat = responseFormat
        self.user = user
        self.extra = extra
    }
}

/// One turn of a conversation.
public struct ChatMessage: Sendable, Hashable {
    /// Who speaks. The set is open.
    public struct Role: Sendable, Hashable, RawRepresentable {
        public var rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// Instructions of the application.
        public static let system = Role(rawValue: "system")
        /// Instructions of the application, as newer OpenAI models call them.
        public static let developer = Role(rawValue: "developer")
        /// The person who asks.
        public static let user = Role(rawValue: "user")
        /// The model.
        public static let assistant = Role(rawValue: "assistant")
        /// The result of a tool call.
        public static let tool = Role(rawValue: "tool")
    }

    /// A piece of a turn.
    public enum Part: Sendable, Hashable {
        /// Text.
        case text(String)
        /// An image by URL; `data:` URLs carry the bytes themselves.
        case image(url: String, detail: String?)
        /// A piece that only the provider's own format has, or has more fields for, as it was.
        case other(JSONValue)

        /// The piece's text, also if it has further fields; nil for other kinds of pieces.
        public var text: String? {
            switch self {
            case .text(let text): text
            case .image: nil
            case .other(let value): value["type"] == "text" ? value["text"]?.string : nil
            }
        }
    }

    /// Who speaks.
    public var role: Role
    /// What is said, in order.
    public var content: [Part]
    /// The speaker's name, where a provider tells speakers of one role apart.
    public var name: String?
    /// The calls that the model asks for (assistant turns only).
    public var toolCalls: [ToolCall]
    /// The call that this turn is the result of (tool turns only).
    public var toolCallID: String?
    /// The model's reasoning before its answer, where the provider shows it (assistant turns only).
    public var reasoning: String?
    /// Fields of the provider's own format that have no place above, such as `annotations`, sent as they are where the
    /// format is the same. An answer brings its own; empty them before it becomes a part of the conversation if the
    /// provider refuses them there. Default: none.
    public var extra: [JSONMember]

    /// Creates a turn.
    public init(
        role: Role,
        content: [Part],
        name: String? = nil,
        toolCalls: [ToolCall] = [],
        toolCallID: String? = nil,
        reasoning: String? = nil,
        extra: [JSONMember] = []
    ) {
        self.role = role
        self.content = content
        self.name = name
        self.toolCalls = toolCalls
        self.toolCallID = toolCallID
        self.reasoning = reasoning
        self.extra = extra
    }

    /// Instructions of the application.
    public static func system(_ text: String) -> ChatMessage { ChatMessage(role: .system, content: [.text(text)]) }
    /// A turn of the person who asks.
    public static func user(_ text: String) -> ChatMessage { ChatMessage(role: .user, content: [.text(text)]) }
    /// An earlier answer of the model.
    public static func assistant(_ text: String) -> ChatMessage {
        ChatMessage(role: .assistant, content: [.text(text)])
    }
    /// The result of a tool call.
    public static func tool(_ text: String, callID: String) -> ChatMessage {
        ChatMessage(role: .tool, content: [.text(text)], toolCallID: callID)
    }

    /// The text parts, joined.
    public var text: String {
        var text = ""
        for part in content { text += part.text ?? "" }
        return text
    }
}

/// A function that the model may ask to be called.
public struct Tool: Sendable, Hashable {
    /// The function's name.
    public var name: String
    /// What it does, for the model to read.
    public var description: String?
    /// The JSON schema of its arguments. Nil means no arguments.
    public var parameters: JSONValue?
    /// Whether the arguments must follow the schema to the letter, where the provider can promise that.
    public var strict: Bool?
    /// Fields of the provider's own format that have no place above, such as `cache_control`; those inside its
    /// `function` stand in a member of that name. Default: none.
    public var extra: [JSONMember]

    /// Creates a function description.
    public init(
        name: String,
        description: String? = nil,
        parameters: JSONValue? = nil,
        strict: Bool? = nil,
        extra: [JSONMember] = []
    ) {
        self.name = name
        self.description = description
        self.parameters = parameters
        self.strict = strict
        self.extra = extra
    }
}

/// A call that the model asks for.
public struct ToolCall: Sendable, Hashable {
    /// The id that the result must carry.
    public var id: String
    /// The function's name.
    public var name: String
    /// The arguments as JSON text, as the model wrote them: not necessarily valid.
    public var arguments: String
    /// Fields of the provider's own format that have no place above, such as a signature that it wants back; those
    /// inside its `function` stand in a member of that name. Default: none.
    public var extra: [JSONMember]

    /// Creates a call.
    public init(id: String, name: String, arguments: String, extra: [JSONMember] = []) {
        self.id = id
        self.name = name
        self.arguments = arguments
        self.extra = extra
    }
}

/// Whether and which tool the model must use.
public enum ToolChoice: Sendable, Hashable {
    /// The model decides.
    case auto
    /// No calls.
    case none
    /// At least one call.
    case required
    /// A call of this function.
    case function(String)
    /// A choice that only the provider's own format has, as it was.
    case other(JSONValue)
}

/// The form that an answer must have.
public enum ResponseFormat: Sendable, Hashable {
    /// Free text.
    case text
    /// Some JSON object.
    case jsonObject
    /// A JSON value by a schema; `extra` has the fields of the provider's own format, such as `description`.
    case jsonSchema(name: String, schema: JSONValue, strict: Bool?, extra: [JSONMember] = [])
}

/// How the next token is chosen, and when to stop. Nil leaves a value to the provider.
public struct Sampling: Sendable, Hashable {
    /// 0 is greedy; usual range 0…2.
    public var temperature: Double?
    /// Nucleus sampling: the smallest set of tokens whose probabilities reach this sum, 0…1.
    public var topP: Double?
    /// Only the most probable tokens, at least 1.
    public var topK: Int?
    /// Only tokens with at least this share of the best one's probability, 0…1.
    public var minP: Double?
    /// Penalty by how often a token occurred, -2…2.
    public var frequencyPenalty: Double?
    /// Penalty for having occurred at all, -2…2.
    public var presencePenalty: Double?
    /// Multiplicative penalty for having occurred, above 0; 1 is none. Self-hosted engines only.
    public var repetitionPenalty: Double?
    /// Makes the choice repeatable, where the provider can.
    public var seed: Int?
    /// Added to a token's logit, by token id, -100…100.
    public var logitBias: [Int: Double]
    /// Strings that end the answer; they are not part of it.
    public var stop: [String]
    /// The longest answer in tokens, at least 1.
    public var maxTokens: Int?
    /// How many answers, at least 1. Nil is one.
    public var choices: Int?

    /// Creates a set of sampling parameters.
    public init(
        temperature: Double? = nil,
        topP: Double? = nil,
        topK: Int? = nil,
        minP: Double? = nil,
        frequencyPenalty: Double? = nil,
        presencePenalty: Double? = nil,
        repetitionPenalty: Double? = nil,
        seed: Int? = nil,
        logitBias: [Int: Double] = [:],
        stop: [String] = [],
        maxTokens: Int? = nil,
        choices: Int? = nil
    ) {
        self.temperature = temperature
        self.topP = topP
        self.topK = topK
        self.minP = minP
        self.frequencyPenalty = frequencyPenalty
        self.presencePenalty = presencePenalty
        self.repetitionPenalty = repetitionPenalty
        self.seed = seed
        self.logitBias = logitBias
        self.stop = stop
        self.maxTokens = maxTokens
        self.choices = choices
    }
}
