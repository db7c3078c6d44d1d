// The four limits of time, each with the phase that it names.

import ModelGateway
import ModelGatewayTesting
import Testing

@Suite(.timeLimit(.minutes(1)))
struct TransportTimeoutTests {
    private func failure(
        _ kind: TransportKind,
        of script: Script,
        timeouts: Timeouts,
        body: HTTPTransportRequest.Body = .none
    ) async throws -> (error: GatewayError, received: Int) {
        let engine = try ScriptedEngine { _ in script }
        defer { engine.stop() }
        let transport = try kind.make()
        var received = 0
        do throws(GatewayError) {
            let response = try await transport.send(
                HTTPTransportRequest(method: "POST", url: engine.url, body: body, timeouts: timeouts)
            )
            while let bytes = try await response.body.next() { received += bytes.count }
        } catch {
            if body.isInMemory { try await engine.waitForClientClose(connection: 0) }
            return (error, received)
        }
        throw GatewayError(.internalError, "The call did not fail.")
    }

    @Test(arguments: TransportKind.allCases)
    func `The first-byte timeout ends a silent call`(kind: TransportKind) async throws {
        let (error, _) = try await failure(
            kind,
            of: Script(steps: [.stall]),
            timeouts: Timeouts(firstByte: .milliseconds(50))
        )
        #expect(error.code == .timedOut)
        #expect(error.message.contains("first-byte timeout"))
        #expect(error.message.contains("waiting for the first byte"))
        #expect(error.requestWasSent)
    }

    @Test(arguments: TransportKind.allCases)
    func `The idle timeout ends a stream that stops`(kind: TransportKind) async throws {
        let script = Script.events(["1", "2"])
        let (error, received) = try await failure(
            kind,
            of: script.stalled(beforeLast: 10),
            timeouts: Timeouts(idle: .milliseconds(50))
        )
        #expect(error.code == .timedOut)
        #expect(error.message.contains("idle timeout"))
        #expect(error.message.contains("reading the body"))
        #expect(received > 0)
    }

    @Test(arguments: TransportKind.http1)
    func `The idle timeout counts within the head`(kind: TransportKind) async throws {
        let (error, _) = try await failure(
            kind,
            of: .json("{}").stalled(after: 20),
            timeouts: Timeouts(idle: .milliseconds(50))
        )
        #expect(error.code == .timedOut)
        #expect(error.message.contains("reading the head"))
    }

    @Test(arguments: TransportKind.allCases)
    func `The total timeout ends a stream that never idles`(kind: TransportKind) async throws {
        let (error, received) = try await failure(
            kind,
            of: .events(Array(repeating: "tick", count: 2000), pace: .milliseconds(5)),
            timeouts: Timeouts(total: .seconds(1))
        )
        #expect(error.code == .timedOut)
        #expect(error.message.contains("total timeout"))
        #expect(received > 0)
    }

    @Test func `The connect timeout ends a connection that is not made`() async throws {
        // A TLS handshake with a server that says nothing: TCP connects, the connection never stands.
        let engine = try ScriptedEngine()
        defer { engine.stop() }
        var options = CurlTransport.Options()
        options.proxy = .none
        let transport = try CurlTransport(options: options)
        let error = await #expect(throws: GatewayError.self) {
            try await transport.send(
                HTTPTransportRequest(
                    method: "GET",
                    url: "https://127.0.0.1:\(engine.port)/",
                    timeouts: Timeouts(connect: .milliseconds(100))
                )
            )
        }
        #expect(error?.code == .timedOut)
        #expect(error?.message.contains("connect timeout") == true)
        #expect(error?.message.contains("TLS handshake") == true)
        #expect(error?.requestWasSent == false)
    }

    @Test(arguments: TransportKind.allCases)
    func `A timeout of zero is no limit`(kind: TransportKind) async throws {
        let engine = try ScriptedEngine { _ in .json("{}").delayed(by: .milliseconds(50)) }
        defer { engine.stop() }
        let transport = try kind.make()
        let none = Timeouts(connect: .zero, firstByte: .zero, idle: .zero, total: .zero)
        let response = try await transport.send(
            HTTPTransportRequest(method: "GET", url: engine.url, timeouts: none)
        )
        #expect(try await response.text() == "{}")
    }

    @Test(arguments: TransportKind.allCases)
    func `The idle timeout does not run while the consumer holds the body back`(kind: TransportKind) async throws {
        let part = Array(repeating: UInt8(0x42), count: 64 * 1024)
        let engine = try ScriptedEngine { _ in
            .response(parts: Array(repeating: part, count: 256), framing: .chunked)
        }
        defer { engine.stop() }
        let transport = try kind.make()
        let response = try await transport.send(
            HTTPTransportRequest(method: "GET", url: engine.url, timeouts: Timeouts(idle: .seconds(1)))
        )
        // Longer than the limit: were it to run, the rest of the body would be lost.
        try await Task.sleep(for: .seconds(2))
        #expect(try await response.bytes().count == 256 * part.count)
    }

    @Test(arguments: TransportKind.allCases)
    func `A steady stream outlives the idle timeout`(kind: TransportKind) async throws {
        let engine = try ScriptedEngine { _ in
            .events(Array(repeating: "tick", count: 40), pace: .milliseconds(20))
        }
        defer { engine.stop() }
        let transport = try kind.make()
        let response = try await transport.send(
            HTTPTransportRequest(method: "GET", url: engine.url, timeouts: Timeouts(idle: .milliseconds(500)))
        )
        #expect(try await response.bytes().count == 40 * "data: tick\n\n".utf8.count)
    }

    @Test(arguments: TransportKind.allCases)
    func `A body that is not sent in time is reported as such`(kind: TransportKind) async throws {
        let source = StalledByteStream()
        let (error, _) = try await failure(
            kind,
            of: .json("{}"),
            timeouts: Timeouts(firstByte: .milliseconds(50)),
            body: .stream(source, length: nil)
        )
        #expect(error.code == .timedOut)
        #expect(error.message.contains("sending the request"))
    }
}

extension HTTPTransportRequest.Body {
    fileprivate var isInMemory: Bool {
        if case .stream = self { false } else { true }
    }
}

/// A body source that never answers, until its task is cancelled.
private final class StalledByteStream: ByteStream {
    func next() async throws(GatewayError) -> [UInt8]? {
        let (never, _) = AsyncStream.makeStream(of: Void.self)
        for await _ in never {}
        throw GatewayError(.cancelled, "Cancelled.")
    }

    func cancel() {}
}
