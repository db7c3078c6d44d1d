// Turning texts into vectors, independent of any provider's wire format.

/// Texts to turn into vectors.
public struct EmbeddingRequest: Sendable, Hashable {
    /// What is turned into a vector.
    public enum Input: Sendable, Hashable {
        /// Text.
        case text(String)
        /// Tokens of the model's own vocabulary.
        case tokens([Int])
    }

    /// The public name of the model.
    public var model: String
    /// What to turn into vectors, at least one.
    public var input: [Input]
    /// The length of the vectors, where the model can shorten them.
    public var dimensions: Int?
    /// An opaque name of the end user.
    public var user: String?
    /// Fields of the provider's own format that have no place above, such as `input_type`, sent as they are where the
    /// format is the same. Default: none.
    public var extra: [JSONMember]

    /// Creates a request.
    public init(
        model: String,
        input: [Input],
        dimensions: Int? = nil,
        user: String? = nil,
        extra: [JSONMember] = []
    ) {
        self.model = model
        self.input = input
        self.dimensions = dimensions
        self.user = user
        self.extra = extra
    }

    /// Creates a request for texts.
    public init(model: String, texts: [String], dimensions: Int? = nil) {
        self.init(model: model, input: texts.map(Input.text), dimensions: dimensions)
    }
}

/// The vectors, in the order of the input.
///
/// Its coded form has the names of the properties; ``usage`` may be left out.
public struct EmbeddingResponse: Sendable, Hashable, Codable {
    /// The model that answered, as the provider names it.
    public var model: String
    /// One vector for each input.
    public var embeddings: [[Float]]
    /// What the call used, if the provider said so.
    public var usage: Usage?

    /// Creates a response.
    public init(model: String, embeddings: [[Float]], usage: Usage?) {
        self.model = model
        self.embeddings = embeddings
        self.usage = usage
    }
}
