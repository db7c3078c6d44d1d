// Requests and responses over real sockets: what is sent, what is received, and how connections are kept.

import ModelGateway
import ModelGatewayTesting
import Testing

@Suite(.timeLimit(.minutes(1)))
struct TransportTests {
    @Test(arguments: TransportKind.allCases)
    func `A transport sends headers and body as given`(kind: TransportKind) async throws {
        let engine = try ScriptedEngine { _ in .json(#"{"ok":true}"#, headers: [HTTPHeader("X-Test", "  yes ")]) }
        defer { engine.stop() }
        let transport = try kind.make()
        let response = try await transport.send(
            HTTPTransportRequest(
                method: "POST",
                url: engine.url + "/v1/chat?x=1",
                headers: [
                    HTTPHeader("content-type", "application/json"), HTTPHeader("X-Empty", ""),
                    HTTPHeader("Host", "elsewhere"), HTTPHeader("Content-Length", "99"),
                ],
                body: .bytes(Array(#"{"a":1}"#.utf8))
            )
        )
        #expect(response.status == 200)
        #expect(response.headers["x-test"] == "yes")
        #expect(try await response.text() == #"{"ok":true}"#)
        let request = try #require(engine.requests.first)
        #expect(request.method == "POST")
        #expect(request.target == "/v1/chat?x=1")
        #expect(request.text == #"{"a":1}"#)
        #expect(request.header("content-type") == "application/json")
        #expect(request.header("x-empty") == "")
        #expect(request.header("accept-encoding") == "identity")
        #expect(request.header("expect") == nil)
        if TransportKind.direct.contains(kind) { #expect(request.header("host") == "127.0.0.1:\(engine.port)") }
        #expect(request.header("content-length") == "7")
        #expect(request.header("user-agent") == "ModelGateway")
    }

    @Test(arguments: ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"], TransportKind.allCases)
    func `A transport uses any method with and without body`(method: String, kind: TransportKind) async throws {
        let engine = try ScriptedEngine { request in
            // The answer to HEAD names a length and has no body.
            request.method == "HEAD"
                ? .response(framing: .declaredLength(5)) : .response(parts: [Array(request.method.utf8)])
        }
        defer { engine.stop() }
        let transport = try kind.make()
        let bare = try await transport.send(HTTPTransportRequest(method: method, url: engine.url))
        #expect(try await bare.text() == (method == "HEAD" ? "" : method))
        if method != "HEAD" {
            let full = try await transport.send(
                HTTPTransportRequest(method: method, url: engine.url, body: .bytes([1, 2, 3]))
            )
            #expect(try await full.text() == method)
            #expect(engine.requests.last?.body == [1, 2, 3])
        }
        #expect(engine.requests.allSatisfy { $0.method == method })
        #expect(engine.requests.first?.body == [])
        if TransportKind.http1.contains(kind) { #expect(engine.connections.count == 1) }
    }

    @Test(
        arguments: [
            HTTPHeader("x-a", "one\r\nx-b: two"), HTTPHeader("x-a", "zero\0"), HTTPHeader("bad name", "v"),
            HTTPHeader("", "v"), HTTPHeader("x:y", "v"), HTTPHeader("x\n", "v"),
        ],
        TransportKind.allCases
    )
    func `Headers that would forge others are refused`(header: HTTPHeader, kind: TransportKind) async throws {
        let engine = try ScriptedEngine()
        defer { engine.stop() }
        let transport = try kind.make()
        await expectTransportFailure(.invalidRequest) {
            try await transport.send(HTTPTransportRequest(method: "GET", url: engine.url, headers: [header]))
        }
        #expect(engine.connections.isEmpty)
    }

    @Test(
        arguments: ["", "nonsense://x", "file:///etc/passwd", "http://", "http://a b/", "http://127.0.0.1:99999/"],
        TransportKind.allCases
    )
    func `URLs that are not HTTP are refused`(url: String, kind: TransportKind) async throws {
        let transport = try kind.make()
        await expectTransportFailure(.invalidRequest) {
            try await transport.send(HTTPTransportRequest(method: "GET", url: url))
        }
    }

    @Test(arguments: TransportKind.allCases)
    func `A transport does not follow redirects`(kind: TransportKind) async throws {
        let target = try ScriptedEngine()
        let engine = try ScriptedEngine { _ in .response(status: 302, headers: [HTTPHeader("Location", target.url)]) }
        defer {
            engine.stop()
            target.stop()
        }
        let transport = try kind.make()
        let response = try await transport.send(HTTPTransportRequest(method: "GET", url: engine.url))
        #expect(response.status == 302)
        #expect(response.headers["location"] == target.url)
        #expect(try await response.bytes() == [])
        #expect(target.connections.isEmpty)
    }

    @Test(arguments: TransportKind.http1)
    func `A transport skips interim responses`(kind: TransportKind) async throws {
        let engine = try ScriptedEngine { _ in
            .json("{}").preceded(byInterim: 103, headers: [HTTPHeader("X-Early", "1")]).preceded(byInterim: 100)
        }
        defer { engine.stop() }
        let transport = try kind.make()
        let response = try await transport.send(HTTPTransportRequest(method: "POST", url: engine.url))
        #expect(response.status == 200)
        #expect(response.headers["x-early"] == nil)
        #expect(response.headers.fields.map(\.name) == ["Content-Type", "Content-Length"])
        #expect(try await response.text() == "{}")
    }

    @Test(arguments: TransportKind.http1)
    func `A transport keeps the header lines as they came`(kind: TransportKind) async throws {
        let engine = try ScriptedEngine { _ in
            .raw("HTTP/1.1 418 Short and stout\r\nSet-Cookie: a\r\nset-cookie:b\r\nContent-Length: 0\r\n\r\n")
        }
        defer { engine.stop() }
        let transport = try kind.make()
        let response = try await transport.send(HTTPTransportRequest(method: "GET", url: engine.url))
        #expect(response.status == 418)
        #expect(
            String(decoding: response.headers.bytes, as: UTF8.self)
                == "Set-Cookie: a\r\nset-cookie:b\r\nContent-Length: 0\r\n"
        )
    }

    @Test(arguments: TransportKind.http1)
    func `A transport reuses connections without losing descriptors`(kind: TransportKind) async throws {
        let engine = try ScriptedEngine { _ in .json("{}") }
        defer { engine.stop() }
        let transport = try kind.make()
        _ = try await transport.send(HTTPTransportRequest(method: "GET", url: engine.url)).bytes()
        for _ in 0..<1000 {
            let response = try await transport.send(
                HTTPTransportRequest(method: "POST", url: engine.url, body: .bytes([0x31]))
            )
            #expect(try await response.text() == "{}")
        }
        #expect(engine.requests.count == 1001)
        #expect(engine.connections.count == 1)
    }

    @Test(arguments: [1, 2])
    func `A transport serves many calls at once`(loops: Int) async throws {
        let engine = try ScriptedEngine { request in .response(parts: [request.body], framing: .chunked) }
        defer { engine.stop() }
        var options = CurlTransport.Options()
        options.loops = loops
        let transport = try CurlTransport(options: options)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<64 {
                group.addTask {
                    for round in 0..<20 {
                        let body = Array("\(caller)-\(round)".utf8)
                        let response = try await transport.send(
                            HTTPTransportRequest(method: "POST", url: engine.url, body: .bytes(body))
                        )
                        #expect(try await response.bytes() == body)
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(engine.requests.count == 64 * 20)
        // A caller may open another one while the last is on its way back to the pool of another loop, no more.
        #expect(engine.connections.count <= 64 * loops)
        await transport.shutdown()
        try await engine.waitForOpenConnections(0)
    }

    @Test func `A transport runs tasks on its loop`() async throws {
        let engine = try ScriptedEngine { _ in .events(["1", "2", "3"], pace: .milliseconds(1)) }
        defer { engine.stop() }
        var options = CurlTransport.Options()
        options.loops = 2
        let transport = try CurlTransport(options: options)
        let executor = try #require(transport.preferredExecutor)
        let texts = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<16 {
                group.addTask(executorPreference: executor) {
                    try await transport.send(HTTPTransportRequest(method: "GET", url: engine.url)).text()
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(texts == Array(repeating: "data: 1\n\ndata: 2\n\ndata: 3\n\n", count: 16))
        await transport.shutdown()
    }

    @Test(arguments: TransportKind.http1)
    func `A transport replaces a kept connection that died`(kind: TransportKind) async throws {
        let engine = try ScriptedEngine { _ in .json("{}") }
        defer { engine.stop() }
        let transport = try kind.make()
        for ending in [Script.Ending.close, .reset] {
            _ = try await transport.send(HTTPTransportRequest(method: "POST", url: engine.url, body: .bytes([1])))
                .bytes()
            engine.closeConnections(ending)
            try await engine.waitForOpenConnections(0)
            // A connection that was used within the last millisecond may be trusted.
            try await Task.sleep(for: .milliseconds(2))
        }
        let response = try await transport.send(
            HTTPTransportRequest(method: "POST", url: engine.url, body: .bytes([1]))
        )
        #expect(try await response.text() == "{}")
        #expect(engine.connections.count == 3)
    }

    @Test(arguments: [Script.Ending.close, .reset], TransportKind.http1)
    func `A GET is sent again when its kept connection dies`(ending: Script.Ending, kind: TransportKind) async throws {
        let engine = try ScriptedEngine { $0.indexOnConnection == 0 ? .json("{}") : .hangUp(ending) }
        defer { engine.stop() }
        let transport = try kind.make()
        for _ in 0..<2 {
            let response = try await transport.send(HTTPTransportRequest(method: "GET", url: engine.url))
            #expect(try await response.text() == "{}")
        }
        // The second one went out on the kept connection, died there, and again on a fresh one.
        #expect(engine.requests.map(\.connection) == [0, 0, 1])
    }

    @Test(arguments: pairs([Script.Ending.close, .reset], [1, 300_000]), TransportKind.http1)
    func `A POST is not sent twice when its kept connection dies`(pair: (Script.Ending, Int), kind: TransportKind)
        async throws
    {
        let (ending, bytes) = pair
        let engine = try ScriptedEngine { $0.indexOnConnection == 0 ? .json("{}") : .hangUp(ending) }
        defer { engine.stop() }
        let transport = try kind.make()
        let order = HTTPTransportRequest(
            method: "POST",
            url: engine.url,
            body: .bytes([UInt8](repeating: 0x37, count: bytes))
        )
        #expect(try await transport.send(order).text() == "{}")
        let error = await #expect(throws: GatewayError.self) { try await transport.send(order) }
        #expect(error?.code == .truncatedResponse)
        #expect(error?.requestWasSent == true)
        #expect(engine.requests.map(\.connection) == [0, 0])
        #expect(try await transport.send(order).text() == "{}")
    }

    @Test(arguments: TransportKind.direct)
    func `A transport finds an engine that came back`(kind: TransportKind) async throws {
        let engine = try ScriptedEngine { _ in .json("{}") }
        defer { engine.stop() }
        let transport = try kind.make()
        let request = HTTPTransportRequest(method: "GET", url: engine.url)
        _ = try await transport.send(request).bytes()
        engine.refuseConnections()
        engine.closeConnections()
        try await engine.waitForOpenConnections(0)
        let error = await #expect(throws: GatewayError.self) { try await transport.send(request) }
        #expect(error?.code == .connectFailed)
        #expect(error?.requestWasSent == false)
        try engine.acceptConnections()
        #expect(try await transport.send(request).text() == "{}")
    }

    @Test func `A transport ends everything that runs on shutdown`() async throws {
        let engine = try ScriptedEngine { _ in .events(["1"]).stalled(after: 60) }
        defer { engine.stop() }
        let transport = try CurlTransport()
        let request = HTTPTransportRequest(method: "GET", url: engine.url)
        let waiting = Task { try await transport.send(request).bytes() }
        try await engine.waitForRequests(1)
        await transport.shutdown()
        await expectTransportFailure(.shuttingDown) { try await waiting.value }
        try await engine.waitForClientClose(connection: 0)
        await expectTransportFailure(.shuttingDown) { try await transport.send(request) }
        await transport.shutdown()
    }

    @Test func `Tasks outlive the loop that they prefer`() async throws {
        let transport = try CurlTransport()
        let executor = try #require(transport.preferredExecutor)
        await transport.shutdown()
        let sum = await withTaskGroup(of: Int.self) { group in
            for number in 0..<10 {
                group.addTask(executorPreference: executor) {
                    await Task.yield()
                    return number
                }
            }
            return await group.reduce(0, +)
        }
        #expect(sum == 45)
    }

    @Test(arguments: TransportKind.allCases)
    func `A dropped transport finishes its transfers and closes`(kind: TransportKind) async throws {
        let engine = try ScriptedEngine { _ in .events(["1", "2"]).stalled(beforeLast: 5) }
        defer { engine.stop() }
        var transport: (any HTTPTransport)? = try kind.make()
        let response = try await transport?.send(HTTPTransportRequest(method: "GET", url: engine.url))
        transport = nil
        engine.release()
        #expect(try await response?.text() == "data: 1\n\ndata: 2\n\n")
        try await engine.waitForOpenConnections(0)
    }
}
