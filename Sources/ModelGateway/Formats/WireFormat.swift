// A wire dialect, by its name.

/// A wire dialect that requests come in and go out in.
public struct WireFormat: Sendable, Hashable, RawRepresentable, CustomStringConvertible {
    public var rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    public var description: String { rawValue }

    /// OpenAI's chat completions, completions and embeddings, as most servers speak them.
    public static let openAI = WireFormat(rawValue: "openai")
}
