// The names in a client's certificate, which say who the client is.

/// What a certificate says of its owner.
public struct ClientCertificate: Sendable, Hashable {
    /// In one piece, because most requests only pass it on.
    private final class Content: Sendable {
        let subject: String
        let fingerprint: String
        let uris: [String]
        let dnsNames: [String]
        let emails: [String]

        init(_ subject: String, _ fingerprint: String, _ uris: [String], _ dnsNames: [String], _ emails: [String]) {
            self.subject = subject
            self.fingerprint = fingerprint
            self.uris = uris
            self.dnsNames = dnsNames
            self.emails = emails
        }
    }

    private let content: Content

    /// The distinguished name of the owner (RFC 4514), such as `CN=client,O=Example`; empty if there is none.
    public var subject: String { content.subject }
    /// The SHA-256 sum of the whole certificate, in 64 lower-case hexadecimal digits.
    public var fingerprint: String { content.fingerprint }
    /// The URIs among its alternative names, such as `spiffe://example.org/worker`.
    public var uris: [String] { content.uris }
    /// The host names among its alternative names.
    public var dnsNames: [String] { content.dnsNames }
    /// The e-mail addresses among its alternative names.
    public var emails: [String] { content.emails }

    /// Creates a description of a certificate.
    public init(
        subject: String,
        fingerprint: String,
        uris: [String] = [],
        dnsNames: [String] = [],
        emails: [String] = []
    ) {
        content = Content(subject, fingerprint, uris, dnsNames, emails)
    }

    public static func == (left: ClientCertificate, right: ClientCertificate) -> Bool {
        left.content === right.content
            || left.fingerprint == right.fingerprint && left.subject == right.subject && left.uris == right.uris
                && left.dnsNames == right.dnsNames && left.emails == right.emails
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(fingerprint)
    }
}
