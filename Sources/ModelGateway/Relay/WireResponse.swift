// What the gateway answers a request of a wire format with: bytes for the client.

/// The answer to a ``WireRequest``, in the client's format.
public struct WireResponse: Sendable {
    /// What follows the head.
    public enum Body: Sendable {
        /// A whole body.
        case bytes([UInt8])
        /// A body that is made while it is sent. A failure after the head is in it as an error event of the format,
        /// after which it ends; ``ByteStream/next()`` then throws only for a cancelled task.
        case stream(any ByteStream)
    }

    /// The status code.
    public var status: Int
    /// The header lines, without those of the connection and the body's framing.
    public var headers: [HTTPHeader]
    /// What follows the head.
    public var body: Body

    /// Creates a response.
    public init(status: Int, headers: [HTTPHeader], body: Body) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}
