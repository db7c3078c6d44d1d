// The certificate that a client has shown in the handshake, and the names in it.

import Crypto
import ModelGateway
import NIOCore
import NIOSSL
import SwiftASN1
import X509

extension ClientCertificate {
    /// Describes a certificate that was verified.
    /// - Returns: Nil if it cannot be read, which a verified one can.
    init?(_ certificate: NIOSSLCertificate) {
        guard let bytes = try? certificate.toDERBytes(), let parsed = try? Certificate(derEncoded: bytes) else {
            return nil
        }
        var (uris, dnsNames, emails): ([String], [String], [String]) = ([], [], [])
        for name in (try? parsed.extensions.subjectAlternativeNames) ?? SubjectAlternativeNames([]) {
            switch name {
            case .uniformResourceIdentifier(let uri): uris.append(uri)
            case .dnsName(let name): dnsNames.append(name)
            case .rfc822Name(let address): emails.append(address)
            default: break
            }
        }
        self.init(
            subject: parsed.subject.description,
            fingerprint: Hexadecimal.text(SHA256.hash(data: bytes)),
            uris: uris,
            dnsNames: dnsNames,
            emails: emails
        )
    }
}

/// Bytes as digits.
enum Hexadecimal {
    static func text(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { byte in
            let digits = String(byte, radix: 16)
            return byte < 16 ? "0" + digits : digits
        }.joined()
    }
}
