// TLS of the HTTP server: its certificates, and what it asks of its clients.

extension Configuration {
    /// How the server speaks TLS.
    ///
    /// Clients can resume sessions. The TLS library remembers the last 20,480 of them for two hours, and has no setting for
    /// that: a server with many new connections grows by about 130 MB and then no more.
    public struct ServerTLS: Sendable, Hashable {
        /// Whether clients show certificates.
        public enum ClientAuthentication: String, Sendable, Hashable, CaseIterable {
            /// They are not asked for one.
            case none
            /// They are asked for one, and may have none; one that they show must be valid.
            case optional
            /// A client without a valid one is refused in the handshake.
            case required
        }

        /// A protocol that is offered to clients in the handshake (RFC 7301).
        public enum ApplicationProtocol: String, Sendable, Hashable, CaseIterable {
            /// HTTP/2.
            case http2 = "h2"
            /// HTTP/1.1.
            case http1 = "http/1.1"
        }

        /// A certificate for some of the names under which the server is reached.
        public struct NamedCertificate: Sendable, Hashable {
            /// The names, such as `api.example.com` or `*.example.com`, for one label before the dot.
            public var names: [String]
            /// A PEM file with the certificate and the intermediate ones after it.
            public var certificateFile: String
            /// A PEM file with its private key.
            public var keyFile: String
            /// What the key is encrypted with. Default nil.
            public var keyPassword: Secret?

            /// Creates a certificate for names.
            public init(names: [String] = [], certificateFile: String, keyFile: String, keyPassword: Secret? = nil) {
                self.names = names
                self.certificateFile = certificateFile
                self.keyFile = keyFile
                self.keyPassword = keyPassword
            }
        }

        /// A PEM file with the server's certificate and the intermediate ones after it.
        public var certificateFile: String
        /// A PEM file with its private key.
        public var keyFile: String
        /// What the key is encrypted with. Default nil.
        public var keyPassword: Secret?
        /// Further certificates, for clients that ask for one of their names (RFC 6066 §3). Default none.
        public var sni: [NamedCertificate]
        /// Whether clients that ask for a name which no certificate is configured for are refused. Default false: they
        /// get the server's certificate.
        public var strictSNI: Bool
        /// A PEM file of the authorities that issue the clients' certificates. Default nil.
        public var clientCAFile: String?
        /// Whether clients show certificates. Default ``ClientAuthentication/none``.
        public var clientAuthentication: ClientAuthentication
        /// The SHA-256 sums of client certificates that are refused although they are valid, in hexadecimal digits. There
        /// is no other way to revoke one before it expires. Default none.
        public var deniedClientCertificates: [String]
        /// The oldest version that is spoken. Default TLS 1.2.
        public var minimumVersion: TLSOptions.Version
        /// The versions of HTTP that are offered to clients, the preferred one first. Default HTTP/2 and HTTP/1.1. A client
        /// that does not choose is served HTTP/1.1.
        public var alpn: [ApplicationProtocol]
        /// How often the files are looked at, and taken over if they have changed; 0 for never. Default 60 s.
        public var reloadInterval: Duration
        /// The longest time for a handshake. Default 10 s.
        public var handshakeTimeout: Duration

        /// Creates the settings of TLS.
        public init(
            certificateFile: String,
            keyFile: String,
            keyPassword: Secret? = nil,
            sni: [NamedCertificate] = [],
            strictSNI: Bool = false,
            clientCAFile: String? = nil,
            clientAuthentication: ClientAuthentication = .none,
            deniedClientCertificates: [String] = [],
            minimumVersion: TLSOptions.Version = .tls12,
            alpn: [ApplicationProtocol] = [.http2, .http1],
            reloadInterval: Duration = .seconds(60),
            handshakeTimeout: Duration = .seconds(10)
        ) {
            self.certificateFile = certificateFile
            self.keyFile = keyFile
            self.keyPassword = keyPassword
            self.sni = sni
            self.strictSNI = strictSNI
            self.clientCAFile = clientCAFile
            self.clientAuthentication = clientAuthentication
            self.deniedClientCertificates = deniedClientCertificates
            self.minimumVersion = minimumVersion
            self.alpn = alpn
            self.reloadInterval = reloadInterval
            self.handshakeTimeout = handshakeTimeout
        }
    }
}
