// How a transport makes its connections to https servers secure.

/// The settings of TLS for connections to providers.
///
/// Certificates are verified against the system's authorities, or those of ``caFile``, and against the host of the URL.
public struct TLSOptions: Sendable, Hashable {
    /// A version of the protocol.
    public enum Version: String, Sendable, Hashable, CaseIterable {
        /// TLS 1.2 (RFC 5246).
        case tls12 = "1.2"
        /// TLS 1.3 (RFC 8446).
        case tls13 = "1.3"
    }

    /// A PEM file of the certificate authorities to trust instead of the system's. Default: nil.
    public var caFile: String?
    /// A PEM file with the client's certificate and the intermediate ones after it, for servers that ask for one.
    /// Default: nil. Needs ``keyFile``.
    public var certificateFile: String?
    /// A PEM file with the private key of ``certificateFile``. Default: nil.
    public var keyFile: String?
    /// What ``keyFile`` is encrypted with. Default: nil; an encrypted key then cannot be used.
    public var keyPassword: Secret?
    /// The oldest version that is spoken. Default: ``Version/tls12``.
    public var minimumVersion: Version
    /// The name that the server is asked for (RFC 6066 §3) and that its certificate must have, instead of the URL's host.
    /// Default: nil.
    public var serverName: String?
    /// SHA-256 sums of public keys (the SubjectPublicKeyInfo, RFC 7469 §2.4) in Base64. If there are any, the server's
    /// certificate must have one of these keys, and be valid besides. Default: none.
    public var pins: [String]
    /// Whether the server's certificate is verified. Without that anybody on the way can read and change what is sent.
    /// Default: true. Pins hold even if it is false.
    public var verifiesCertificate: Bool

    /// Creates settings; all have defaults.
    public init(
        caFile: String? = nil,
        certificateFile: String? = nil,
        keyFile: String? = nil,
        keyPassword: Secret? = nil,
        minimumVersion: Version = .tls12,
        serverName: String? = nil,
        pins: [String] = [],
        verifiesCertificate: Bool = true
    ) {
        self.caFile = caFile
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        self.keyPassword = keyPassword
        self.minimumVersion = minimumVersion
        self.serverName = serverName
        self.pins = pins
        self.verifiesCertificate = verifiesCertificate
    }

    /// The Base64 text of a pin as a configuration may write it, without the `sha256//` or `sha256/` of other programs.
    /// - Returns: Nil if it is not the sum of a key.
    package static func pin(_ text: some StringProtocol) -> String? {
        var sum = text.drop { $0 == " " }
        for prefix in ["sha256//", "sha256/", "sha256:"] where sum.hasPrefix(prefix) {
            sum = sum.dropFirst(prefix.count)
        }
        let isBase64 = sum.utf8.dropLast().allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
                true
            default: false
            }
        }
        return isBase64 && sum.utf8.count == 44 && sum.hasSuffix("=") ? String(sum) : nil
    }
}
