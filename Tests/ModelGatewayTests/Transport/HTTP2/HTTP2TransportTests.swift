// HTTP/2 to providers on the event loop: sharing connections, refusals, windows, and servers that go wrong.

import GatewayWire
import ModelGateway
import ModelGatewayServer
import ModelGatewayTesting
import NIOCore
import NIOHTTP2
import TLSTesting
import Testing

@Suite(.timeLimit(.minutes(1)))
struct HTTP2TransportTests {
    /// Speaks HTTP/2 at once, and sends everything on the same event loop.
    static func transport(room: ConnectionRoom = .process) throws -> any HTTPTransport {
        try TransportKind.multiplexed(room: room)
    }

    static func order(_ url: String, _ path: String = "/", body: [UInt8] = [1]) -> HTTPTransportRequest {
        HTTPTransportRequest(method: "POST", url: url + path, body: .bytes(body))
    }

    /// Sends so many orders at once, and gives back what became of them in the order of their numbers.
    static func sendAll(
        _ count: Int,
        with transport: any HTTPTransport,
        to url: String
    ) async -> [Result<String, GatewayError>] {
        await withTaskGroup(of: (Int, Result<String, GatewayError>).self) { group in
            for number in 0..<count {
                group.addTask {
                    do throws(GatewayError) {
                        return (number, .success(try await transport.send(order(url, "/\(number)")).text()))
                    } catch {
                        return (number, .failure(error))
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    // MARK: Sharing

    @Test func `Calls at the same time share one connection`() async throws {
        let server = try await HTTP2Server.start { _, _ in }
        let transport = try Self.transport()
        async let results = Self.sendAll(40, with: transport, to: server.url)
        try await server.wait { $0.requests.count == 40 }
        server.onEach { connection in
            for request in connection.requests.values { connection.answer(request.stream, request.path) }
        }
        #expect(try await results.map { try $0.get() } == (0..<40).map { "/\($0)" })
        #expect(server.state.connections == 1)
    }

    @Test func `Calls above what the server allows get another connection`() async throws {
        let few = [HTTP2Setting(parameter: .maxConcurrentStreams, value: 4)]
        let server = try await HTTP2Server.start(few) { _, _ in }
        let transport = try Self.transport()
        async let results = Self.sendAll(10, with: transport, to: server.url)
        try await server.wait { $0.requests.count == 10 }
        server.onEach { connection in
            for request in connection.requests.values { connection.answer(request.stream, request.path) }
        }
        #expect(try await results.map { try $0.get() } == (0..<10).map { "/\($0)" })
        #expect(server.state.connections == 3)
    }

    private static func allow(_ calls: Int) -> HTTP2Frame.FramePayload {
        .settings(.settings([HTTP2Setting(parameter: .maxConcurrentStreams, value: calls)]))
    }

    @Test func `A server that lets nobody in yet is not flooded with connections`() async throws {
        let none = [HTTP2Setting(parameter: .maxConcurrentStreams, value: 0)]
        let server = try await HTTP2Server.start(none) { request, connection in
            if request.isWhole { connection.answer(request.stream) }
        }
        let transport = try Self.transport()
        async let text = transport.send(Self.order(server.url)).text()
        try await server.wait { $0.connections == 1 }
        server.onEach { $0.send(Self.allow(1)) }
        #expect(try await text == "{}")
        #expect(server.state.connections == 1)
    }

    @Test func `A server that lets nobody in any more is waited for, as long as a connection may take`() async throws {
        let server = try await HTTP2Server.start { request, connection in
            guard request.isWhole else { return }
            if request.stream == 1 { connection.send(Self.allow(0)) }
            connection.answer(request.stream)
        }
        let transport = try Self.transport()
        #expect(try await transport.send(Self.order(server.url)).text() == "{}")
        var timeouts = Timeouts()
        timeouts.connect = .milliseconds(200)
        let request = HTTPTransportRequest(method: "GET", url: server.url, timeouts: timeouts)
        let error = await expectTransportFailure(.timedOut) { try await transport.send(request) }
        #expect(error?.message.contains("connect timeout passed while agreeing on HTTP/2") == true)
        #expect(error?.requestWasSent == false)
        server.onEach { $0.send(Self.allow(1)) }
        #expect(try await transport.send(Self.order(server.url)).text() == "{}")
        #expect(server.state.connections == 1)
    }

    @Test func `A dropped transport closes its connections after their calls`() async throws {
        let room = ConnectionRoom()
        let server = try await HTTP2Server.start { request, connection in
            if request.isWhole { connection.head(request.stream) }
        }
        var transport: (any HTTPTransport)? = try Self.transport(room: room)
        let response = try await transport?.send(HTTPTransportRequest(method: "GET", url: server.url))
        #expect(room.count == 1)
        transport = nil
        server.onEach { connection in
            for request in connection.requests.values { connection.data(request.stream, [0x41], isEnd: true) }
        }
        #expect(try await response?.text() == "A")
        try await server.wait { $0.openConnections == 0 }
        #expect(room.count == 0)
    }

    // MARK: Refusals

    @Test func `Calls that a GOAWAY leaves out go to another connection, and the others finish`() async throws {
        let server = try await HTTP2Server.start { request, connection in
            guard request.isWhole else { return }
            guard connection.index == 0 else { return connection.answer(request.stream, "second") }
            guard connection.requests.count == 5 else { return }
            connection.goAway(after: 3)
            for stream in [HTTP2StreamID(1), 3] { connection.answer(stream, "first") }
        }
        let transport = try Self.transport()
        let results = await Self.sendAll(5, with: transport, to: server.url)
        #expect(try results.map { try $0.get() }.sorted() == ["first", "first", "second", "second", "second"])
        #expect(server.state.connections == 2)
        try await server.wait { $0.openConnections == 1 }
    }

    @Test func `A server that ends a connection politely loses no call`() async throws {
        // Every tenth call is told that the connection takes no more, as a server does that restarts its workers.
        let server = try await HTTP2Server.start { request, connection in
            guard request.isWhole else { return }
            connection.answer(request.stream, request.path)
            guard connection.requests.count == 10 else { return }
            connection.goAway(after: request.stream)
        }
        let transport = try Self.transport()
        let results = await Self.sendAll(200, with: transport, to: server.url)
        #expect(try results.map { try $0.get() } == (0..<200).map { "/\($0)" })
        let served = server.state.requests.count
        #expect(served >= 200)
    }

    @Test func `A stream that outlives a GOAWAY is read to its end`() async throws {
        let server = try await HTTP2Server.start { request, connection in
            guard request.isWhole else { return }
            guard connection.index == 0 else { return connection.answer(request.stream, "other") }
            connection.head(request.stream)
            connection.data(request.stream, Array("begin ".utf8))
            connection.goAway(after: .maxID)
        }
        let transport = try Self.transport()
        let response = try await transport.send(Self.order(server.url))
        #expect(try await response.body.next() == Array("begin ".utf8))
        #expect(try await transport.send(Self.order(server.url)).text() == "other")
        server.onEach { connection in
            if connection.index == 0 { connection.data(1, Array("end".utf8), isEnd: true) }
        }
        #expect(try await response.text() == "end")
        try await server.wait { $0.openConnections == 1 }
    }

    @Test func `A refused stream is sent again`() async throws {
        let server = try await HTTP2Server.start { request, connection in
            guard request.isWhole else { return }
            if request.stream == 1 {
                connection.reset(request.stream, .refusedStream)
            } else {
                connection.answer(request.stream, "later")
            }
        }
        let transport = try Self.transport()
        #expect(try await transport.send(Self.order(server.url)).text() == "later")
        #expect(server.state.requests.map(\.body) == [[1], [1]])
    }

    @Test func `A server that refuses everything is reported as such`() async throws {
        let server = try await HTTP2Server.start { request, connection in
            if request.isWhole { connection.reset(request.stream, .refusedStream) }
        }
        let transport = try Self.transport()
        let error = await expectTransportFailure(.connectFailed) { try await transport.send(Self.order(server.url)) }
        #expect(error?.message.contains("REFUSED_STREAM") == true)
        #expect(error?.requestWasSent == false)
        #expect(server.state.requests.count == 6)
    }

    @Test(arguments: [false, true])
    func `A reset stream fails its own call only`(hasBegun: Bool) async throws {
        let server = try await HTTP2Server.start { request, connection in
            guard request.isWhole else { return }
            guard request.path == "/bad" else { return connection.answer(request.stream) }
            if hasBegun {
                connection.head(request.stream)
                connection.data(request.stream, [0x41])
            }
            connection.reset(request.stream, .internalError)
        }
        let transport = try Self.transport()
        let error = await expectTransportFailure(hasBegun ? .truncatedResponse : .upstreamFailed) {
            try await transport.send(Self.order(server.url, "/bad")).bytes()
        }
        #expect(error?.message.contains("INTERNAL_ERROR") == true)
        #expect(error?.message.contains(hasBegun ? "reading the body" : "waiting for the first byte") == true)
        #expect(error?.requestWasSent == true)
        #expect(try await transport.send(Self.order(server.url)).text() == "{}")
        #expect(server.state.connections == 1)
    }

    // MARK: Windows

    @Test func `A body that nobody reads stops neither the others nor costs memory`() async throws {
        let big = [UInt8](repeating: 0x42, count: 8 << 20)
        let server = try await HTTP2Server.start { request, connection in
            guard request.isWhole else { return }
            connection.head(request.stream)
            connection.data(request.stream, big, isEnd: true)
        }
        let transport = try Self.transport()
        var unread: [HTTPTransportResponse] = []
        for _ in 0..<8 { unread.append(try await transport.send(Self.order(server.url))) }
        #expect(try await transport.send(Self.order(server.url)).bytes().count == big.count)
        for response in unread {
            let first = try await response.body.next()?.count ?? 0
            #expect((1...(256 + 128) << 10).contains(first))
            #expect(try await response.bytes().count == big.count - first)
        }
        #expect(server.state.connections == 1)
    }

    // MARK: Giving up

    @Test func `A call that is given up resets its stream and keeps the connection`() async throws {
        let server = try await HTTP2Server.start { request, connection in
            guard request.isWhole else { return }
            if request.path == "/stream" { connection.head(request.stream) } else { connection.answer(request.stream) }
        }
        let transport = try Self.transport()
        let response = try await transport.send(Self.order(server.url, "/stream"))
        response.body.cancel()
        try await server.wait { $0.resets.count == 1 }
        #expect(server.state.resets.map(\.code) == [.cancel])
        #expect(try await transport.send(Self.order(server.url)).text() == "{}")
        #expect(server.state.connections == 1)
    }

    @Test func `Calls that wait for a connection can be given up`() async throws {
        let few = [HTTP2Setting(parameter: .maxConcurrentStreams, value: 0)]
        let server = try await HTTP2Server.start(few) { _, _ in }
        let transport = try Self.transport()
        let task = Task { try await transport.send(Self.order(server.url)) }
        try await server.wait { $0.connections == 1 }
        task.cancel()
        let error = await expectTransportFailure(.cancelled) { try await task.value }
        #expect(error?.requestWasSent == false)
    }

    // MARK: Servers that go wrong

    @Test func `A connection that breaks fails each of its calls with the phase`() async throws {
        let server = try await HTTP2Server.start { request, connection in
            guard request.isWhole else { return }
            guard connection.index == 0 else { return connection.answer(request.stream) }
            guard request.path == "/begun" else { return }
            connection.head(request.stream)
            connection.data(request.stream, [0x41])
        }
        let transport = try Self.transport()
        let begun = try await transport.send(Self.order(server.url, "/begun"))
        #expect(try await begun.body.next() == [0x41])
        async let results = Self.sendAll(2, with: transport, to: server.url)
        try await server.wait { $0.requests.count == 3 }
        server.onEach { $0.close() }
        let cut = await expectTransportFailure(.truncatedResponse) { try await begun.bytes() }
        #expect(cut?.message.contains("cut off") == true)
        for result in await results {
            let error = #expect(throws: GatewayError.self) { try result.get() }
            #expect(error?.requestWasSent == true)
            #expect(error?.message.contains("before an answer came") == true)
        }
        #expect(try await transport.send(Self.order(server.url)).text() == "{}")
    }

    @Test(arguments: [
        ([("content-length", "5")], "too long", "longer than its length"),
        ([("content-length", "x")], "hello", "length is not a number"),
        ([("content-length", "5"), ("content-length", "6")], "hello", "two lengths"),
        ([("connection", "close")], "hello", "HTTP/2"), ([("x-bad", "a\r\nb")], "hello", "HTTP/2"),
        ([("X-Upper", "a")], "hello", "HTTP/2"),
    ])
    func `A malformed answer is reported, and fails its own call only`(
        fields: [(String, String)],
        body: String,
        reason: String
    ) async throws {
        let server = try await HTTP2Server.start { request, connection in
            guard request.isWhole else { return }
            guard request.path == "/bad" else { return connection.answer(request.stream) }
            connection.head(request.stream, fields)
            connection.data(request.stream, Array(body.utf8), isEnd: true)
        }
        let transport = try Self.transport()
        let error = await expectTransportFailure(.malformedResponse) {
            try await transport.send(Self.order(server.url, "/bad")).bytes()
        }
        #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
        #expect(try await transport.send(Self.order(server.url)).text() == "{}")
        #expect(server.state.connections == 1)
    }

    @Test func `A body shorter than its length was cut off`() async throws {
        let server = try await HTTP2Server.start { request, connection in
            guard request.isWhole else { return }
            connection.head(request.stream, [("content-length", "9")])
            connection.data(request.stream, Array("short".utf8), isEnd: true)
        }
        let transport = try Self.transport()
        await expectTransportFailure(.truncatedResponse) { try await transport.send(Self.order(server.url)).bytes() }
    }

    @Test func `A head over the limit ends the connection`() async throws {
        let server = try await HTTP2Server.start { request, connection in
            guard request.isWhole else { return }
            // A HEADERS frame without an end, and CONTINUATION frames after it, each of 16,000 bytes.
            for index in 0..<40 {
                let type: UInt8 = index == 0 ? 1 : 9
                connection.raw([0, 0x3E, 0x80, type, 0, 0, 0, 0, 1] + [UInt8](repeating: 0x88, count: 16_000))
            }
        }
        let transport = try Self.transport()
        await expectTransportFailure(.malformedResponse) { try await transport.send(Self.order(server.url)) }
        try await server.wait { $0.openConnections == 0 }
    }

    @Test(arguments: ["settings", "pings", "resets", "empty data"])
    func `A flood of frames ends the connection`(kind: String) async throws {
        let server = try await HTTP2Server.start { request, connection in
            guard request.isWhole else { return }
            connection.head(request.stream)
            for _ in 0..<20_000 {
                switch kind {
                case "settings": connection.raw([0, 0, 0, 4, 0, 0, 0, 0, 0])
                case "pings": connection.raw([0, 0, 8, 6, 0, 0, 0, 0, 0] + [UInt8](repeating: 7, count: 8))
                case "resets": connection.raw([0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 8])
                default: connection.raw([0, 0, 0, 0, 0, 0, 0, 0, 1])
                }
            }
        }
        let transport = try Self.transport()
        let response = try? await transport.send(Self.order(server.url, "/flood"))
        await #expect(throws: GatewayError.self) {
            if let response { _ = try await response.bytes() } else { throw GatewayError(.malformedResponse, "Flood.") }
        }
        try await server.wait { $0.openConnections == 0 }
    }

    @Test func `A server that answers in HTTP/1.1 to a client that knows better is reported`() async throws {
        let engine = try ScriptedEngine { _ in .json("{}") }
        defer { engine.stop() }
        let transport = try Self.transport()
        let error = await expectTransportFailure(.connectFailed) {
            try await transport.send(HTTPTransportRequest(method: "GET", url: engine.url))
        }
        #expect(error?.message.contains("agreeing on HTTP/2") == true)
        #expect(error?.requestWasSent == false)
    }

    @Test func `A server that chooses HTTP/1.1 is spoken to in it`() async throws {
        let engine = try ScriptedEngine { request in .json(String(decoding: request.body, as: UTF8.self)) }
        defer { engine.stop() }
        let authority = try TestAuthority()
        let directory = try CertificateDirectory()
        let front = try await TLSFront.start(
            to: Int(engine.port),
            try directory.server(authority.issue(["localhost"]))
        )
        let tls = TLSOptions(caFile: try directory.write("ca.pem", authority.certificate))
        let transport = try TransportKind.multiplexed(tls: tls)
        let results = await Self.sendAll(8, with: transport, to: "https://localhost:\(front.port)")
        #expect(results.allSatisfy { (try? $0.get()) == "\u{1}" })
        #expect(engine.requests.count == 8)
        #expect(try await transport.send(Self.order("https://localhost:\(front.port)")).text() == "\u{1}")
        #expect(engine.connections.count <= 8)
    }

    @Test func `A server that cannot be reached fails everybody who waits for it`() async throws {
        let engine = try ScriptedEngine()
        engine.stop()
        let transport = try Self.transport()
        let results = await Self.sendAll(20, with: transport, to: engine.url)
        for result in results {
            #expect(throws: GatewayError.self) { try result.get() }
        }
    }
}
