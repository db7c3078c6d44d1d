// What the event-loop transport leaves to another one, and how its connections end.

import GatewayWire
import ModelGateway
import ModelGatewayServer
import ModelGatewayTesting
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1)))
struct EventLoopTransportTests {
    /// Counts the requests that reach it and sends none.
    private final class Elsewhere: HTTPTransport {
        let urls = Lock<[String]>([])

        func send(_ request: HTTPTransportRequest) async throws(GatewayError) -> HTTPTransportResponse {
            urls.withLock { $0.append(request.url) }
            throw GatewayError(.unsupported, "This transport sends nothing.")
        }
    }

    @Test(arguments: [
        "HTTPS://127.0.0.1:1/", "https://user:secret@127.0.0.1:1/", "http://user:secret@127.0.0.1:1/", "ftp://x/",
    ])
    func `The transport leaves to libcurl what it does not speak`(url: String) async throws {
        let other = Elsewhere()
        let transport = EventLoopTransport(fallback: other)
        await expectTransportFailure(.unsupported) {
            try await transport.send(HTTPTransportRequest(method: "GET", url: url))
        }
        #expect(other.urls.withLock { $0 } == [url])
    }

    @Test(arguments: ["https://proxy.example", "socks4://proxy.example", "socks4a://proxy.example", "gopher://x"])
    func `The transport leaves proxies to libcurl which it does not speak with`(proxy: String) async throws {
        let other = Elsewhere()
        var options = UpstreamOptions()
        options.proxies = ProxyRules(.url(proxy)) { _ in nil }
        let transport = EventLoopTransport(fallback: other, options: options)
        await expectTransportFailure(.unsupported) {
            try await transport.send(HTTPTransportRequest(method: "GET", url: "http://upstream.invalid/"))
        }
    }

    @Test func `The transport learns that an engine compresses unasked`() async throws {
        let engine = try ScriptedEngine { _ in
            .response(headers: [HTTPHeader("Content-Encoding", "gzip")], parts: [[1, 2, 3]])
        }
        defer { engine.stop() }
        let other = Elsewhere()
        let transport = EventLoopTransport(fallback: other)
        let executor = transport.preferredExecutor
        let order = HTTPTransportRequest(method: "POST", url: engine.url, body: .bytes([1]))
        await withTaskExecutorPreference(executor) {
            // An order that was carried out is not given twice.
            await expectTransportFailure(.malformedResponse) { try await transport.send(order) }
            await expectTransportFailure(.unsupported) { try await transport.send(order) }
        }
        #expect(engine.requests.count == 1)
    }

    @Test(arguments: ["localhost", "[::1]"])
    func `The transport finds a host by its name`(host: String) async throws {
        // Nothing listens there on IPv6, but the address is understood.
        let engine = try ScriptedEngine { _ in .json("{}") }
        defer { engine.stop() }
        let transport = EventLoopTransport(fallback: Elsewhere())
        let request = HTTPTransportRequest(method: "GET", url: "http://\(host):\(engine.port)/path?x#fragment")
        do throws(GatewayError) {
            let text = try await transport.send(request).text()
            #expect(text == "{}")
            #expect(engine.requests.first?.target == "/path?x")
            #expect(engine.requests.first?.header("host") == "\(host):\(engine.port)")
        } catch {
            #expect(error.code == .connectFailed)
            #expect(host != "localhost")
        }
    }

    @Test func `The transport names a host that does not resolve`() async throws {
        let transport = EventLoopTransport(fallback: Elsewhere())
        let error = await expectTransportFailure(.connectFailed) {
            try await transport.send(HTTPTransportRequest(method: "GET", url: "http://no-such-host.invalid/"))
        }
        #expect(error?.message.contains("does not resolve") == true)
        #expect(error?.message.contains("no-such-host") == false)
        #expect(error?.requestWasSent == false)
    }

    @Test func `The transport serves many calls at once from any thread`() async throws {
        let engine = try ScriptedEngine { request in .response(parts: [request.body], framing: .chunked) }
        defer { engine.stop() }
        var transport: EventLoopTransport? = EventLoopTransport(fallback: Elsewhere())
        do {
            let transport = try #require(transport)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for caller in 0..<64 {
                    // Every second one on a loop, as calls of the data plane are.
                    group.addTask(executorPreference: caller % 2 == 0 ? transport.preferredExecutor : nil) {
                        for round in 0..<20 {
                            let body = Array("\(caller)-\(round)".utf8)
                            let request = HTTPTransportRequest(method: "POST", url: engine.url, body: .bytes(body))
                            let echo = try await transport.send(request).bytes()
                            #expect(echo == body)
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        #expect(engine.requests.count == 64 * 20)
        transport = nil
        try await engine.waitForOpenConnections(0)
    }

    @Test func `The transport closes an unused connection before its engine does`() async throws {
        let engine = try ScriptedEngine { _ in
            .response(headers: [HTTPHeader("Keep-Alive", "timeout=1")], parts: [Array("{}".utf8)])
        }
        defer { engine.stop() }
        let transport = EventLoopTransport(fallback: Elsewhere())
        for _ in 0..<3 {
            let text = try await transport.send(HTTPTransportRequest(method: "GET", url: engine.url)).text()
            #expect(text == "{}")
        }
        // The engine itself keeps it for as long as it may stay.
        try await engine.waitForOpenConnections(0)
    }

    @Test func `The transport forgets a connection that its engine closed`() async throws {
        let engine = try ScriptedEngine { _ in .json("{}") }
        defer { engine.stop() }
        let transport = EventLoopTransport(fallback: Elsewhere())
        let executor = transport.preferredExecutor
        for _ in 0..<50 {
            let order = HTTPTransportRequest(method: "POST", url: engine.url, body: .bytes([1]))
            let text = try await withTaskExecutorPreference(executor) { try await transport.send(order).text() }
            #expect(text == "{}")
            engine.closeConnections()
            try await engine.waitForOpenConnections(0)
            try await Task.sleep(for: .milliseconds(2))
        }
    }
}
