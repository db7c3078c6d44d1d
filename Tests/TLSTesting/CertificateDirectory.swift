// Certificates and keys in files, as settings name them, for the time of a test.

import Foundation
public import NIOSSL

/// A directory of its own, which goes with the last reference.
public final class CertificateDirectory: Sendable {
    private let directory: URL

    public init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "certificates-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: directory)
    }

    /// Writes a file, or another one in its place.
    /// - Returns: Its path.
    @discardableResult
    public func write(_ name: String, _ text: String) throws -> String {
        let file = directory.appending(path: name)
        try Data(text.utf8).write(to: file, options: .atomic)
        return file.path()
    }

    /// The settings of a server with this certificate.
    public func server(_ issued: TestAuthority.Issued) throws -> TLSConfiguration {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMBytes(Array(issued.certificate.utf8)).map {
                .certificate($0)
            },
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(issued.key.utf8), format: .pem))
        )
        configuration.minimumTLSVersion = .tlsv12
        return configuration
    }
}
