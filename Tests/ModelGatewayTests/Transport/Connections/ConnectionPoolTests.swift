// Unused connections: how many are kept and for how long, and those that are held open ahead.

import ModelGateway
import ModelGatewayServer
import ModelGatewayTesting
import NIOCore
import Testing

@Suite("Unused connections", .timeLimit(.minutes(1)))
struct ConnectionPoolTests {
    private struct NoTransport: HTTPTransport {
        func send(_ request: HTTPTransportRequest) async throws(GatewayError) -> HTTPTransportResponse {
            throw GatewayError(.unsupported, "This transport sends nothing.")
        }
    }

    private let engine: ScriptedEngine
    private let loops = System.coreCount

    init() throws {
        engine = try ScriptedEngine { _ in .json("{}") }
    }

    private func transport(_ change: (inout UpstreamOptions) -> Void) -> EventLoopTransport {
        var options = UpstreamOptions()
        options.room = ConnectionRoom()
        change(&options)
        return EventLoopTransport(fallback: NoTransport(), options: options)
    }

    private func call(_ transport: EventLoopTransport) async throws {
        let text = try await transport.send(HTTPTransportRequest(method: "GET", url: engine.url)).text()
        #expect(text == "{}")
    }

    @Test func `no more connections to a host are kept than may be`() async throws {
        let transport = transport { $0.maxIdle = 2 }
        let executor = transport.preferredExecutor
        for _ in 0..<4 { engine.enqueue(.json("{}").stalled(after: 0)) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 { group.addTask(executorPreference: executor) { try await call(transport) } }
            try await engine.waitForRequests(4)
            engine.release()
            try await group.waitForAll()
        }
        try await engine.waitForOpenConnections(2)
    }

    @Test func `a connection is kept for as long as the settings say`() async throws {
        let transport = transport { $0.idleLifetime = .milliseconds(50) }
        try await call(transport)
        try await engine.waitForOpenConnections(0)
    }

    @Test func `connections are held open, opened again when they end, and closed with the transport`() async throws {
        var transport: EventLoopTransport? = transport { $0.warmDelay = .milliseconds(10) }
        transport?.keepWarm(2, to: engine.url)
        try await engine.waitForOpenConnections(2 * loops)
        #expect(engine.requests.isEmpty)
        // The engine knows of a connection before the transport does, so that the first calls may open some more.
        if let transport { for _ in 0..<4 { try await call(transport) } }
        let count = engine.connections.count
        if let transport { for _ in 0..<4 { try await call(transport) } }
        #expect(engine.connections.count == count)
        engine.closeConnections()
        try await engine.waitForConnections { [loops] in
            $0.count >= count + 2 * loops && $0.count { $0.closed == nil } == 2 * loops
        }
        transport?.keepWarm(0, to: engine.url)
        try await engine.waitForOpenConnections(0)
        transport?.keepWarm(1, to: engine.url)
        try await engine.waitForOpenConnections(loops)
        transport = nil
        try await engine.waitForOpenConnections(0)
    }

    @Test func `a connection that stands when it is not wanted any more is closed`() async throws {
        let transport = transport { _ in }
        transport.keepWarm(2, to: engine.url)
        transport.keepWarm(0, to: engine.url)
        try await engine.waitForConnections { [loops] in $0.count == 2 * loops && $0.allSatisfy { $0.closed != nil } }
    }

    @Test func `a server that is away is asked at longer intervals until it is back`() async throws {
        engine.refuseConnections()
        let transport = transport { $0.warmDelay = .milliseconds(10) }
        transport.keepWarm(1, to: engine.url)
        try await Task.sleep(for: .milliseconds(100))
        try engine.acceptConnections()
        try await engine.waitForOpenConnections(loops)
    }

    @Test func `connections are held open only as far as there is room`() async throws {
        let room = ConnectionRoom(limit: 1)
        let transport = transport {
            $0.room = room
            $0.warmDelay = .milliseconds(10)
        }
        transport.keepWarm(50, to: engine.url)
        try await engine.waitForOpenConnections(1)
        // Two more tries are made in this time.
        try await Task.sleep(for: .milliseconds(50))
        #expect(engine.connections.count == 1)
        #expect(engine.openConnections == 1)
        #expect(room.count == 1)
    }
}
