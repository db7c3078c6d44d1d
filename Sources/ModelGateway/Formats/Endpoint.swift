// A path on which calls are taken: in which format, for which kind of work.

/// A path on which model calls are taken. Each takes `POST` only.
public struct Endpoint: Sendable, Hashable {
    /// In one piece, because each call carries it along.
    private final class Content: Sendable {
        let path: String
        let format: WireFormat
        let mode: Mode

        init(_ path: String, _ format: WireFormat, _ mode: Mode) {
            self.path = path
            self.format = format
            self.mode = mode
        }
    }

    private let content: Content

    /// The dialect of requests and answers.
    public var format: WireFormat { content.format }
    /// The kind of work.
    public var mode: Mode { content.mode }
    /// The path as servers publish it, such as `/v1/chat/completions`.
    public var path: String { content.path }

    package init(_ path: String, format: WireFormat, mode: Mode) {
        content = Content(path, format, mode)
    }

    public static func == (left: Endpoint, right: Endpoint) -> Bool {
        left.content === right.content
            || left.path == right.path && left.format == right.format && left.mode == right.mode
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(path)
        hasher.combine(format)
        hasher.combine(mode)
    }
}

extension Endpoint {
    /// Conversations in OpenAI's format: `/v1/chat/completions`.
    public static let openAIChat = Endpoint("/v1/chat/completions", format: .openAI, mode: .chat)
    /// Raw texts in OpenAI's format: `/v1/completions`.
    public static let openAICompletions = Endpoint("/v1/completions", format: .openAI, mode: .completion)
    /// Vectors in OpenAI's format: `/v1/embeddings`.
    public static let openAIEmbeddings = Endpoint("/v1/embeddings", format: .openAI, mode: .embedding)

    /// All endpoints of all formats.
    package static let all = StandardFormats.all.flatMap(\.endpoints)

    /// The endpoint for a request by what is in it, where no path tells.
    /// - Throws: ``GatewayError/Code/invalidRequest`` if nothing tells.
    package init(ofRequest json: JSONValue) throws(GatewayError) {
        if json["messages"] != nil {
            self = .openAIChat
        } else if json["prompt"] != nil {
            self = .openAICompletions
        } else if json["input"] != nil {
            self = .openAIEmbeddings
        } else {
            throw GatewayError(.invalidRequest, "The request has none of 'messages', 'prompt' and 'input'.")
        }
    }

    /// The first endpoint for a kind of work.
    package static func first(for mode: Mode) -> Endpoint? { all.first { $0.mode == mode } }

    /// The endpoint with a path.
    package static func find(path: String) -> Endpoint? { all.first { $0.path == path } }
}
