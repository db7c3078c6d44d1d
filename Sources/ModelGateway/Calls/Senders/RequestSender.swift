// Who sent a request, as far as its connection and trusted proxies show it.

/// Where a request came from.
///
/// A server fills it in; a program reads it in its routes, or in the records of requests and calls.
public struct RequestSender: Sendable, Hashable {
    /// The IP address of the client, as text; behind proxies that are trusted, the one that they name. Nil if it has none,
    /// as on a Unix domain socket.
    public var address: String?
    /// Whether the client spoke TLS, to this server or to a proxy that is trusted.
    public var isSecure: Bool
    /// The certificate of which the client has proven that it has the key. An authority that is trusted has issued it.
    /// Nil if none was shown.
    public var certificate: ClientCertificate?

    /// Creates a sender; everything is unknown by default.
    public init(address: String? = nil, isSecure: Bool = false, certificate: ClientCertificate? = nil) {
        self.address = address
        self.isSecure = isSecure
        self.certificate = certificate
    }
}
