// The PROXY protocol: what is read, from whom, and what happens to proxies that do not speak it.

import GatewaySystem
import Logging
import ModelGateway
import NIOSSL
import TLSTesting
import Testing

@testable import ModelGatewayServer

@Suite("PROXY protocol", .timeLimit(.minutes(1)))
struct ProxyProtocolTests {
    private static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]

    /// A header of version 2.
    private static func binary(_ command: UInt8, _ family: UInt8, _ rest: [UInt8]) -> [UInt8] {
        signature + [command, family, UInt8(rest.count >> 8), UInt8(rest.count & 0xFF)] + rest
    }

    private static let v4: [UInt8] = [203, 0, 113, 7, 192, 0, 2, 1, 0xC0, 0, 1, 0xBB]
    private static let v6: [UInt8] =
        [0x20, 1, 0xD, 0xB8] + [UInt8](repeating: 0, count: 11) + [9] + [UInt8](repeating: 1, count: 16) + [0, 1, 0, 2]
    /// Two TLVs, the second with a value of 300 bytes.
    private static let tlvs: [UInt8] = [0x04, 0, 1, 0, 0xE0, 1, 44] + [UInt8](repeating: 7, count: 300)

    // MARK: Reading

    @Test(arguments: [
        ("PROXY TCP4 203.0.113.7 192.0.2.1 49152 443\r\n", "203.0.113.7"),
        ("PROXY TCP6 2001:db8::9 2001:db8::1 1 65535\r\n", "2001:db8::9"), ("PROXY UNKNOWN\r\n", nil),
        ("PROXY UNKNOWN ffff:f... whatever 1 2\r\n", nil),
    ])
    func `N83: version 1 is read`(text: String, client: String?) {
        let bytes = Array(text.utf8)
        let expected = ProxyHeader(client: client.flatMap { IPAddress($0) }, length: bytes.count)
        #expect(ProxyHeader.read(bytes + Array("GET / HTTP".utf8)) == .complete(expected))
        for count in 0..<bytes.count { #expect(ProxyHeader.read(bytes.prefix(count)) == .incomplete, "\(count)") }
    }

    @Test(
        arguments: [
            (binary(0x21, 0x11, v4), "203.0.113.7"), (binary(0x21, 0x11, v4 + tlvs), "203.0.113.7"),
            (binary(0x21, 0x21, v6), "2001:db8::9"), (binary(0x20, 0x11, v4), nil), (binary(0x20, 0, []), nil),
            (binary(0x20, 0, tlvs), nil), (binary(0x21, 0, []), nil),
            (binary(0x21, 0x31, [UInt8](repeating: 0, count: 216)), nil),
        ] as [([UInt8], String?)]
    )
    func `N83: version 2 is read, whatever follows the addresses`(bytes: [UInt8], client: String?) {
        let expected = ProxyHeader(client: client.flatMap { IPAddress($0) }, length: bytes.count)
        #expect(ProxyHeader.read(bytes + Array("GET / HTTP".utf8)) == .complete(expected))
        for count in 0..<bytes.count { #expect(ProxyHeader.read(bytes.prefix(count)) == .incomplete, "\(count)") }
    }

    private static let malformedTexts = [
        "GET / HTTP/1.1\r\n", "PROXY TCP4 203.0.113.7 192.0.2.1 49152\r\n",
        "PROXY TCP4 203.0.113.7 192.0.2.1 1 2 3\r\n",
        "PROXY TCP4 203.0.113.7  192.0.2.1 1 2\r\n", "PROXY TCP4 2001:db8::9 2001:db8::1 1 2\r\n",
        "PROXY TCP6 203.0.113.7 192.0.2.1 1 2\r\n", "PROXY TCP4 203.0.113.7 192.0.2.1 65536 2\r\n",
        "PROXY TCP4 203.0.113.7 192.0.2.1 -1 2\r\n", "PROXY TCP4 203.0.113.7 192.0.2.1 01 2\r\n",
        "PROXY TCP4 localhost 192.0.2.1 1 2\r\n", "PROXY TCP4 203.0.113.7 192.0.2.1 1 2\n",
        "PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n",
        "proxy TCP4 203.0.113.7 192.0.2.1 1 2\r\n", "PROXY " + String(repeating: "x", count: 110),
    ]
    private static let malformed: [[UInt8]] =
        malformedTexts.map { Array($0.utf8) } + [
            binary(0x11, 0x11, v4), binary(0x22, 0x11, v4), binary(0x21, 0x11, [1, 2, 3]), binary(0x21, 0x21, v4),
            signature.dropLast() + [0], [0x16, 3, 1, 0, 5],
        ]

    @Test(arguments: malformed)
    func `N83: what is malformed is told at once`(bytes: [UInt8]) {
        #expect(ProxyHeader.read(bytes) == .malformed)
    }

    // MARK: On connections

    private func options(_ trusted: String = "127.0.0.0/8") -> ServerOptions {
        ServerOptions(trustedProxies: [trusted], readsProxyProtocol: true)
    }

    private static let text = "PROXY TCP4 203.0.113.7 192.0.2.1 49152 443\r\n"

    @Test func `N83: the client is the one that a trusted proxy names, in calls, records and limits`() async throws {
        let gateway = FakeGateway()
        let observer = RecordingObserver()
        var options = options()
        options.maxConnectionsPerAddress = 1
        try await withServer(gateway, options: options, observer: observer) { server in
            let first = try await server.connect()
            try await first.send(Self.text + RawClient.request("{}"))
            #expect(try await first.answer().status == 200)
            try await first.get("/health")
            #expect(try await first.answer().status == 200)
            let second = try await server.once(Self.text + RawClient.request("{}"))
            #expect(second.status == 429)
            let other = Self.text.replacing("203.0.113.7", with: "203.0.113.8")
            #expect(try await server.once(other + RawClient.request("{}")).status == 200)
            try await first.close()
        }
        #expect(gateway.requests.map(\.sender.address) == ["203.0.113.7", "203.0.113.8"])
        #expect(
            observer.records.filter { $0.status == 200 }.map(\.sender.address).sorted { $0 ?? "" < $1 ?? "" }
                == ["203.0.113.7", "203.0.113.7", "203.0.113.8"]
        )
    }

    @Test func `N83: a client behind a proxy is not a program on this machine`() async throws {
        try await withServer(Gateway(groups: []), options: options()) { server in
            for header in ["PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n", "PROXY UNKNOWN\r\n"] {
                let answer = try await server.once(header + "GET /workers HTTP/1.1\r\nHost: localhost\r\n\r\n")
                #expect(answer.status == 403)
            }
        }
    }

    @Test func `N83: only trusted addresses may say who the client is`() async throws {
        let gateway = FakeGateway()
        try await withServer(gateway, options: options("192.0.2.0/24")) { server in
            let answer = try await server.once(Self.text + RawClient.request("{}"))
            #expect(answer.status == 400)
            #expect(try await server.once(RawClient.request("{}")).status == 200)
        }
        #expect(gateway.requests.map(\.sender.address) == ["127.0.0.1"])
    }

    @Test func `N83: a proxy that sends no header, or a bad one, is not answered`() async throws {
        var options = options()
        options.headTimeout = .milliseconds(200)
        try await withServer(FakeGateway(), options: options) { server in
            for bytes in ["GET /health HTTP/1.1\r\nHost: x\r\n\r\n", "PROXY TCP4 1 2 3 4\r\n", "PROXY ", ""] {
                try await RawClient.with(port: server.port, sending: bytes.isEmpty ? nil : bytes) { client in
                    let received = try await client.receiveToEnd()
                    #expect(received == [])
                }
            }
        }
    }

    @Test(arguments: [true, false])
    func `N83: the header comes before the handshake of TLS`(isText: Bool) async throws {
        let authority = try TestAuthority()
        let directory = try CertificateDirectory()
        let issued = try authority.issue(["localhost"])
        var options = options()
        options.tls = Configuration.ServerTLS(
            certificateFile: try directory.write("server.pem", issued.certificate),
            keyFile: try directory.write("server.key", issued.key)
        )
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .certificates(
            try NIOSSLCertificate.fromPEMBytes(Array(authority.certificate.utf8))
        )
        let context = try NIOSSLContext(configuration: configuration)
        let gateway = FakeGateway()
        let header = isText ? Array(Self.text.utf8) : Self.binary(0x21, 0x11, Self.v4 + Self.tlvs)
        try await withServer(gateway, options: options) { server in
            let client = try await RawClient.connect(
                to: server.port,
                preface: header,
                tls: (context, "localhost")
            )
            try await client.send(RawClient.request("{}"))
            #expect(try await client.answer().status == 200)
            try await client.close()
        }
        #expect(gateway.requests.first?.sender == RequestSender(address: "203.0.113.7", isSecure: true))
    }
}
