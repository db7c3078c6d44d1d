// What the library asks of an HTTP client: one request out, one response head back, a body pulled in batches.

import GatewayWire

/// One header line. Names are compared without regard to case.
public struct HTTPHeader: Sendable, Hashable {
    /// The field name, such as `content-type`.
    public var name: String
    /// The field value, without surrounding white space.
    public var value: String

    /// Creates a header line.
    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    /// Whether the line has this name; ASCII case does not matter.
    public func isNamed(_ name: String) -> Bool {
        self.name.withBytes { own in name.withBytes { own.equalsIgnoringCase($0) } }
    }
}

/// Limits of time for one attempt on a deployment. Zero means no limit.
public struct Timeouts: Sendable, Hashable {
    /// Name resolution, TCP connect and TLS handshake together. Default 5 s.
    public var connect: Duration
    /// From the request being sent to the first byte of the response. Default 60 s.
    public var firstByte: Duration
    /// Between two reads of the response body. Default 60 s. Time during which the consumer holds the body back does not count.
    public var idle: Duration
    /// The whole attempt, from start to the last byte. Default 600 s.
    public var total: Duration

    /// Creates a set of limits.
    public init(
        connect: Duration = .seconds(5),
        firstByte: Duration = .seconds(60),
        idle: Duration = .seconds(60),
        total: Duration = .seconds(600)
    ) {
        self.connect = connect
        self.firstByte = firstByte
        self.idle = idle
        self.total = total
    }
}

/// Takes batches of body bytes that are handed over; see ``ByteStream/forward(to:)``.
public typealias BodyReceiver = @Sendable (_ bytes: [UInt8], _ isLast: Bool) -> Bool

/// A source of body bytes that is pulled, so that a slow receiver slows its producer.
public protocol ByteStream: AnyObject, Sendable {
    /// The next batch of bytes, never empty, or nil at the end of the body and ever after.
    ///
    /// Must not be called again while a call is pending. A cancelled task makes it throw ``GatewayError/Code/cancelled``
    /// and releases the source.
    func next() async throws(GatewayError) -> [UInt8]?

    /// Hands over each batch as it comes in, without waking the task in between if the source can do that: a relay of
    /// many streams spends less on each event. By default calls ``next()``.
    ///
    /// Must not be called while ``next()`` or another call is pending. Cancellation is that of ``next()``.
    /// - Parameter receive: Takes a batch, never empty, is told whether it is known to be the last one, and says whether
    ///   it wants more at once. Called on any thread, one call at a time, and must not block.
    /// - Returns: Whether the body has ended; false if the receiver wanted no more. A later call goes on.
    func forward(to receive: @escaping BodyReceiver) async throws(GatewayError) -> Bool

    /// Gives the source up: the connection behind it is closed unless the body was already read to its end. Idempotent.
    func cancel()

    /// Says that the consumer has all it needs although the end was not read yet. The transport may read a small rest so
    /// that the connection can be used again, and must not wait long for it. By default the same as ``cancel()``.
    func discard()
}

extension ByteStream {
    /// Calls ``next()`` until the body ends or the receiver wants no more.
    public func forward(to receive: @escaping BodyReceiver) async throws(GatewayError) -> Bool {
        while let bytes = try await next() {
            guard receive(bytes, false) else { return false }
        }
        return true
    }

    /// The same as ``cancel()``.
    public func discard() { cancel() }
}

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
