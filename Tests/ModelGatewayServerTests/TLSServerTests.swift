// TLS of the server: versions, certificates that change, client certificates, names, and clients that never finish.

import GatewayWire
import ModelGateway
import ModelGatewayServer
import NIOCore
import NIOSSL
import ServiceLifecycle
import TLSTesting
import Testing

@Suite("TLS of the server", .timeLimit(.minutes(1)))
struct TLSServerTests {
    private let authority: TestAuthority
    private let directory: CertificateDirectory

    init() throws {
        authority = try TestAuthority()
        directory = try CertificateDirectory()
    }

    private func settings(_ issued: TestAuthority.Issued) throws -> Configuration.ServerTLS {
        Configuration.ServerTLS(
            certificateFile: try directory.write("server.pem", issued.certificate),
            keyFile: try directory.write("server.key", issued.key)
        )
    }

    private func options(_ tls: Configuration.ServerTLS) -> ServerOptions {
        var options = ServerOptions()
        options.tls = tls
        return options
    }

    private func client(
        _ authority: TestAuthority,
        certificate: TestAuthority.Issued? = nil,
        _ change: (inout TLSConfiguration) -> Void = { _ in }
    ) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .certificates(
            try NIOSSLCertificate.fromPEMBytes(Array(authority.certificate.utf8))
        )
        if let certificate {
            configuration.certificateChain = try NIOSSLCertificate.fromPEMBytes(Array(certificate.certificate.utf8))
                .map { .certificate($0) }
            configuration.privateKey = .privateKey(
                try NIOSSLPrivateKey(bytes: Array(certificate.key.utf8), format: .pem)
            )
        }
        change(&configuration)
        return try NIOSSLContext(configuration: configuration)
    }

    /// The status of `/health`, or nil if there was no answer.
    private func health(_ server: TestServer, _ tls: NIOSSLContext, name: String? = "localhost") async -> Int? {
        let request = "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        let answer = try? await RawClient.with(port: server.port, sending: request, tls: (tls, name)) { client in
            try await client.answer()
        }
        return answer?.status
    }

    @Test func `N82: TLS 1.2 and 1.3 are spoken, older versions are not`() async throws {
        let tls = try settings(authority.issue(["localhost"]))
        try await withServer(FakeGateway(), options: options(tls)) { server in
            for version in [TLSVersion.tlsv12, .tlsv13] {
                let context = try client(authority) {
                    $0.minimumTLSVersion = version
                    $0.maximumTLSVersion = version
                }
                #expect(await health(server, context) == 200)
            }
            let old = try client(authority) {
                $0.minimumTLSVersion = .tlsv1
                $0.maximumTLSVersion = .tlsv11
            }
            #expect(await health(server, old) == nil)
        }
    }

    @Test func `a call and its stream go through TLS`() async throws {
        let tls = try settings(authority.issue(["localhost"]))
        let context = try client(authority)
        let gateway = FakeGateway { _ throws(GatewayError) in .json(#"{"ok":true}"#) }
        try await withServer(gateway, options: options(tls)) { server in
            let request = RawClient.request(#"{"model":"m","messages":[]}"#)
            try await RawClient.with(port: server.port, tls: (context, "localhost")) { client in
                for _ in 0..<3 {
                    try await client.send(request)
                    let answer = try await client.answer()
                    #expect(answer.status == 200)
                    #expect(answer.body == #"{"ok":true}"#)
                }
            }
        }
    }

    @Test func `plain HTTP on a TLS port gets no answer`() async throws {
        let tls = try settings(authority.issue(["localhost"]))
        let context = try client(authority)
        try await withServer(FakeGateway(), options: options(tls)) { server in
            let answer = try? await server.once("GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(answer == nil)
            #expect(await health(server, context) == 200)
        }
    }

    @Test func `N84: a certificate is replaced while the server runs, and a key that does not fit is not taken`()
        async throws
    {
        let tls = try settings(authority.issue(["localhost"]))
        let other = try TestAuthority("Another Authority")
        let (first, second) = (try client(authority), try client(other))
        try await withServer(FakeGateway(), options: options(tls)) { server in
            let kept = try await RawClient.connect(to: server.port, tls: (first, "localhost"))
            try await kept.get("/health")
            #expect(try await kept.answer().status == 200)
            try directory.write("server.key", try authority.issue(["localhost"]).key)
            await server.reloadCertificates()
            #expect(await health(server, first) == 200)
            let issued = try other.issue(["localhost"])
            try directory.write("server.pem", issued.certificate)
            try directory.write("server.key", issued.key)
            await server.reloadCertificates()
            #expect(await health(server, second) == 200)
            #expect(await health(server, first) == nil)
            // A connection that stood goes on.
            try await kept.get("/health")
            #expect(try await kept.answer().status == 200)
            try await kept.close()
        }
    }

    @Test func `N85, N86: only clients of the authority that holds now are let in`() async throws {
        var tls = try settings(authority.issue(["localhost"]))
        let clients = try TestAuthority("Clients")
        let denied = try clients.issue(["denied.example"])
        tls.clientAuthentication = .required
        tls.clientCAFile = try directory.write("clients.pem", clients.certificate)
        tls.deniedClientCertificates = [denied.fingerprint]
        let stranger = try TestAuthority("Strangers")
        try await withServer(FakeGateway(), options: options(tls)) { server in
            let right = try client(authority, certificate: clients.issue(["client.example"]))
            let wrong: [(String, TestAuthority.Issued?)] = [
                ("none", nil), ("expired", try clients.issue(["client.example"], from: -600, until: -60)),
                ("of another authority", try stranger.issue(["client.example"])), ("denied", denied),
            ]
            #expect(await health(server, right) == 200)
            for (name, certificate) in wrong {
                #expect(await health(server, try client(authority, certificate: certificate)) == nil, "\(name)")
            }
            try directory.write("clients.pem", stranger.certificate)
            await server.reloadCertificates()
            #expect(await health(server, right) == nil)
            #expect(await health(server, try client(authority, certificate: stranger.issue(["x.example"]))) == 200)
        }
    }

    @Test func `clients may show no certificate where it is optional, but no wrong one`() async throws {
        var tls = try settings(authority.issue(["localhost"]))
        let clients = try TestAuthority("Clients")
        tls.clientAuthentication = .optional
        tls.clientCAFile = try directory.write("clients.pem", clients.certificate)
        try await withServer(FakeGateway(), options: options(tls)) { server in
            #expect(await health(server, try client(authority)) == 200)
            #expect(await health(server, try client(authority, certificate: clients.issue(["c.example"]))) == 200)
            let wrong = try TestAuthority("Strangers").issue(["c.example"])
            #expect(await health(server, try client(authority, certificate: wrong)) == nil)
        }
    }

    @Test(arguments: [false, true])
    func `N87: the name that a client asks for picks the certificate`(isStrict: Bool) async throws {
        var tls = try settings(authority.issue(["localhost"]))
        let other = try TestAuthority("Another Authority")
        for (index, name) in ["a.example", "*.b.example"].enumerated() {
            let issued = try other.issue([name])
            tls.sni.append(
                Configuration.ServerTLS.NamedCertificate(
                    names: [name],
                    certificateFile: try directory.write("\(index).pem", issued.certificate),
                    keyFile: try directory.write("\(index).key", issued.key)
                )
            )
        }
        tls.strictSNI = isStrict
        let (first, second) = (try client(authority), try client(other))
        let anyName = try client(authority) { $0.certificateVerification = .noHostnameVerification }
        try await withServer(FakeGateway(), options: options(tls)) { server in
            #expect(await health(server, second, name: "a.example") == 200)
            #expect(await health(server, second, name: "x.b.example") == 200)
            #expect(await health(server, second, name: "x.y.b.example") == nil)
            #expect(await health(server, anyName, name: "unknown.example") == (isStrict ? nil : 200))
            #expect(await health(server, anyName, name: nil) == 200)
            #expect(await health(server, first, name: "a.example") == nil)
        }
    }

    @Test func `N90: clients that never finish their handshakes lock nobody out`() async throws {
        let tls = try settings(authority.issue(["localhost"]))
        let context = try client(authority)
        var options = options(tls)
        options.maxConnections = 400
        try await withServer(FakeGateway(), options: options) { server in
            var silent: [RawClient] = []
            for _ in 0..<300 { silent.append(try await server.connect()) }
            for _ in 0..<3 { #expect(await health(server, context) == 200) }
            for client in silent { try await client.close() }
        }
    }

    @Test func `connections of one address are counted from their beginning, not from the end of the handshake`()
        async throws
    {
        let tls = try settings(authority.issue(["localhost"]))
        let context = try client(authority)
        var options = options(tls)
        options.maxConnectionsPerAddress = 2
        try await withServer(FakeGateway(), options: options) { server in
            let silent = [try await server.connect(), try await server.connect()]
            // As soon as the two have been accepted.
            while await health(server, context) != nil {}
            for client in silent { try await client.close() }
            while await health(server, context) != 200 {}
        }
    }

    @Test func `a client gets the version of HTTP that is preferred, or HTTP 1 if it names none`() async throws {
        var tls = try settings(authority.issue(["localhost"]))
        for (alpn, expected) in [([.http2, .http1], "h2"), ([.http1], "http/1.1")]
            as [(
                [Configuration.ServerTLS.ApplicationProtocol], String
            )]
        {
            tls.alpn = alpn
            try await withServer(FakeGateway(), options: options(tls)) { server in
                let both = try client(authority) { $0.applicationProtocols = ["http/1.1", "h2"] }
                let client = try await RawClient.connect(to: server.port, tls: (both, "localhost"))
                #expect(await client.negotiatedProtocol() == expected)
                try await client.close()
                #expect(await health(server, try self.client(authority)) == 200)
            }
        }
    }

    @Test func `the server says when its certificates expire`() async throws {
        let observer = RecordingObserver()
        var tls = try settings(authority.issue(["localhost"], until: 1000))
        let other = try authority.issue(["a.example"], until: 2000)
        tls.sni = [
            Configuration.ServerTLS.NamedCertificate(
                names: ["a.example", "b.example"],
                certificateFile: try directory.write("a.pem", other.certificate),
                keyFile: try directory.write("a.key", other.key)
            )
        ]
        try await withServer(FakeGateway(), options: options(tls), observer: observer) { server in
            let before = observer.certificates
            #expect(before.keys.sorted() == ["a.example", "default"])
            let issued = try authority.issue(["localhost"], until: 3000)
            try directory.write("server.pem", issued.certificate)
            try directory.write("server.key", issued.key)
            await server.reloadCertificates()
            let after = observer.certificates
            #expect(after["a.example"] == before["a.example"])
            #expect((after["default"] ?? 0) - (before["default"] ?? 0) >= 2000)
        }
    }

    @Test func `health checks have a port of their own in plain HTTP, which answers nothing else`() async throws {
        var options = options(try settings(authority.issue(["localhost"])))
        options.healthPort = 0
        let stream = FakeStream(["data: 1\n\n"])
        let gateway = FakeGateway { _ throws(GatewayError) in .events(stream) }
        let context = try client(authority)
        try await withServer(gateway, options: options) { server in
            let port = try #require(server.healthPort)
            func status(_ path: String, _ method: String = "GET") async throws -> Int {
                let request = "\(method) \(path) HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
                return try await server.once(request, toHead: method == "HEAD", port: port).status
            }
            for path in ["/health", "/liveness", "/readiness"] { #expect(try await status(path) == 200) }
            #expect(try await status("/health", "HEAD") == 200)
            for path in ["/v1/models", "/metrics", "/workers", "/"] { #expect(try await status(path) == 404) }
            #expect(try await status("/v1/chat/completions", "POST") == 404)
            // While the last calls are drained it goes on.
            let call = try await RawClient.connect(to: server.port, tls: (context, "localhost"))
            try await call.post(#"{"model":"m"}"#)
            _ = try await call.receive(until: "data: 1")
            await server.group.triggerGracefulShutdown()
            while try await status("/readiness") != 503 {}
            #expect(try await status("/health") == 200)
            stream.finish()
            _ = try await call.receiveToEnd()
            await server.ended.reached(1)
        }
    }

    @Test func `files that cannot be used are named before the server listens`() async throws {
        let issued = try authority.issue(["localhost"])
        let good = try settings(issued)
        let other = try directory.write("other.key", try authority.issue(["localhost"]).key)
        let old = try authority.issue(["localhost"], from: -600, until: -60)
        var expired = good
        expired.certificateFile = try directory.write("old.pem", old.certificate)
        expired.keyFile = try directory.write("old.key", old.key)
        var cases = [(expired, "old.pem")]
        for (path, file) in [(other, "other.key"), ("/nonexistent.key", "/nonexistent.key")] {
            var tls = good
            tls.keyFile = path
            cases.append((tls, file))
        }
        for (tls, file) in cases {
            let error = await #expect(throws: GatewayError.self) {
                try await withServer(FakeGateway(), options: options(tls)) { _ in }
            }
            #expect(error?.code == .configuration)
            #expect(error?.message.contains(file) == true, "\(error?.message ?? "")")
        }
    }
}
