// What is known about a request once it is over, for metrics and the access log.

public import ModelGateway

/// A finished request as the server saw it.
public struct RequestRecord: Sendable {
    /// How a request ended.
    public enum Outcome: String, Sendable {
        /// The whole response was handed to the connection.
        case completed
        /// The client went away before its response was complete.
        case clientGone = "client_gone"
        /// The server ended the response: the client did not read, or the time to drain was over.
        case aborted
    }

    /// The id that the client received in `x-request-id`; empty for requests that never had a readable head.
    public var requestID: String
    /// The method, such as `POST`.
    public var method: String
    /// The path without its query.
    public var path: String
    /// The status that was sent; 499 if the client went away before one was.
    public var status: Int
    /// The size of the request's body in bytes, as far as it was read.
    public var requestBytes: Int
    /// The size of the response's body in bytes.
    public var responseBytes: Int
    /// From the request's head to the end of the response.
    public var duration: Duration
    /// From the request's head to the first byte of the response, if there was one.
    public var timeToFirstByte: Duration?
    /// How the request ended.
    public var outcome: Outcome
    /// Where the request came from.
    public var sender: RequestSender
}

/// Something that wants to know about each finished request, and about connections.
///
/// Called once for each request on the connection's event loop: it must return quickly and must not block.
public protocol RequestObserver: Sendable {
    /// A request is over.
    func requestFinished(_ record: RequestRecord)

    /// A client has connected.
    func connectionOpened()

    /// A connection is closed.
    func connectionClosed()

    /// A certificate of the server's TLS has been read, at the start or because its file changed.
    /// - Parameters:
    ///   - name: The first of the names that it is for; `default` for the server's own.
    ///   - time: When it expires, in seconds since 1970.
    func certificateLoaded(_ name: String, expiresAt time: Int)
}

extension RequestObserver {
    public func connectionOpened() {}
    public func connectionClosed() {}
    public func certificateLoaded(_ name: String, expiresAt time: Int) {}
}
