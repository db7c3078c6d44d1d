// TLS to providers, over libcurl and over the event loop: whom a transport believes, and what it says if it does not.

import Crypto
import ModelGateway
import ModelGatewayServer
import ModelGatewayTesting
import NIOSSL
import TLSTesting
import Testing

@Suite(.timeLimit(.minutes(1)))
struct TLSTests {
    enum Kind: CaseIterable {
        case curl
        case eventLoop

        func make(_ tls: TLSOptions) throws -> any HTTPTransport {
            var options = CurlTransport.Options()
            options.proxy = .none
            options.tls = tls
            let curl = try CurlTransport(options: options)
            return self == .curl ? curl : try EventLoopTransport(over: curl)
        }
    }

    private let engine: ScriptedEngine
    private let authority: TestAuthority
    private let directory: CertificateDirectory
    private let trusted: TLSOptions

    init() throws {
        engine = try ScriptedEngine { request in .json(String(decoding: request.body, as: UTF8.self)) }
        authority = try TestAuthority()
        directory = try CertificateDirectory()
        trusted = TLSOptions(caFile: try directory.write("ca.pem", authority.certificate))
    }

    private func front(_ issued: TestAuthority.Issued, _ change: (inout TLSConfiguration) -> Void = { _ in })
        async throws
        -> TLSFront
    {
        var configuration = try directory.server(issued)
        change(&configuration)
        return try await TLSFront.start(to: Int(engine.port), configuration)
    }

    private func send(_ transport: any HTTPTransport, to front: TLSFront, host: String = "localhost") async throws
        -> String
    {
        try await transport.send(
            HTTPTransportRequest(method: "POST", url: "https://\(host):\(front.port)/x", body: .bytes(Array("{}".utf8)))
        ).text()
    }

