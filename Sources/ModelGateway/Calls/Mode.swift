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
