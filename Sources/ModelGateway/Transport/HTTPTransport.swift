// What the library asks of an HTTP client: one request out, one response head back, a body pulled in batches.

import GatewayWire

/// One request to a provider.
public struct HTTPTransportRequest: Sendable {
    /// What is sent after the head.
    public enum Body: Sendable {
        /// No body.
        case none
        /// A body that is in memory.
        case bytes([UInt8])
        /// A body that is pulled while it is sent; with its length if that is known, chunked otherwise.
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
    /// The limits of time.
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

/// The head of a provider's response, and its body to pull.
public struct HTTPTransportResponse: Sendable {
    /// The status code of the final (not 1xx) response.
    public var status: Int
    /// The header lines.
    public var headers: HTTPHeaderBlock
    /// The body. Ends with nil only if it arrived whole by the rules of its framing; a cut one throws
    /// ``GatewayError/Code/truncatedResponse``.
    public var body: any ByteStream

    /// Creates a response.
    public init(status: Int, headers: HTTPHeaderBlock, body: any ByteStream) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// An HTTP client that providers send their requests with.
///
/// ``CurlTransport`` is the implementation that comes with the library. Write another one to use a client that your
/// program has already.
public protocol HTTPTransport: Sendable {
    /// Sends a request and returns once the final response head has arrived.
    ///
    /// Cancelling the task closes the socket. Redirects are not followed: a 3xx is returned as it is.
    /// - Throws: ``GatewayError`` that names the phase which failed; never with credentials or the URL's user info in it.
    func send(_ request: HTTPTransportRequest) async throws(GatewayError) -> HTTPTransportResponse

    /// The executor on which a task that uses this transport runs with the fewest thread changes, if there is one.
    var preferredExecutor: (any TaskExecutor)? { get }
}

extension HTTPTransport {
    public var preferredExecutor: (any TaskExecutor)? { nil }
}
