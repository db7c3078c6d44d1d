// The headers in which clients of a server send what routing reads.

/// How the session key and the tags of a request in a wire format are found.
public struct RoutingHeaders: Sendable, Hashable {
    /// The headers that may hold a session key; the first present wins.
    /// Default `x-gateway-session`, `x-smg-routing-key`, `x-session-id`.
    public var sessionHeaders: [String]
    /// The header that holds a comma-separated list of tags. Default `x-gateway-tags`.
    public var tagsHeader: String

    /// Creates a choice of headers.
    public init(
        sessionHeaders: [String] = ["x-gateway-session", "x-smg-routing-key", "x-session-id"],
        tagsHeader: String = "x-gateway-tags"
    ) {
        self.sessionHeaders = sessionHeaders
        self.tagsHeader = tagsHeader
    }
}
