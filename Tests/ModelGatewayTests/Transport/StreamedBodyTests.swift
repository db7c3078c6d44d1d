// Bodies that are streamed to providers: held back by a slow one, answered before their end, given up on the way.

import GatewayWire
import ModelGateway
import ModelGatewayServer
import NIOCore
import NIOHTTP2
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1)))
struct StreamedBodyTests {
    /// A body without an end, which counts what was taken of it.
    private final class Endless: ByteStream {
        let taken = Atomic<Int>(0)
        let isCancelled = Atomic<Bool>(false)
        private let part = [UInt8](repeating: 0x41, count: 32 << 10)

        func next() async throws(GatewayError) -> [UInt8]? {
            if Task.isCancelled || isCancelled.load(ordering: .relaxed) {
                throw GatewayError(.cancelled, "The call was cancelled.")
            }
            taken.add(part.count, ordering: .relaxed)
            return part
        }

        func cancel() { isCancelled.store(true, ordering: .relaxed) }

        /// Waits until so much has been taken, and then nothing more.
        func settle(above least: Int) async throws -> Int {
            var last = -1
            while taken.load(ordering: .relaxed) != last || last < least {
                last = taken.load(ordering: .relaxed)
                try await Task.sleep(for: .milliseconds(200))
            }
            return last
        }

        func waitForCancel() async throws {
            while !isCancelled.load(ordering: .relaxed) { try await Task.sleep(for: .milliseconds(2)) }
        }
    }

    private static func upload(_ source: any ByteStream, to url: String) -> HTTPTransportRequest {
        HTTPTransportRequest(method: "POST", url: url, body: .stream(source, length: nil))
    }

    @Test func `Over HTTP/2 a server that grants nothing holds the source back`() async throws {
        let server = try await HTTP2Server.start(grants: false) { _, _ in }
        let transport = try HTTP2TransportTests.transport()
        let source = Endless()
        let task = Task { try await transport.send(Self.upload(source, to: server.url)) }
        // The window of HTTP/2 is 64 KiB, and the pieces are of 32.
        let taken = try await source.settle(above: 65_536)
        #expect((65_536...(4 * 65_536)).contains(taken))
        task.cancel()
        await expectTransportFailure(.cancelled) { try await task.value }
        try await source.waitForCancel()
        try await server.wait { $0.resets.count == 1 }
        #expect(server.state.resets.map(\.code) == [.cancel])
        #expect(server.state.openConnections == 1)
    }

    @Test func `Over HTTP/2 an answer before the end of the body ends the upload`() async throws {
        let server = try await HTTP2Server.start { request, connection in
            // The one piece that reaches this much.
            guard (100_000..<132_768).contains(request.body.count), request.body.count - 16_384 < 100_000 else {
                return
            }
            connection.answer(request.stream, "enough")
        }
        let transport = try HTTP2TransportTests.transport()
        let source = Endless()
        #expect(try await transport.send(Self.upload(source, to: server.url)).text() == "enough")
        try await source.waitForCancel()
        try await server.wait { $0.resets.count == 1 }
    }

    @Test(arguments: [TransportKind.eventLoop, .curl])
    func `Over HTTP/1.1 a server that reads nothing holds the source back`(kind: TransportKind) async throws {
        let server = try await SilentServer.start()
        let room = ConnectionRoom()
        let transport = try kind.make(room: room)
        let source = Endless()
        let task = Task { try await transport.send(Self.upload(source, to: server.url)) }
        // What the system's buffers of both sides hold.
        #expect(try await source.settle(above: 1) < 64 << 20)
        task.cancel()
        await expectTransportFailure(.cancelled) { try await task.value }
        if kind == .eventLoop { try await source.waitForCancel() }
        while room.count > 0 { try await Task.sleep(for: .milliseconds(2)) }
    }

    @Test func `Over HTTP/1.1 an answer before the end of the body ends the upload`() async throws {
        let server = try await SilentServer.start(answer: "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
        let room = ConnectionRoom()
        let transport = try TransportKind.eventLoop.make(room: room)
        let source = Endless()
        let response = try await transport.send(Self.upload(source, to: server.url))
        #expect(response.status == 413)
        #expect(try await response.text() == "no")
        try await source.waitForCancel()
        while room.count > 0 { try await Task.sleep(for: .milliseconds(2)) }
    }
}
