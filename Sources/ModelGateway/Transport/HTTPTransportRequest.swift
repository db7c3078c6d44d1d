// A request as a transport sends it.

/// One request to a provider.
public struct HTTPTransportRequest: Sendable {
    /// What is sent after the head.
    public enum Body: Sendable {
        /// No body.
        case none
        /// A body in memory.
        case bytes([UInt8])
        /// A body that is pulled while it is sent: with its length if known, otherwise chunked.
        case stream(any ByteStream, length: Int?)
    }

    /// The method, such as `POST`.
    public var method: String
    /// The absolute `http` or `https` URL.
    public var url: String
    /// Header lines. `Host`, `Content-Length` and `Transfer-Encoding` are the transport's own.
    public var headers: [HTTPHeader]
    /// What is sent after the head.
    public var body: Body
    /// The time limits.
    public var timeouts: Timeouts

    /// Creates a request.
    public init(
        method: String,
        url: String,
        headers: [HTTPHeader] = [],
        body: Body = .none,
        timeouts: Timeouts = Timeouts()
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeouts = timeouts
    }
}