    private func expectRefusal(
        _ kind: Kind,
        _ tls: TLSOptions,
        by front: TLSFront,
        host: String = "localhost",
        saying words: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let transport = try kind.make(tls)
        let before = engine.requests.count
        let error = await expectTransportFailure(.tlsFailed, sourceLocation: sourceLocation) {
            try await send(transport, to: front, host: host)
        }
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")", sourceLocation: sourceLocation)
        #expect(error?.message.contains("\(front.port)") == false, sourceLocation: sourceLocation)
        #expect(engine.requests.count == before, sourceLocation: sourceLocation)
    }

    // MARK: Whom it believes

    @Test(arguments: Kind.allCases, ["localhost", "127.0.0.1"])
    func `N92: a server of a trusted authority is called, and its connection kept`(kind: Kind, host: String)
        async throws
    {
        let front = try await front(authority.issue(["localhost", "127.0.0.1"]))
        let transport = try kind.make(trusted)
        try await withTaskExecutorPreference(transport.preferredExecutor) {
            for _ in 0..<3 {
                let text = try await send(transport, to: front, host: host)
                #expect(text == "{}")
            }
        }
        #expect(engine.connections.count == 1)
        #expect(engine.requests.first?.header("host") == "\(host):\(front.port)")
    }

    @Test(arguments: Kind.allCases)
    func `N91: a certificate of an unknown authority is refused`(kind: Kind) async throws {
        let front = try await front(authority.issue(["localhost"]))
        try await expectRefusal(kind, TLSOptions(), by: front, saying: "certificate problem")
    }

    @Test(arguments: Kind.allCases)
    func `N91: a certificate for another host is refused`(kind: Kind) async throws {
        let front = try await front(authority.issue(["elsewhere.example"]))
        try await expectRefusal(kind, trusted, by: front, saying: "another host name")
        try await expectRefusal(kind, trusted, by: front, host: "127.0.0.1", saying: "another host name")
    }

    @Test(arguments: Kind.allCases)
    func `an expired certificate is refused, and one of tomorrow`(kind: Kind) async throws {
        let expired = try await front(authority.issue(["localhost"], from: -600, until: -60))
        try await expectRefusal(kind, trusted, by: expired, saying: "expired")
        let early = try await front(authority.issue(["localhost"], from: 3600))
        try await expectRefusal(kind, trusted, by: early, saying: "not")
    }

    @Test(arguments: Kind.allCases)
    func `N91: a key that is not pinned is refused, whatever its certificate`(kind: Kind) async throws {
        let issued = try authority.issue(["localhost"])
        let front = try await front(issued)
        var tls = trusted
        tls.pins = [try authority.issue(["localhost"]).pin]
        try await expectRefusal(kind, tls, by: front, saying: "pinned")
        tls.verifiesCertificate = false
        try await expectRefusal(kind, tls, by: front, saying: "pinned")
        tls = trusted
        tls.pins.append(issued.pin)
        #expect(try await send(kind.make(tls), to: front) == "{}")
    }

    @Test(arguments: Kind.allCases)
    func `verification can be switched off`(kind: Kind) async throws {
        let front = try await front(TestAuthority().issue(["elsewhere.example"], until: -1))
        #expect(try await send(kind.make(TLSOptions(verifiesCertificate: false)), to: front) == "{}")
    }

    @Test(arguments: Kind.allCases)
    func `the certificate may have a name that is not the URL's`(kind: Kind) async throws {
        let front = try await front(authority.issue(["engine.internal"]))
        var tls = trusted
        tls.serverName = "engine.internal"
        #expect(try await send(kind.make(tls), to: front) == "{}")
        #expect(engine.requests.first?.header("host") == "localhost:\(front.port)")
    }

    @Test(arguments: Kind.allCases)
    func `N82: a server that speaks only old versions is refused`(kind: Kind) async throws {
        let issued = try authority.issue(["localhost"])
        let old = try await front(issued) {
            $0.minimumTLSVersion = .tlsv1
            $0.maximumTLSVersion = .tlsv11
        }
        try await expectRefusal(kind, trusted, by: old, saying: "TLS")
        let second = try await front(issued) { $0.maximumTLSVersion = .tlsv12 }
        var tls = trusted
        tls.minimumVersion = .tls13
        try await expectRefusal(kind, tls, by: second, saying: "TLS")
        #expect(try await send(kind.make(trusted), to: second) == "{}")
    }

    // MARK: Client certificates

    private func mutual() async throws -> TLSFront {
        let roots = try NIOSSLCertificate.fromPEMBytes(Array(authority.certificate.utf8))
        return try await front(authority.issue(["localhost"])) {
            $0.certificateVerification = .noHostnameVerification
            $0.trustRoots = .certificates(roots)
        }
    }

    @Test(arguments: Kind.allCases)
    func `N91: a client certificate lets in, and without one the server says so`(kind: Kind) async throws {
        let front = try await mutual()
        try await expectRefusal(kind, trusted, by: front, saying: "client certificate")
        let issued = try authority.issue(["client.example"])
        var tls = trusted
        tls.certificateFile = try directory.write("client.pem", issued.certificate)
        tls.keyFile = try directory.write("client.key", issued.key)
        #expect(try await send(kind.make(tls), to: front) == "{}")
    }

    @Test(arguments: Kind.allCases)
    func `an encrypted key needs its password`(kind: Kind) async throws {
        let front = try await mutual()
        let issued = try authority.issue(
            ["client.example"],
            key: P256.Signing.PrivateKey(pemRepresentation: EncryptedKey.plain)
        )
        var tls = trusted
        tls.certificateFile = try directory.write("client.pem", issued.certificate)
        tls.keyFile = try directory.write("client.key", EncryptedKey.encrypted)
        tls.keyPassword = Secret(EncryptedKey.password)
        #expect(try await send(kind.make(tls), to: front) == "{}")
        for password in [nil, Secret("wrong-one")] {
            tls.keyPassword = password
            let error = await expectTransportFailure(.configuration) { try await send(kind.make(tls), to: front) }
            #expect(error?.message.contains("client.key") == true)
            #expect(error?.message.contains("wrong-one") == false)
        }
    }

    @Test(arguments: Kind.allCases)
    func `files that cannot be used are named`(kind: Kind) async throws {
        let front = try await front(authority.issue(["localhost"]))
        let issued = try authority.issue(["client.example"])
        let certificate = try directory.write("client.pem", issued.certificate)
        let garbage = try directory.write(
            "garbage.pem",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
        )
        let other = try directory.write("other.key", try authority.issue(["client.example"]).key)
        let cases: [(TLSOptions, String)] = [
            (TLSOptions(caFile: "/nonexistent/ca.pem"), "/nonexistent/ca.pem"),
            (TLSOptions(caFile: garbage), "garbage.pem"),
            (TLSOptions(certificateFile: "/nonexistent/a.pem", keyFile: other), "/nonexistent/a.pem"),
            (TLSOptions(certificateFile: certificate, keyFile: "/nonexistent/a.key"), "/nonexistent/a.key"),
            (TLSOptions(certificateFile: certificate, keyFile: certificate), "client.pem"),
            (TLSOptions(certificateFile: certificate, keyFile: other), "other.key"),
        ]
        for (tls, file) in cases {
            let error = await expectTransportFailure(.configuration) { try await send(kind.make(tls), to: front) }
            #expect(error?.message.contains(file) == true, "\(error?.message ?? "")")
        }
    }

    // MARK: Servers that go wrong

    @Test(arguments: Kind.allCases)
    func `a server that does not speak TLS is reported`(kind: Kind) async throws {
        let plain = try ScriptedEngine { _ in .json("{}") }
        defer { plain.stop() }
        let transport = try kind.make(trusted)
        let task = Task {
            try await transport.send(HTTPTransportRequest(method: "GET", url: "https://127.0.0.1:\(plain.port)/"))
        }
        try await plain.waitForConnections { !($0.first?.received.isEmpty ?? true) }
        plain.closeConnections()
        let error = await #expect(throws: GatewayError.self) { try await task.value }
        #expect(error?.code == .tlsFailed)
        #expect(error?.requestWasSent == false)
    }

    @Test(arguments: Kind.allCases)
    func `a handshake that gets no answer ends with the limit for connecting`(kind: Kind) async throws {
        let silent = try ScriptedEngine { _ in .json("{}") }
        defer { silent.stop() }
        let transport = try kind.make(trusted)
        var timeouts = Timeouts()
        timeouts.connect = .milliseconds(200)
        let error = await expectTransportFailure(.timedOut) { [timeouts] in
            let url = "https://127.0.0.1:\(silent.port)/"
            return try await transport.send(HTTPTransportRequest(method: "GET", url: url, timeouts: timeouts))
        }
        #expect(
            error?.message.contains("connect timeout passed while the TLS handshake") == true,
            "\(error?.message ?? "")"
        )
        #expect(error?.requestWasSent == false)
    }

    /// libcurl takes the end of the connection for the end of such a body: it tells OpenSSL to.
    @Test(arguments: [Kind.eventLoop])
    func `a body of unknown length that ends without the goodbye of TLS was cut off`(kind: Kind) async throws {
        let engine = try ScriptedEngine { _ in .response(parts: [Array("half".utf8)], framing: .untilClose) }
        defer { engine.stop() }
        let configuration = try directory.server(authority.issue(["localhost"]))
        let transport = try kind.make(trusted)
        let polite = try await TLSFront.start(to: Int(engine.port), configuration)
        #expect(try await send(transport, to: polite) == "half")
        let rude = try await TLSFront.start(to: Int(engine.port), configuration, saysGoodbye: false)
        await expectTransportFailure(.truncatedResponse) { try await send(transport, to: rude) }
    }
}
