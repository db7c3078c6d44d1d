// TLS to engines and hosted providers: the settings as NIOSSL takes them, and the check of pinned keys.

import Crypto
import GatewayWire
import ModelGateway
import NIOCore
import NIOSSL

/// What all TLS connections of a transport have in common.
struct UpstreamTLS: Sendable {
    private let context: NIOSSLContext
    private let serverName: String?
    private let pins: Set<String>

    /// Reads the files that the settings name. Blocks meanwhile.
    /// - Throws: ``GatewayError/Code/configuration`` that names the file which cannot be used.
    init(_ options: TLSOptions, offersHTTP2: Bool) throws(GatewayError) {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = options.minimumVersion == .tls13 ? .tlsv13 : .tlsv12
        configuration.renegotiationSupport = .none
        configuration.applicationProtocols = offersHTTP2 ? ["h2", "http/1.1"] : ["http/1.1"]
        if !options.verifiesCertificate { configuration.certificateVerification = .none }
        if let file = options.caFile {
            let authorities = try CertificateFile(file, "file of certificate authorities").certificates()
            configuration.trustRoots = .certificates(authorities)
        }
        if let file = options.certificateFile {
            try Self.add(CertificateFile(file, "client certificate"), options, to: &configuration)
        }
        do {
            context = try NIOSSLContext(configuration: configuration)
        } catch NIOSSLError.failedToLoadPrivateKey {
            throw CertificateFile(options.keyFile ?? "", "private key").error("does not fit the client certificate")
        } catch {
            throw GatewayError(.configuration, "TLS cannot be set up with these certificates and keys: \(error).")
        }
        serverName = options.serverName
        pins = Set(options.pins)
    }

    private static func add(
        _ file: CertificateFile,
        _ options: TLSOptions,
        to configuration: inout TLSConfiguration
    ) throws(GatewayError) {
        guard let keyFile = options.keyFile else { throw file.error("has no private key: name its file, too") }
        let key = try CertificateFile(keyFile, "private key").privateKey(password: options.keyPassword)
        configuration.certificateChain = try file.certificates().map { .certificate($0) }
        configuration.privateKey = .privateKey(key)
    }

    /// The handler that makes a connection secure.
    /// - Parameter host: The host of the URL.
    func handler(for host: String) throws -> NIOSSLClientHandler {
        let name = serverName ?? host
        // An address is compared with those in the certificate, and not sent (RFC 6066 §3).
        let isAddress = (try? SocketAddress(ipAddress: name, port: 0)) != nil
        return try NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : name)
    }

    /// Whether the server has one of the keys that were pinned, if there are any.
    func isPinned(_ handler: NIOSSLClientHandler) -> Bool {
        guard !pins.isEmpty else { return true }
        guard let key = try? handler.peerCertificate?.extractPublicKey().toSPKIBytes() else { return false }
        var sum: [UInt8] = []
        SHA256.hash(data: key).withUnsafeBytes { Base64.encode($0, to: &sum) }
        return pins.contains(String(decoding: sum, as: UTF8.self))
    }
}
