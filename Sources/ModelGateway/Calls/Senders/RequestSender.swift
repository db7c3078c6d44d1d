// Who sent a request, as far as its connection and trusted proxies show it.

/// Where a request came from.
///
/// A server fills it in; a program reads it in its routes, or in the records of requests and calls.
public struct RequestSender: Sendable, Hashable {
    /// In one piece, because each record of a call carries it along.
    private final class Content: Sendable {
        let address: String?
        let isSecure: Bool
        let certificate: ClientCertificate?

        init(_ address: String?, _ isSecure: Bool, _ certificate: ClientCertificate?) {
            self.address = address
            self.isSecure = isSecure
            self.certificate = certificate
        }
    }

    /// Nil if everything is unknown.
    private let content: Content?

    /// The IP address of the client, as text; behind proxies that are trusted, the one that they name. Nil if it has none,
    /// as on a Unix domain socket.
    public var address: String? { content?.address }
    /// Whether the client spoke TLS, to this server or to a proxy that is trusted.
    public var isSecure: Bool { content?.isSecure ?? false }
    /// The certificate of which the client has proven that it has the key. An authority that is trusted has issued it.
    /// Nil if none was shown.
    public var certificate: ClientCertificate? { content?.certificate }

    /// Creates a sender; everything is unknown by default.
    public init(address: String? = nil, isSecure: Bool = false, certificate: ClientCertificate? = nil) {
        let isKnown = address != nil || isSecure || certificate != nil
        content = isKnown ? Content(address, isSecure, certificate) : nil
    }

    public static func == (left: RequestSender, right: RequestSender) -> Bool {
        left.content === right.content
            || left.address == right.address && left.isSecure == right.isSecure && left.certificate == right.certificate
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(address)
        hasher.combine(isSecure)
        hasher.combine(certificate)
    }
}
