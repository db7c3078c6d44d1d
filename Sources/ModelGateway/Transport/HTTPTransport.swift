// What the library needs of an HTTP client: one request out, one response head back, a body pulled in batches.

/// The HTTP client that providers send their requests with.
///
/// ``CurlTransport`` is the implementation that comes with the library. Write your own to use a client that your
/// program already has.
public protocol HTTPTransport: Sendable {
    /// Sends a request and returns once the final response head has arrived.
    ///
    /// Cancelling the task closes the socket. Redirects are not followed: a 3xx is returned as it is.
    /// - Throws: ``GatewayError`` that names the phase that failed; it never contains credentials or the URL's user
    ///   info.
    func send(_ request: HTTPTransportRequest) async throws(GatewayError) -> HTTPTransportResponse

    /// Holds connections open for requests to come, and opens new ones in place of those that end.
    /// - Parameters:
    ///   - count: How many for each event loop; 0 closes what is unused again.
    ///   - url: A URL of the server that they lead to.
    func keepWarm(_ count: Int, to url: String)

    /// The executor on which a task that uses this transport switches threads least, if there is one.
    var preferredExecutor: (any TaskExecutor)? { get }
}

extension HTTPTransport {
    public var preferredExecutor: (any TaskExecutor)? { nil }

    /// Does nothing: requests open connections.
    public func keepWarm(_ count: Int, to url: String) {}
}
