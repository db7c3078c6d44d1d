// A response as a transport receives it.

/// The head of a provider's response, and its body to pull.
public struct HTTPTransportResponse: Sendable {
    /// The status code of the final (not 1xx) response.
    public var status: Int
    /// The header lines.
    public var headers: HTTPHeaderBlock
    /// The body. It ends with nil only if, by the rules of its framing, it arrived in full; a truncated one throws
    /// ``GatewayError/Code/truncatedResponse``.
    public var body: any ByteStream

    /// Creates a response.
    public init(status: Int, headers: HTTPHeaderBlock, body: any ByteStream) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}
