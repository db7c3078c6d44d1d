// What the library asks of an HTTP client: one request out, one response head back, a body pulled in batches.

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
