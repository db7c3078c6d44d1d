// Which client certificates are refused although an authority that is trusted has issued them.

import Crypto
import ModelGateway
import NIOCore
import NIOSSL

/// The list of denied certificates, by their SHA-256 sums. There is no other way to revoke one before it expires.
struct ClientCertificateRule: Sendable {
    /// A client's certificate is on the list.
    struct Denied: Error {}

    private let denied: Set<String>

    /// - Parameter denied: Sums in hexadecimal digits, with or without colons.
    init(denied: [String]) {
        self.denied = Set(denied.map { $0.lowercased().filter { $0 != ":" } })
    }

    /// Looks at the certificate of a client whose handshake has just ended.
    ///
    /// By then it is too late for an alert: NIOSSL lets a program take part in the handshake only by taking the place of
    /// all of BoringSSL's checks, which are worth more than the alert. Such a client sees the connection close.
    func check(_ channel: any Channel) throws {
        guard !denied.isEmpty else { return }
        let tls = try channel.pipeline.syncOperations.handler(type: NIOSSLServerHandler.self)
        guard let certificate = tls.peerCertificate else { return }
        let sum = SHA256.hash(data: try certificate.toDERBytes())
        if denied.contains(Hexadecimal.text(sum)) { throw Denied() }
    }
}
