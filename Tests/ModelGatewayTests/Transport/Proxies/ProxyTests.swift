// Proxies, over libcurl and over the event loop: the way through them, their credentials, and what is said if there is none.

import ModelGateway
import ModelGatewayServer
import ModelGatewayTesting
import NIOSSL
import TLSTesting
import Testing

@Suite(.timeLimit(.minutes(1)))
struct ProxyTests {
    enum Kind: CaseIterable {
        case curl
        case eventLoop

        /// - Parameters:
        ///   - proxy: Its URL.
        ///   - tls: How secure connections are made.
        func make(_ proxy: String, tls: TLSOptions = TLSOptions()) throws -> any HTTPTransport {
            var options = CurlTransport.Options()
            options.proxy = .url(proxy)
            options.tls = tls
            let curl = try CurlTransport(options: options)
            return self == .curl
                ? curl : EventLoopTransport(fallback: NoTransport(), tls: tls, options: settings(proxy))
        }

        private func settings(_ proxy: String) -> UpstreamOptions {
            var options = UpstreamOptions()
            options.proxies = ProxyRules(.url(proxy)) { _ in nil }
            return options
        }
    }

    /// The event loop is to send everything itself.
    private struct NoTransport: HTTPTransport {
        func send(_ request: HTTPTransportRequest) async throws(GatewayError) -> HTTPTransportResponse {
            throw GatewayError(.unsupported, "This transport sends nothing.")
        }
    }

    static let ways = pairs(Kind.allCases, TestProxy.Speech.allCases)

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

    private func front(_ names: [String]) async throws -> TLSFront {
        try await TLSFront.start(to: Int(engine.port), directory.server(authority.issue(names)))
    }

    private func post(_ transport: any HTTPTransport, _ url: String, timeouts: Timeouts = Timeouts()) async throws
        -> HTTPTransportResponse
    {
        try await transport.send(
            HTTPTransportRequest(
                method: "POST",
                url: url,
                headers: [HTTPHeader("authorization", "Bearer s3cret")],
                body: .bytes(Array("{}".utf8)),
                timeouts: timeouts
            )
        )
    }

    // MARK: Through it

    @Test(arguments: ways)
    func `a secure server is reached through a proxy, which resolves its name`(kind: Kind, speech: TestProxy.Speech)
        async throws
    {
        let front = try await front(["upstream.invalid"])
        let proxy = try await TestProxy.start(speech)
        let transport = try kind.make(proxy.url, tls: trusted)
        try await withTaskExecutorPreference(transport.preferredExecutor) {
            for _ in 0..<3 {
                let text = try await post(transport, "https://upstream.invalid:\(front.port)/v1").text()
                #expect(text == "{}")
            }
        }
        let place = "upstream.invalid:\(front.port)"
        #expect(proxy.asked == [speech == .http ? "CONNECT \(place)" : place])
        #expect(engine.requests.first?.target == "/v1")
        #expect(engine.requests.first?.header("host") == place)
        #expect(engine.connections.count == 1)
    }

    @Test(arguments: ways)
    func `the certificate is that of the server behind the proxy`(kind: Kind, speech: TestProxy.Speech) async throws {
        let front = try await front(["elsewhere.example"])
        let proxy = try await TestProxy.start(speech)
        let transport = try kind.make(proxy.url, tls: trusted)
        let error = await expectTransportFailure(.tlsFailed) {
            try await post(transport, "https://upstream.invalid:\(front.port)/")
        }
        #expect(error?.message.contains("another host name") == true, "\(error?.message ?? "")")
        #expect(engine.requests.isEmpty)
    }

    @Test(arguments: ways)
    func `a server in plain HTTP is reached through a proxy`(kind: Kind, speech: TestProxy.Speech) async throws {
        let proxy = try await TestProxy.start(speech)
        let transport = try kind.make(proxy.url)
        let place = "upstream.invalid:\(engine.port)"
        let text = try await post(transport, "http://\(place)/v1/x?a=b").text()
        #expect(text == "{}")
        #expect(proxy.asked == [speech == .http ? "POST http://\(place)/v1/x?a=b" : place])
        #expect(engine.requests.first?.target == "/v1/x?a=b")
        #expect(engine.requests.first?.header("host") == place)
    }

    @Test(arguments: [(Kind.curl, "localhost"), (.curl, "127.0.0.1"), (.eventLoop, "127.0.0.1")])
    func `a proxy of SOCKS 5 that resolves no names gets an address`(kind: Kind, host: String) async throws {
        let proxy = try await TestProxy.start(.socks5h)
        let transport = try kind.make("socks5://127.0.0.1:\(proxy.port)")
        let text = try await post(transport, "http://\(host):\(engine.port)/").text()
        #expect(text == "{}")
        #expect(proxy.asked.first?.hasPrefix("localhost") == false)
    }

    // MARK: Credentials

