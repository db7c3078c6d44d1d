// Requests for raw continuations and for vectors through any encoder and decoder.

/// The names of the properties; `model` and `prompts` must be there.
///
/// ```json
/// {"model": "code", "prompts": ["def f(", [1, 2, 3]]}
/// ```
extension CompletionRequest: Codable {
    private enum Key: CodingKey {
        case model, prompts, sampling, echo, extra
    }

    /// Reads a request.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        self.init(
            model: try values.decode(String.self, forKey: .model),
            prompts: try values.decode([Prompt].self, forKey: .prompts),
            sampling: try values.decodeIfPresent(Sampling.self, forKey: .sampling) ?? Sampling(),
            echo: try values.decodeIfPresent(Bool.self, forKey: .echo) ?? false,
            extra: try values.fields(.extra)
        )
    }

    /// Writes the request.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(model, forKey: .model)
        try values.encode(prompts, forKey: .prompts)
        if sampling != Sampling() { try values.encode(sampling, forKey: .sampling) }
        if echo { try values.encode(echo, forKey: .echo) }
        try values.encode(fields: extra, forKey: .extra)
    }
}

/// A string, or a list of tokens.
extension CompletionRequest.Prompt: Codable {
    /// Reads a prompt.
    public init(from decoder: any Decoder) throws {
        switch try TextOrTokens(from: decoder) {
        case .text(let text): self = .text(text)
        case .tokens(let tokens): self = .tokens(tokens)
        }
    }

    /// Writes the prompt.
    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .text(let text): try text.encode(to: encoder)
        case .tokens(let tokens): try tokens.encode(to: encoder)
        }
    }
}

/// The names of the properties; `model` and `input` must be there.
///
/// ```json
/// {"model": "vectors", "input": ["one", "two"]}
/// ```
extension EmbeddingRequest: Codable {
    private enum Key: CodingKey {
        case model, input, dimensions, user, extra
    }

    /// Reads a request.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        self.init(
            model: try values.decode(String.self, forKey: .model),
            input: try values.decode([Input].self, forKey: .input),
            dimensions: try values.decodeIfPresent(Int.self, forKey: .dimensions),
            user: try values.decodeIfPresent(String.self, forKey: .user),
            extra: try values.fields(.extra)
        )
    }

    /// Writes the request.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(model, forKey: .model)
        try values.encode(input, forKey: .input)
        try values.encodeIfPresent(dimensions, forKey: .dimensions)
        try values.encodeIfPresent(user, forKey: .user)
        try values.encode(fields: extra, forKey: .extra)
    }
}

/// A string, or a list of tokens.
extension EmbeddingRequest.Input: Codable {
    /// Reads an input.
    public init(from decoder: any Decoder) throws {
        switch try TextOrTokens(from: decoder) {
        case .text(let text): self = .text(text)
        case .tokens(let tokens): self = .tokens(tokens)
        }
    }

    /// Writes the input.
    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .text(let text): try text.encode(to: encoder)
        case .tokens(let tokens): try tokens.encode(to: encoder)
        }
    }
}

/// What prompts and inputs are read as.
private enum TextOrTokens: Decodable {
    case text(String)
    case tokens([Int])

    init(from decoder: any Decoder) throws {
        if let text = try? decoder.singleValueContainer().decode(String.self) {
            self = .text(text)
        } else {
            self = .tokens(try [Int](from: decoder))
        }
    }
}
