// Why a TLS handshake failed, in words that say what to do and name no host.

import GatewaySystem
import GatewayWire
import ModelGateway
import NIOCore
import NIOSSL
import SwiftASN1
import X509

enum HandshakeFailure {
    /// The reason where TLS gives none.
    static let closed = "the server closed the connection"

    /// The reason of a failed handshake with a server.
    /// - Parameters:
    ///   - error: What the TLS library says.
    ///   - certificate: The one that the server showed, as far as it came to that.
    static func reason(_ error: any Error, certificate: NIOSSLCertificate?) -> String {
        switch error {
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            return "the certificate is for another host name"
        case NIOSSLError.unableToValidateCertificate:
            return "the certificate is for another host name"
        case NIOSSLError.handshakeFailed(.sslError(let stack)):
            let text = text(of: stack)
            if text.contains("CERTIFICATE_VERIFY_FAILED") {
                let now = WallClock.unixSeconds()
                return "certificate problem: " + (certificate.map { verdict($0, now) } ?? "it is not trusted")
            }
            return meaning(of: text) ?? "the peers did not agree"
        case let error as IOError:
            return SystemFailure.reason(error.errnoCode)
        default:
            return "the peers did not agree"
        }
    }

    /// Why a server broke a connection off that stood, if it said so by an alert of TLS.
    static func refusal(_ error: (any Error)?) -> String? {
        guard case BoringSSLError.sslError(let stack)? = error else { return nil }
        return meaning(of: text(of: stack))
    }

    /// Why a client did not get through the handshake, for the log.
    static func ofClient(_ error: any Error) -> String {
        switch error {
        case NIOSSLError.handshakeFailed(.sslError(let stack)):
            // What follows is a place in the library's sources.
            let text = text(of: stack)
            return text.firstRange(of: " at /").map { String(text[..<$0.lowerBound]) } ?? text
        case is ClientCertificateRule.Denied: return "the client's certificate is denied"
        case let error as IOError: return SystemFailure.reason(error.errnoCode)
        default: return "\(error)"
        }
    }

    private static func text(of stack: NIOBoringSSLErrorStack) -> String {
        stack.map { "\($0)" }.joined(separator: " ")
    }

    private static func meaning(of text: String) -> String? {
        meanings.first { text.contains($0.mark) }?.reason
    }

    /// Names of BoringSSL's errors, and what they mean for the one who calls.
    private static let meanings: [(mark: String, reason: String)] = [
        ("WRONG_VERSION_NUMBER", "the server does not speak TLS on this port"),
        ("HTTP_REQUEST", "the server does not speak TLS on this port"),
        ("UNSUPPORTED_PROTOCOL", "the server does not speak a new enough version of TLS"),
        ("PROTOCOL_VERSION", "the server does not speak a new enough version of TLS"),
        ("CERTIFICATE_REQUIRED", TransportFailure.wantsCertificate),
        ("BAD_CERTIFICATE", "the server refuses the client certificate"),
        ("CERTIFICATE_EXPIRED", "the server says that the client certificate has expired"),
        ("CERTIFICATE_REVOKED", "the server says that the client certificate was revoked"),
        ("CERTIFICATE_UNKNOWN", "the server refuses the client certificate"),
        ("UNKNOWN_CA", "the server does not trust the authority of the client certificate"),
        ("UNRECOGNIZED_NAME", "the server has no certificate for this host name"),
        ("NO_RENEGOTIATION", "the server wants to renegotiate, which is not done"),
        ("EOF during handshake", closed),
    ]

    /// What is wrong with a certificate that was not accepted.
    private static func verdict(_ certificate: NIOSSLCertificate, _ now: Int) -> String {
        if Int(certificate.notValidAfter) < now { return "it has expired" }
        if Int(certificate.notValidBefore) > now { return "it is not valid yet; check the clock of this machine" }
        if let der = try? certificate.toDERBytes(), let parsed = try? Certificate(derEncoded: der),
            parsed.issuer == parsed.subject
        {
            return "it is self-signed; name it as ca_file to trust it"
        }
        return "it was issued by an authority that is not trusted; name that as ca_file to trust it"
    }
}
