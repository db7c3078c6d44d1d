// Stopping: what runs may finish, what idles ends at once, and nothing is left behind.

import ModelGateway
import ModelGatewayServer
import ServiceLifecycle
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

@Suite("Stopping", .timeLimit(.minutes(3)), .serialized)
struct DrainTests {
    @Test func `A running stream finishes, an idle connection ends at once, new ones are refused`() async throws {
        let stream = FakeStream(["data: 1\n\n"])
        // However long the machine takes for all this, nothing but the drain may show.
        let options = ServerOptions(drainDeadline: .zero, keepAliveInterval: .zero)
        try await withServer(FakeGateway { _ in .events(stream) }, options: options) { server in
            let idle = try await server.connect()
            try await idle.get("/health")
            #expect(try await idle.answer().status == 200)
            let busy = try await server.connect()
            try await busy.post("{}")
            _ = try await busy.receive(until: "data: 1")
            await server.group.triggerGracefulShutdown()
            #expect(try await idle.receiveToEnd().isEmpty)
            // The listener is closed by another thread than the idle connections; until then there may be one more.
            while let late = try? await server.connect() {
                #expect(try await late.receiveToEnd().isEmpty)
                try await late.close()
            }
            #expect(server.ended.value == 0)
            stream.push("data: 2\n\n")
            stream.finish()
            let answer = try await busy.answer()
            #expect(answer.isComplete)
            #expect(answer.body == "data: 1\n\ndata: 2\n\n")
            #expect(try await busy.receiveToEnd().isEmpty)
            await server.ended.reached(1)
        }
    }

    @Test
    func `Connections that arrive as it stops are served or closed, whatever point they have reached`() async throws {
        for _ in 0..<5 {
            try await withServer(FakeGateway()) { server in
                let arriving = Counter()
                await withTaskGroup { clients in
                    for _ in 0..<8 {
                        clients.addTask {
                            while let client = try? await server.connect() {
                                arriving.increment()
                                try? await client.close()
                            }
                        }
                    }
                    await arriving.reached(50)
                    await server.group.triggerGracefulShutdown()
                }
                await server.ended.reached(1)
            }
        }
    }

    @Test func `An answer that begins during the drain says that the connection ends`() async throws {
        let release = Counter()
        let gateway = FakeGateway { _ throws(GatewayError) in
            try await release.reachedUnlessCancelled(1)
            return .json("{}")
        }
        try await withServer(gateway) { server in
            let idle = try await server.connect()
            // Only a connection that has been served is known to the server for sure.
            try await idle.get("/health")
            _ = try await idle.answer()
            let busy = try await server.connect()
            try await busy.post("{}")
            await gateway.started.reached(1)
            await server.group.triggerGracefulShutdown()
            _ = try await idle.receiveToEnd()
            release.increment()
            let answer = try await busy.answer()
            #expect(answer.status == 200)
            #expect(answer.header("connection") == "close")
        }
    }

    @Test func `What still runs when the time is over ends with an error the client can read`() async throws {
        let never = Counter()
        let stream = FakeStream(["data: 1\n\n"])
        let gateway = FakeGateway { request throws(GatewayError) in
            if request.mode == .chat { return .events(stream) }
            try await never.reachedUnlessCancelled(1)
            return .json("{}")
        }
        try await withServer(gateway, options: ServerOptions(drainDeadline: .milliseconds(100))) { server in
            let streaming = try await server.connect()
            try await streaming.post("{}")
            _ = try await streaming.receive(until: "data: 1")
            let waiting = try await server.connect()
            try await waiting.post("{}", to: "/v1/embeddings")
            await gateway.started.reached(2)
            await server.group.triggerGracefulShutdown()
            let cut = try await streaming.answer()
            #expect(cut.isComplete)
            #expect(cut.body.contains(#""code":"shutting_down""#))
            let refused = try await waiting.answer()
            #expect(refused.status == 503)
            #expect(refused.header("retry-after") == "1")
            await gateway.cancelled.reached(1)
            await stream.cancelled.reached(1)
            await server.ended.reached(1)
        }
    }

    @Test func `500 connections leave no file descriptor behind`() async throws {
        let observer = RecordingObserver()
        try await withServer(FakeGateway(), observer: observer) { server in
            _ = try await server.once(RawClient.request("{}"))
            await observer.closed.reached(1)
            let before = openSockets(of: server.port)
            for round in 0..<10 {
                try await withThrowingTaskGroup { group in
                    for index in 0..<50 {
                        group.addTask {
                            let client = try await server.connect()
                            switch index % 3 {
                            case 0: try await client.post("{}")
                            case 1:
                                try await client.get("/health")
                                _ = try await client.answer()
                            default: break
                            }
                            try await client.close()
                        }
                    }
                    try await group.waitForAll()
                }
                await observer.closed.reached(1 + (round + 1) * 50)
            }
            // The last connections' descriptors are closed after their handlers have been told.
            var after = openSockets(of: server.port)
            for _ in 0..<1000 where after > before {
                _ = try await server.once("GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                after = openSockets(of: server.port)
            }
            #expect(after <= before)
        }
    }

    /// The descriptors of this process that belong to a server: its listener and both ends of its connections. Other
    /// tests open and close theirs meanwhile.
    private func openSockets(of port: Int) -> Int {
        (0..<4096).count { socketPort($0, getsockname) == port || socketPort($0, getpeername) == port }
    }

    private func socketPort(
        _ descriptor: Int32,
        _ ask: (Int32, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) -> Int? {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { ask(descriptor, $0, &length) }
        }
        guard result == 0, address.sin_family == sa_family_t(AF_INET) else { return nil }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
