// Certificates and private keys out of PEM files, with errors that say which file is wrong and how.

import ModelGateway
import NIOSSL

/// A PEM file that a setting names.
struct CertificateFile {
    let path: String
    /// What the file is for, as errors say it.
    let purpose: String

    /// A file of certificates is small; one with all authorities of a system has a few hundred KiB.
    private static let sizeLimit = 4 << 20

    init(_ path: String, _ purpose: String) {
        self.path = path
        self.purpose = purpose
    }

    /// The certificates in it, at least one. Blocks while it reads.
    /// - Throws: ``GatewayError/Code/configuration``.
    func certificates() throws(GatewayError) -> [NIOSSLCertificate] {
        let bytes = try read()
        guard let certificates = try? NIOSSLCertificate.fromPEMBytes(bytes), !certificates.isEmpty else {
            throw error("has no PEM certificate in it")
        }
        return certificates
    }

    /// The private key in it. Blocks while it reads.
    /// - Parameter password: What it is encrypted with.
    /// - Throws: ``GatewayError/Code/configuration``.
    func privateKey(password: Secret?) throws(GatewayError) -> NIOSSLPrivateKey {
        let bytes = try read()
        // Without a callback the library would ask for the password on the terminal.
        let key = try? NIOSSLPrivateKey(bytes: bytes, format: .pem) { setPassword in
            setPassword((password?.reveal() ?? "").utf8)
        }
        if let key { return key }
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.contains("PRIVATE KEY-----") else { throw error("has no PEM private key in it") }
        guard text.contains("ENCRYPTED") else { throw error("has a private key that cannot be read") }
        throw error(password == nil ? "is encrypted, and no password for it is configured" : "has another password")
    }

    /// The bytes of the file. Blocks while it reads.
    /// - Throws: ``GatewayError/Code/configuration``.
    func read() throws(GatewayError) -> [UInt8] {
        do {
            return try ConfigurationFile.read(path, limit: Self.sizeLimit)
        } catch {
            throw self.error("cannot be read: \(error.message)")
        }
    }

    func error(_ problem: String) -> GatewayError {
        GatewayError(.configuration, "The \(purpose) \(path) \(problem).")
    }
}
