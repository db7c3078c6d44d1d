// Servers that do not get through a handshake: what they say instead of TLS, and where they stop.

import ModelGateway
import ModelGatewayServer
import ModelGatewayTesting
import TLSTesting
import Testing

@Suite("Servers that do not speak TLS", .timeLimit(.minutes(1)))
struct TLSBadServerTests {
    private static let hello: [UInt8] = [0x16, 3, 3, 0, 0x7A, 2, 0, 0, 0x76, 3, 3] + [UInt8](repeating: 7, count: 30)
    private static let alerts = Array(repeating: [0x15, 3, 3, 0, 2, 1, 90] as [UInt8], count: 10_000).flatMap { $0 }

    private static let answers: [(String, [UInt8], String)] = [
        (
            "plain HTTP", Array("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".utf8),
            "does not speak TLS on this port"
        ),
        ("half a handshake", hello, "TLS"), ("a flood of alerts", alerts, "TLS"),
        ("a record without end", [0x16, 3, 3, 0xFF, 0xFF] + [UInt8](repeating: 0, count: 100), "TLS"),
        ("noise", Array("SSH-2.0-OpenSSH_9.2\r\n".utf8), "TLS"), ("nothing", [], "TLS"),
    ]

    @Test(arguments: TLSTests.Kind.allCases, answers)
    func `a server that sends something else fails the handshake`(
        kind: TLSTests.Kind,
        answer: (name: String, bytes: [UInt8], words: String)
    ) async throws {
        // A proxy that answers whatever it is asked stands for the server.
        let server = try await TestProxy.start(.http, answer.bytes.isEmpty ? .cuts : .answers(answer.bytes))
        let transport = try kind.make(TLSOptions())
        let error = await expectTransportFailure(.tlsFailed) {
            try await transport.send(HTTPTransportRequest(method: "POST", url: "https://127.0.0.1:\(server.port)/"))
        }
        let message = error?.message ?? ""
        #expect(message.contains("The TLS handshake with the provider failed"), "\(message)")
        if kind == .eventLoop { #expect(message.contains(answer.words), "\(message)") }
        #expect(error?.requestWasSent == false)
        #expect(!message.contains("\(server.port)"))
    }
}
