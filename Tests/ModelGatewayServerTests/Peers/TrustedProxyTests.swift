// Headers in which proxies name the client: believed of whom, and up to where.

import GatewaySystem
import ModelGateway
import Testing

@testable import ModelGatewayServer

@Suite("Trusted proxies", .timeLimit(.minutes(1)))
struct TrustedProxyTests {
    private func read(_ header: ForwardedHeader, _ lines: [(String, String)], trusted: [String]) -> ForwardedClient? {
        let networks = trusted.compactMap { IPNetwork($0) }
        return ForwardedClient.read(
            header,
            values: { name in lines.filter { $0.0 == name }.map(\.1) },
            isTrusted: { address in networks.contains { $0.contains(address) } }
        )
    }

    @Test(
        arguments: [
            (["198.51.100.1"], "198.51.100.1"), (["203.0.113.9, 198.51.100.1"], "198.51.100.1"),
            (["203.0.113.9", "198.51.100.1"], "198.51.100.1"), (["198.51.100.1, 10.0.0.7"], "198.51.100.1"),
            (["203.0.113.9, 198.51.100.1, 10.0.0.7 ,10.0.0.8"], "198.51.100.1"), (["10.0.0.1, 10.0.0.2"], "10.0.0.1"),
            (["198.51.100.1:4711"], "198.51.100.1"), (["[2001:db8::1]:4711"], "2001:db8::1"),
            (["2001:db8::1"], "2001:db8::1"),
            (["203.0.113.9, unknown"], nil), (["203.0.113.9, unknown, 10.0.0.7"], nil), (["\"203.0.113.9, x"], nil),
            ([", ,198.51.100.1,"], "198.51.100.1"),
        ] as [([String], String?)]
    )
    func `N88: the client is the last address that is not a trusted proxy's`(values: [String], client: String?) {
        let found = read(.xForwardedFor, values.map { ("x-forwarded-for", $0) }, trusted: ["10.0.0.0/8"])
        #expect(found?.address?.description == client)
        #expect(found != nil)
    }

    @Test(
        arguments: [
            ("for=198.51.100.1", "198.51.100.1", nil),
            ("for=198.51.100.1;proto=https;by=10.0.0.1", "198.51.100.1", true),
            ("For=\"[2001:db8::1]:4711\"; PROTO=http", "2001:db8::1", false),
            ("for=203.0.113.9, for=198.51.100.1;proto=https, for=10.0.0.7;proto=http", "198.51.100.1", true),
            ("for=unknown;proto=https", nil, true), ("for=_hidden", nil, nil), ("by=10.0.0.1", nil, nil),
            ("for=\"203.0.113.9;x=\", for=198.51.100.1", "198.51.100.1", nil),
        ] as [(String, String?, Bool?)]
    )
    func `N88: the same by the standard's header`(value: String, client: String?, isSecure: Bool?) {
        let found = read(.forwarded, [("forwarded", value)], trusted: ["10.0.0.0/8"])
        #expect(found?.address?.description == client)
        #expect(found?.isSecure == isSecure)
    }

    @Test func `N88: only the header of the settings is read, and its protocol`() {
        let lines = [
            ("forwarded", "for=203.0.113.9"), ("x-forwarded-for", "198.51.100.1"), ("x-forwarded-proto", "https"),
        ]
        #expect(read(.xForwardedFor, lines, trusted: [])?.address?.description == "198.51.100.1")
        #expect(read(.xForwardedFor, lines, trusted: [])?.isSecure == true)
        #expect(read(.forwarded, lines, trusted: [])?.address?.description == "203.0.113.9")
        #expect(read(.forwarded, [], trusted: []) == nil)
        let each = [("x-forwarded-for", "198.51.100.1, 10.0.0.1"), ("x-forwarded-proto", "https, http")]
        #expect(read(.xForwardedFor, each, trusted: ["10.0.0.1"])?.isSecure == true)
    }

    @Test(arguments: [["127.0.0.1"], ["192.0.2.0/24"], []])
    func `N88: headers of a proxy count only if it is trusted`(trusted: [String]) async throws {
        let gateway = FakeGateway()
        let observer = RecordingObserver()
        let lines = [
            "x-forwarded-for: 198.51.100.1", "x-forwarded-proto: https",
            #"x-forwarded-client-cert: Hash=aa;URI=spiffe://far, By=x;Hash=AB12;Subject="CN=a;b\"c,O=\"";URI=spiffe://a/b;DNS=c.example"#,
        ]
        try await withServer(gateway, options: ServerOptions(trustedProxies: trusted), observer: observer) { server in
            let answer = try await server.once(RawClient.request("{}", headers: lines))
            #expect(answer.status == 200)
            let health = try await server.once("GET /health HTTP/1.1\r\nHost: x\r\n\(lines[0])\r\n\r\n")
            #expect(health.status == 200)
        }
        let isTrusted = trusted == ["127.0.0.1"]
        let sender = try #require(gateway.requests.first?.sender)
        let address = isTrusted ? "198.51.100.1" : "127.0.0.1"
        #expect(sender.address == address)
        #expect(sender.isSecure == isTrusted)
        #expect(observer.records.map(\.sender.address) == [address, address])
        let certificate = ClientCertificate(
            subject: #"CN=a;b"c,O=""#,
            fingerprint: "ab12",
            uris: ["spiffe://a/b"],
            dnsNames: ["c.example"]
        )
        #expect(sender.certificate == (isTrusted ? certificate : nil))
    }

    @Test func `N88: requests at a time are limited per client of a trusted proxy`() async throws {
        let release = Counter()
        let gateway = FakeGateway { _ throws(GatewayError) in
            try await release.reachedUnlessCancelled(1)
            return .json("{}")
        }
        let options = ServerOptions(trustedProxies: ["127.0.0.1"], maxConnectionsPerAddress: 1)
        func request(_ client: String) -> String {
            RawClient.request("{}", headers: ["x-forwarded-for: \(client)"])
        }
        try await withServer(gateway, options: options) { server in
            let first = try await server.connect()
            try await first.send(request("198.51.100.1"))
            await gateway.started.reached(1)
            #expect(try await server.once(request("198.51.100.1")).status == 429)
            let other = try await server.connect()
            try await other.send(request("198.51.100.2"))
            await gateway.started.reached(2)
            release.increment()
            #expect(try await other.answer().status == 200)
            #expect(try await first.answer().status == 200)
            // The next one on the same connection, and on others.
            try await first.send(request("198.51.100.1"))
            #expect(try await first.answer().status == 200)
            #expect(try await server.once(request("198.51.100.1")).status == 200)
            for client in [first, other] { try await client.close() }
        }
    }

    @Test func `a proxy that is trusted is not a program on this machine`() async throws {
        try await withServer(Gateway(groups: []), options: ServerOptions(trustedProxies: ["127.0.0.1"])) { server in
            let answer = try await server.once("GET /workers HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(answer.status == 403)
        }
    }
}
