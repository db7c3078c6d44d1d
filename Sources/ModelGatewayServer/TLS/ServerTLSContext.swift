// The settings of the server's TLS as NIOSSL takes them.

import GatewaySystem
import GatewayWire
import ModelGateway
import NIOCore
import NIOSSL

/// What new connections are made secure with.
struct ServerTLSContext: Sendable {
    let context: NIOSSLContext
    /// When each certificate expires, in seconds since 1970, by its first name; `default` for the server's own.
    let expiries: [(name: String, time: Int)]

    /// A certificate that is ready to be shown, and for whom.
    private struct Named: Sendable {
        let names: [String]
        let chain: [NIOSSLCertificateSource]
        let key: NIOSSLPrivateKeySource
        let expiry: Int
    }

    /// Reads the files and checks that they fit together. Blocks meanwhile.
    /// - Throws: ``GatewayError/Code/configuration`` that names the file which cannot be used.
    init(_ settings: Configuration.ServerTLS) throws(GatewayError) {
        let first = Configuration.ServerTLS.NamedCertificate(
            certificateFile: settings.certificateFile,
            keyFile: settings.keyFile,
            keyPassword: settings.keyPassword
        )
        let standard = try Self.load(first)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: standard.chain,
            privateKey: standard.key
        )
        configuration.minimumTLSVersion = settings.minimumVersion == .tls13 ? .tlsv13 : .tlsv12
        configuration.cipherSuiteValues = Self.ciphers
        configuration.renegotiationSupport = .none
        configuration.applicationProtocols = settings.alpn.map(\.rawValue)
        try Self.askClients(settings, &configuration)
        var further: [Named] = []
        for certificate in settings.sni { further.append(try Self.load(certificate)) }
        if !further.isEmpty || settings.strictSNI {
            let isStrict = settings.strictSNI
            configuration.sslContextCallback = { [further] values, promise in
                promise.completeWith(Self.choose(values.serverHostname, further, isStrict: isStrict))
            }
        }
        context = try Self.context(configuration, first)
        expiries = [("default", standard.expiry)] + further.map { ($0.names.first ?? "", $0.expiry) }
    }

    /// Forward secret and authenticated ones only (RFC 9325 §4.2).
    private static let ciphers: [NIOTLSCipher] = [
        .TLS_AES_128_GCM_SHA256, .TLS_AES_256_GCM_SHA384, .TLS_CHACHA20_POLY1305_SHA256,
        .TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, .TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        .TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, .TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        .TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, .TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ]

    private static func load(_ named: Configuration.ServerTLS.NamedCertificate) throws(GatewayError) -> Named {
        let file = CertificateFile(named.certificateFile, "server certificate")
        let chain = try file.certificates()
        let expiry = chain.first.map { Int($0.notValidAfter) } ?? 0
        if expiry < WallClock.unixSeconds() { throw file.error("has expired") }
        let key = try CertificateFile(named.keyFile, "private key").privateKey(password: named.keyPassword)
        let loaded = Named(
            names: named.names.map { $0.lowercased() },
            chain: chain.map { .certificate($0) },
            key: .privateKey(key),
            expiry: expiry
        )
        // The library compares them when it makes a context.
        _ = try context(.makeServerConfiguration(certificateChain: loaded.chain, privateKey: loaded.key), named)
        return loaded
    }

    private static func context(
        _ configuration: TLSConfiguration,
        _ named: Configuration.ServerTLS.NamedCertificate
    ) throws(GatewayError) -> NIOSSLContext {
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch NIOSSLError.failedToLoadPrivateKey {
            let problem = "does not fit the server certificate \(named.certificateFile)"
            throw CertificateFile(named.keyFile, "private key").error(problem)
        } catch {
            throw GatewayError(.configuration, "TLS cannot be set up with these certificates and keys: \(error).")
        }
    }

    private static func askClients(
        _ settings: Configuration.ServerTLS,
        _ configuration: inout TLSConfiguration
    ) throws(GatewayError) {
        guard settings.clientAuthentication != .none else { return }
        guard let file = settings.clientCAFile else {
            throw GatewayError(
                .configuration,
                "Clients are asked for certificates, and client_ca_file does not say whose authorities are trusted."
            )
        }
        let authorities = try CertificateFile(file, "file of the clients' certificate authorities").certificates()
        configuration.trustRoots = .certificates(authorities)
        configuration.certificateVerification =
            settings.clientAuthentication == .required ? .noHostnameVerification : .optionalVerification
        configuration.sendCANameList = true
    }

    private struct UnknownServerName: Error {}

    /// The certificate for the name that a client asks for.
    private static func choose(
        _ name: String?,
        _ further: [Named],
        isStrict: Bool
    ) -> Result<NIOSSLContextConfigurationOverride, any Error> {
        var choice = NIOSSLContextConfigurationOverride()
        guard let name = name?.lowercased() else { return .success(choice) }
        if let match = further.first(where: { $0.names.contains { matches(name, $0) } }) {
            choice.certificateChain = match.chain
            choice.privateKey = match.key
        } else if isStrict {
            return .failure(UnknownServerName())
        }
        return .success(choice)
    }

    /// Whether a name is the pattern, or has one label where the pattern has a star (RFC 6125 §6.4.3).
    static func matches(_ name: String, _ pattern: String) -> Bool {
        guard pattern.hasPrefix("*.") else { return name == pattern }
        guard let dot = name.firstIndex(of: "."), dot != name.startIndex else { return false }
        return name[dot...] == pattern.dropFirst()
    }
}
