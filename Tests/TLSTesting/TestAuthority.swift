// A certificate authority that lives as long as a test, and what it issues.

public import Crypto
public import Foundation
import SwiftASN1
import X509

/// Issues certificates for tests, good ones and bad ones.
public struct TestAuthority: Sendable {
    /// A certificate and its key in PEM form.
    public struct Issued: Sendable {
        public let certificate: String
        public let key: String
        /// The SHA-256 sum of the public key in Base64, as pins have it.
        public let pin: String
        /// The SHA-256 sum of the certificate in hexadecimal digits.
        public let fingerprint: String
    }

    private let authority: Certificate
    private let key: P256.Signing.PrivateKey
    /// The authority's own certificate in PEM form.
    public let certificate: String

    public init(_ name: String = "Test Authority") throws {
        key = P256.Signing.PrivateKey()
        let subject = try DistinguishedName { CommonName(name) }
        authority = try Certificate(
            version: .v3,
            serialNumber: Certificate.SerialNumber(),
            publicKey: Certificate.PublicKey(key.publicKey),
            notValidBefore: Date(timeIntervalSinceNow: -3600),
            notValidAfter: Date(timeIntervalSinceNow: 86_400),
            issuer: subject,
            subject: subject,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
            },
            issuerPrivateKey: Certificate.PrivateKey(key)
        )
        certificate = try authority.serializeAsPEM().pemString
    }

    /// A certificate for a server or a client.
    /// - Parameters:
    ///   - names: DNS names, IPv4 addresses, URIs and e-mail addresses that it is for.
    ///   - key: Its key; a new one if left out.
    ///   - from: Seconds from now at which it becomes valid.
    ///   - until: Seconds from now at which it expires.
    public func issue(
        _ names: [String],
        key: P256.Signing.PrivateKey = P256.Signing.PrivateKey(),
        from: TimeInterval = -60,
        until: TimeInterval = 86_400
    ) throws -> Issued {
        let certificate = try Certificate(
            version: .v3,
            serialNumber: Certificate.SerialNumber(),
            publicKey: Certificate.PublicKey(key.publicKey),
            notValidBefore: Date(timeIntervalSinceNow: from),
            notValidAfter: Date(timeIntervalSinceNow: until),
            issuer: authority.subject,
            subject: try DistinguishedName { CommonName(names.first ?? "nobody") },
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                SubjectAlternativeNames(names.map(Self.name))
            },
            issuerPrivateKey: Certificate.PrivateKey(self.key)
        )
        var serializer = DER.Serializer()
        try serializer.serialize(certificate)
        return Issued(
            certificate: try certificate.serializeAsPEM().pemString,
            key: key.pemRepresentation,
            pin: Data(SHA256.hash(data: key.publicKey.derRepresentation)).base64EncodedString(),
            fingerprint: SHA256.hash(data: serializer.serializedBytes).map { String(format: "%02x", $0) }.joined()
        )
    }

    private static func name(_ text: String) -> GeneralName {
        let bytes = text.split(separator: ".").compactMap { UInt8($0) }
        if bytes.count == 4 { return .ipAddress(ASN1OctetString(contentBytes: bytes[...])) }
        if text.contains("@") { return .rfc822Name(text) }
        return text.contains("://") ? .uniformResourceIdentifier(text) : .dnsName(text)
    }
}
