// What becomes of calls for which this process has no descriptor: an error of the gateway, none of the provider.

import ModelGateway
import ModelGatewayServer
import ModelGatewayTesting
import Testing

@Suite(.timeLimit(.minutes(1)))
struct ConnectionRoomTests {
    @Test(arguments: TransportKind.http1)
    func `A1: without a descriptor a call fails as overloaded, and goes on when there is one`(
        _ kind: TransportKind
    ) async throws {
        let engine = try ScriptedEngine { _ in .json("{}") }
        defer { engine.stop() }
        let script = Script.json("{}")
        engine.enqueue(script.stalled(after: script.byteCount - 1))
        let room = ConnectionRoom(limit: 1)
        let transport = try kind.make(room: room)
        let first = try await transport.send(HTTPTransportRequest(method: "GET", url: engine.url))
        let error = await expectTransportFailure(.overloaded) {
            try await transport.send(HTTPTransportRequest(method: "GET", url: engine.url + "/second"))
        }
        #expect(error?.status == 503)
        #expect(error?.retryAfter == .seconds(1))
        #expect(error?.requestWasSent == false)
        engine.release()
        while try await first.body.next() != nil {}
        let third = try await transport.send(HTTPTransportRequest(method: "GET", url: engine.url + "/third"))
        while try await third.body.next() != nil {}
        #expect(engine.requests.map(\.path) == ["/", "/third"])
    }

    @Test func `A1: a connection that lies unused makes room for one to another engine`() async throws {
        let engines = try (0..<3).map { _ in try ScriptedEngine { _ in .json("{}") } }
        defer { for engine in engines { engine.stop() } }
        let room = ConnectionRoom(limit: 1)
        let transport = try TransportKind.eventLoop.make(room: room)
        for engine in engines + engines {
            let response = try await transport.send(HTTPTransportRequest(method: "GET", url: engine.url))
            while try await response.body.next() != nil {}
            #expect(room.count == 1)
        }
    }

    @Test func `A1: a lack of descriptors is no verdict on a deployment, and no reason for another attempt`() {
        #expect(AttemptOutcome(TransportFailure.noDescriptor) == .cancelled)
    }
}
