// Names with several addresses, of which some are dead, on real sockets.

#if canImport(Glibc)
import Glibc
import ModelGateway
import ModelGatewayServer
import ModelGatewayTesting
import NIOCore
import Testing

@Suite("Several addresses", .timeLimit(.minutes(1)))
struct HappyEyeballsTests {
    /// A port that takes no connection and refuses none: its queue is full.
    private final class FullPort {
        let port: Int
        private var descriptors: [Int32] = []

        init() throws {
            let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            descriptors.append(listener)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr = in_addr(s_addr: UInt32(0x7F00_0001).bigEndian)
            var size = socklen_t(MemoryLayout<sockaddr_in>.size)
            withUnsafeMutablePointer(to: &address) { address in
                address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    _ = bind(listener, address, size)
                    _ = listen(listener, 0)
                    _ = getsockname(listener, address, &size)
                }
            }
            port = Int(UInt16(bigEndian: address.sin_port))
            for _ in 0..<4 {
                let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
                descriptors.append(client)
                withUnsafePointer(to: &address) { address in
                    address.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = connect(client, $0, size) }
                }
            }
        }

        deinit {
            for descriptor in descriptors { close(descriptor) }
        }
    }

    private struct NoTransport: HTTPTransport {
        func send(_ request: HTTPTransportRequest) async throws(GatewayError) -> HTTPTransportResponse {
            throw GatewayError(.unsupported, "This transport sends nothing.")
        }
    }

    private let engine: ScriptedEngine
    private let room = ConnectionRoom()

    init() throws {
        engine = try ScriptedEngine { _ in .json("{}") }
    }

    /// A transport for which a name has these addresses.
    private func transport(_ addresses: [(String, Int)]) throws -> EventLoopTransport {
        let addresses = try addresses.map { try SocketAddress(ipAddress: $0.0, port: $0.1) }
        var options = UpstreamOptions()
        options.names = { _, _ in addresses }
        options.room = room
        return EventLoopTransport(fallback: NoTransport(), options: options)
    }

    private func send(_ transport: EventLoopTransport, connect: Duration = .seconds(10)) async throws(GatewayError)
        -> String
    {
        var timeouts = Timeouts()
        timeouts.connect = connect
        let request = HTTPTransportRequest(
            method: "POST",
            url: "http://engine.example:1/",
            body: .bytes([1]),
            timeouts: timeouts
        )
        return try await transport.send(request).text()
    }

    @Test func `an address that refuses is passed over`() async throws {
        let port = Int(engine.port)
        let text = try await send(transport([("::1", port), ("127.0.0.2", port), ("127.0.0.1", port)]))
        #expect(text == "{}")
        #expect(engine.requests.first?.header("host") == "engine.example:1")
    }

    @Test func `an address that does not answer is not waited for, and its attempt ends`() async throws {
        let dead = try FullPort()
        let transport = try transport([("127.0.0.1", dead.port), ("127.0.0.1", Int(engine.port))])
        let start = ContinuousClock.now
        for _ in 0..<3 {
            let text = try await send(transport)
            #expect(text == "{}")
        }
        #expect(ContinuousClock.now - start < .seconds(5))
        #expect(engine.connections.count >= 1)
    }

    @Test func `a name without a living address fails by its last reason, or by the limit of time`() async throws {
        let port = Int(engine.port)
        let error = await expectTransportFailure(.connectFailed) {
            try await send(transport([("127.0.0.2", port), ("127.0.0.3", port)]))
        }
        #expect(error?.message.contains("connection refused") == true)
        let dead = try FullPort()
        let slow = try transport([("127.0.0.1", dead.port)])
        let late = await expectTransportFailure(.timedOut) { try await send(slow, connect: .milliseconds(200)) }
        #expect(late?.message.contains("connect timeout passed while connecting") == true)
        #expect(late?.requestWasSent == false)
        #expect(room.count == 0)
    }
}
#endif
