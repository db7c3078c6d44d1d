// Continuing a raw text without a chat template, independent of any provider's wire format.

/// A text for a model to continue, without a chat template around it.
///
/// The answer comes as the same ``ChatEvent``s as that of a conversation.
///
/// A local model reads markers in the text, such as `<|im_end|>`, as the control tokens that they stand for: who sends raw
/// text has the say about turns too. In conversations and embeddings they stay text. Without ``Sampling/maxTokens`` a
/// local model writes 16 tokens, as OpenAI's API does; other upstreams have limits of their own.
public struct CompletionRequest: Sendable, Hashable {
    /// What is continued.
    public enum Prompt: Sendable, Hashable {
        /// Text.
        case text(String)
        /// Tokens of the model's own vocabulary.
        case tokens([Int])
    }

    /// The public name of the model.
    public var model: String
    /// What to continue; each prompt makes a choice of its own.
    public var prompts: [Prompt]
    /// How the next token is chosen, and when to stop.
    public var sampling: Sampling
    /// Whether the answer begins with the prompt.
    public var echo: Bool
    /// Fields of the provider's own format that have no place above, such as `suffix`, sent as they are where the format
    /// is the same. Default: none.
    public var extra: [JSONMember]

    /// Creates a request.
    public init(
        model: String,
        prompts: [Prompt],
        sampling: Sampling = Sampling(),
        echo: Bool = false,
        extra: [JSONMember] = []
    ) {
        self.model = model
        self.prompts = prompts
        self.sampling = sampling
        self.echo = echo
        self.extra = extra
    }
}
