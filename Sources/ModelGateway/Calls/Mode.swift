// What kind of work a call asks for.

/// What kind of work a call asks for.
public struct Mode: Sendable, Hashable, RawRepresentable, CustomStringConvertible {
    public var rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    public var description: String { rawValue }

    /// Continuing a conversation.
    public static let chat = Mode(rawValue: "chat")
    /// Continuing a raw text.
    public static let completion = Mode(rawValue: "completion")
    /// Turning texts into vectors.
    public static let embedding = Mode(rawValue: "embedding")
}

extension Mode {
    /// The kind of work that a request asks for by what is in it, where no path tells.
    /// - Throws: ``GatewayError/Code/invalidRequest`` if nothing tells.
    package init(ofRequest json: JSONValue) throws(GatewayError) {
        if json["messages"] != nil {
            self = .chat
        } else if json["prompt"] != nil {
            self = .completion
        } else if json["input"] != nil {
            self = .embedding
        } else {
            throw GatewayError(.invalidRequest, "The request has none of 'messages', 'prompt' and 'input'.")
        }
    }
}