    @Test(arguments: ways, [true, false])
    func `the proxy gets the credentials of its URL, and nobody else`(
        way: (Kind, TestProxy.Speech),
        isSecure: Bool
    ) async throws {
        let (kind, speech) = way
        let front = try await front(["upstream.invalid"])
        let proxy = try await TestProxy.start(speech, credentials: "al ice:p@ss/w:rd")
        let place = isSecure ? "https://upstream.invalid:\(front.port)/" : "http://upstream.invalid:\(engine.port)/"
        let url = "\(speech.rawValue)://al%20ice:p%40ss%2Fw%3Ard@127.0.0.1:\(proxy.port)"
        let text = try await post(kind.make(url, tls: trusted), place).text()
        #expect(text == "{}")
        #expect(engine.requests.first?.header("proxy-authorization") == nil)
        #expect(engine.requests.first?.header("authorization") == "Bearer s3cret")
        for (url, words) in [
            (proxy.url, "wants a user name"),
            ("\(speech.rawValue)://alice:wr0ng@127.0.0.1:\(proxy.port)", "refuses the user name"),
        ] {
            let error = await expectTransportFailure(.connectFailed) {
                try await post(kind.make(url, tls: trusted), place)
            }
            let message = error?.message ?? ""
            #expect(message.contains("the proxy \(words)"), "\(message)")
            #expect(error?.requestWasSent == false)
            for secret in ["alice", "wr0ng", "s3cret", "127.0.0.1", "upstream", "\(proxy.port)"] {
                #expect(!message.contains(secret), "\(message)")
            }
        }
        #expect(engine.requests.count == 1)
    }

    // MARK: Proxies that go wrong

    @Test(arguments: ways)
    func `a proxy that cuts the connection is named`(kind: Kind, speech: TestProxy.Speech) async throws {
        let proxy = try await TestProxy.start(speech, .cuts)
        let transport = try kind.make(proxy.url)
        let error = await expectTransportFailure(.connectFailed) {
            try await post(transport, "https://upstream.invalid/")
        }
        #expect(error?.message.contains("the proxy closed the connection") == true, "\(error?.message ?? "")")
        #expect(error?.requestWasSent == false)
    }

    @Test(arguments: Kind.allCases)
    func `a proxy that refuses the tunnel is named with its status`(kind: Kind) async throws {
        let proxy = try await TestProxy.start(
            .http,
            .answers(Array("HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno".utf8))
        )
        let transport = try kind.make(proxy.url)
        let error = await expectTransportFailure(.connectFailed) {
            try await post(transport, "https://upstream.invalid/")
        }
        #expect(error?.message.contains("the proxy answered 403") == true, "\(error?.message ?? "")")
    }

    @Test(arguments: Kind.allCases)
    func `a proxy that cannot connect says why`(kind: Kind) async throws {
        engine.refuseConnections()
        let proxy = try await TestProxy.start(.socks5h)
        let transport = try kind.make(proxy.url)
        let error = await expectTransportFailure(.connectFailed) {
            try await post(transport, "https://upstream.invalid:\(engine.port)/")
        }
        #expect(error?.message.contains("the proxy reports: connection refused") == true, "\(error?.message ?? "")")
    }

    @Test(arguments: ways)
    func `a proxy that does not answer ends with the limit for connecting`(kind: Kind, speech: TestProxy.Speech)
        async throws
    {
        let proxy = try await TestProxy.start(speech, .silent)
        let transport = try kind.make(proxy.url)
        var timeouts = Timeouts()
        timeouts.connect = .milliseconds(200)
        let error = await expectTransportFailure(.timedOut) { [timeouts] in
            try await post(transport, "https://upstream.invalid/", timeouts: timeouts)
        }
        #expect(error?.message.contains("connect timeout passed") == true, "\(error?.message ?? "")")
        if kind == .eventLoop || speech == .http {
            #expect(error?.message.contains("waiting for the proxy's answer") == true, "\(error?.message ?? "")")
        }
        #expect(error?.requestWasSent == false)
    }

    @Test(arguments: Kind.allCases)
    func `a proxy that is not there is named, and not the provider`(kind: Kind) async throws {
        engine.refuseConnections()
        for url in ["http://127.0.0.1:\(engine.port)", "socks5h://127.0.0.1:\(engine.port)"] {
            let error = await expectTransportFailure(.connectFailed) {
                try await post(kind.make(url), "https://upstream.invalid/")
            }
            #expect(
                error?.message.contains("No connection to the proxy, while connecting: connection refused") == true,
                "\(error?.message ?? "")"
            )
        }
        let error = await expectTransportFailure(.connectFailed) {
            try await post(kind.make("http://nobody.invalid:3128"), "https://upstream.invalid/")
        }
        #expect(error?.message.contains("No connection to the proxy, while resolving") == true)
        #expect(error?.message.contains("nobody") == false)
    }

    @Test(arguments: [
        "garbage\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nand more", "SSH-2.0-OpenSSH\r\n",
    ])
    func `what is not an answer of HTTP opens no tunnel`(answer: String) async throws {
        let proxy = try await TestProxy.start(.http, .answers(Array(answer.utf8)))
        let transport = try Kind.eventLoop.make(proxy.url)
        let error = await expectTransportFailure(.connectFailed) {
            try await post(transport, "https://upstream.invalid/")
        }
        #expect(error?.message.contains("not valid HTTP") == true, "\(error?.message ?? "")")
    }
}
