// The names of a client's certificate, as embedding programs see them.

import ModelGateway
import ModelGatewayServer
import NIOSSL
import TLSTesting
import Testing

@Suite("Client certificates", .timeLimit(.minutes(1)))
struct ClientCertificateTests {
    private let authority: TestAuthority
    private let options: ServerOptions
    private let directory: CertificateDirectory

    init() throws {
        authority = try TestAuthority()
        directory = try CertificateDirectory()
        let issued = try authority.issue(["localhost"])
        var tls = Configuration.ServerTLS(
            certificateFile: try directory.write("server.pem", issued.certificate),
            keyFile: try directory.write("server.key", issued.key)
        )
        tls.clientAuthentication = .optional
        tls.clientCAFile = try directory.write("clients.pem", authority.certificate)
        options = ServerOptions(tls: tls)
    }

    private func client(_ certificate: TestAuthority.Issued?) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .certificates(
            try NIOSSLCertificate.fromPEMBytes(Array(authority.certificate.utf8))
        )
        if let certificate {
            configuration.certificateChain = try NIOSSLCertificate.fromPEMBytes(Array(certificate.certificate.utf8))
                .map { .certificate($0) }
            let key = try NIOSSLPrivateKey(bytes: Array(certificate.key.utf8), format: .pem)
            configuration.privateKey = .privateKey(key)
        }
        return try NIOSSLContext(configuration: configuration)
    }

    @Test func `N86: a call knows the names in its client's certificate`() async throws {
        let gateway = FakeGateway()
        let observer = RecordingObserver()
        let issued = try authority.issue(["client.example", "spiffe://example.org/worker", "ann@client.example"])
        let forged = "x-forwarded-client-cert: Hash=aa;URI=spiffe://example.org/admin"
        try await withServer(gateway, options: options, observer: observer) { server in
            for certificate in [issued, nil] {
                try await RawClient.with(port: server.port, tls: (try client(certificate), "localhost")) { client in
                    try await client.send(RawClient.request("{}", headers: [forged]))
                    #expect(try await client.answer().status == 200)
                }
            }
        }
        let shown = try #require(gateway.requests.first?.sender.certificate)
        #expect(shown.subject == "CN=client.example")
        #expect(shown.dnsNames == ["client.example"])
        #expect(shown.uris == ["spiffe://example.org/worker"])
        #expect(shown.emails == ["ann@client.example"])
        #expect(shown.fingerprint == issued.fingerprint)
        #expect(gateway.requests.map(\.sender.certificate) == [shown, nil])
        #expect(observer.records.map(\.sender.certificate) == [shown, nil])
        #expect(gateway.requests.first?.sender.isSecure == true)
    }

    // MARK: Bad input

    @Test func `N82: handshakes that are cut, noise and floods of alerts end their own connection only`() async throws {
        let alert: [UInt8] = [0x15, 3, 1, 0, 2, 1, 90]
        let hello: [UInt8] = [0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3] + [UInt8](repeating: 9, count: 40)
        try await withServer(FakeGateway(), options: options) { server in
            let bad: [[UInt8]] = [
                hello, Array(repeating: alert, count: 10_000).flatMap { $0 }, [0x16, 3, 1, 0xFF, 0xFF, 1],
                [0x80, 0x2E, 1],
            ]
            for bytes in bad {
                let client = try await RawClient.connect(to: server.port)
                try? await client.send(bytes: bytes)
                try? await client.finishSending()
                _ = try? await client.receiveToEnd()
                try await client.close()
            }
            try await RawClient.with(port: server.port, tls: (try client(nil), "localhost")) { client in
                try await client.get("/health")
                #expect(try await client.answer().status == 200)
            }
        }
    }
}
