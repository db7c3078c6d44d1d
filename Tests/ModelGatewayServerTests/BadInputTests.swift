// Requests that are wrong, too large, too slow, or never finished.

import ModelGateway
import ModelGatewayServer
import Testing

@Suite("Bad input", .timeLimit(.minutes(1)))
struct BadInputTests {
    @Test func `Another method on a model endpoint is 405 with Allow, and the connection goes on`() async throws {
        try await withServer(FakeGateway()) { server in
            try await RawClient.with(port: server.port) { client in
                try await client.get("/v1/chat/completions")
                let get = try await client.answer()
                #expect(get.status == 405)
                #expect(get.header("allow") == "POST, OPTIONS")
                #expect(get.body.contains(#""code":"method_not_allowed""#))
                try await client.get("/v1/chat/completions", method: "HEAD")
                let head = try await client.answer(toHead: true)
                #expect(head.status == 405)
                try await client.get("/v1/chat/completions", method: "OPTIONS")
                let options = try await client.answer()
                #expect(options.status == 204)
                #expect(options.header("allow") == "POST, OPTIONS")
                try await client.post("{}", to: "/health")
                let health = try await client.answer()
                #expect(health.status == 405)
                #expect(health.header("allow") == "GET, HEAD, OPTIONS")
                try await client.get("/health", method: "HEAD")
                #expect(try await client.answer(toHead: true).status == 200)
            }
        }
    }

    @Test(arguments: ["/v1/nothing", "/v1/chat/completions/x", "/v1"])
    func `An unknown path is 404 in OpenAI's shape`(path: String) async throws {
        try await withServer(FakeGateway()) { server in
            let answer = try await server.once(RawClient.request("{}", to: path))
            #expect(answer.status == 404)
            #expect(answer.body.hasPrefix(#"{"error":{"message":"#))
            #expect(answer.body.contains(#""type":"invalid_request_error""#))
            #expect(answer.header("content-type") == "application/json")
            #expect(answer.header("x-request-id") != nil)
        }
    }

    @Test(
        arguments: [
            ("multipart/form-data; boundary=x", 415), ("application/xml", 415), ("image/png", 415),
            ("application/json; charset=utf-8", 200), ("application/problem+json", 200), ("text/plain", 200),
        ]
    )
    func `A media type that cannot be JSON is 415`(type: String, status: Int) async throws {
        try await withServer(FakeGateway()) { server in
            let answer = try await server.once(
                "POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nContent-Type: \(type)\r\nContent-Length: 2\r\n\r\n{}"
            )
            #expect(answer.status == status)
        }
    }

    @Test func `A body that announces to be too large is refused before it is sent`() async throws {
        let gateway = FakeGateway()
        try await withServer(gateway, options: ServerOptions(maxBodyBytes: 1000)) { server in
            try await RawClient.with(port: server.port) { client in
                try await client.send(
                    "POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nContent-Length: 50000000\r\n\r\n{"
                )
                let answer = try await client.answer()
                #expect(answer.status == 413)
                #expect(answer.body.contains("1000 bytes"))
            }
            try await RawClient.with(port: server.port) { client in
                let body = String(repeating: " ", count: 1000)
                try await client.post(body)
                #expect(try await client.answer().status == 200)
            }
        }
        #expect(gateway.requests.count == 1)
    }

    @Test func `A chunked body is refused when it grows too large`() async throws {
        let gateway = FakeGateway()
        try await withServer(gateway, options: ServerOptions(maxBodyBytes: 1000)) { server in
            try await RawClient.with(port: server.port) { client in
                try await client.send("POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
                let chunk = "258\r\n" + String(repeating: "x", count: 600) + "\r\n"
                try await client.send(chunk)
                try await client.send(chunk)
                #expect(try await client.answer().status == 413)
                #expect(try await client.receiveToEnd().isEmpty)
            }
        }
        #expect(gateway.requests.isEmpty)
    }

    @Test(
        arguments: [
            "HELLO\r\n\r\n",
            "POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
            "POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
            "GET / HTTP/1.1\r\nbad header\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}\u{0}",
            "POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        ]
    )
    func `Bytes that are not HTTP are 400 and the end of the connection`(request: String) async throws {
        let gateway = FakeGateway()
        try await withServer(gateway) { server in
            try await RawClient.with(port: server.port) { client in
                try await client.send(request)
                let answer = try await client.answer()
                #expect(answer.status == 400)
                #expect(answer.body.contains("invalid_request_error"))
                #expect(try await client.receiveToEnd().isEmpty)
            }
            #expect(try await server.once("GET /health HTTP/1.1\r\nHost: x\r\n\r\n").status == 200)
        }
        #expect(gateway.requests.isEmpty)
    }

    @Test func `Rubbish behind a running call does not disturb its answer`() async throws {
        let release = Counter()
        let gateway = FakeGateway { _ throws(GatewayError) in
            try await release.reachedUnlessCancelled(1)
            return .json("{}")
        }
        try await withServer(gateway) { server in
            try await RawClient.with(port: server.port) { client in
                try await client.send(RawClient.request("{}") + "RUBBISH\r\n\r\n")
                await gateway.started.reached(1)
                release.increment()
                #expect(try await client.answer().status == 200)
                #expect(try await client.answer().status == 400)
            }
        }
    }

    @Test func `A body shorter than its announced length makes no call`() async throws {
        let gateway = FakeGateway()
        let observer = RecordingObserver()
        try await withServer(gateway, observer: observer) { server in
            let client = try await server.connect()
            try await client.send("POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{}")
            try await client.finishSending()
            let answer = try await client.answer()
            #expect(answer.status == 400)
            try await client.close()
            let gone = try await server.connect()
            try await gone.send("POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{}")
            try await gone.close()
            await observer.closed.reached(2)
        }
        #expect(gateway.requests.isEmpty)
    }

    @Test func `A head that does not become complete is 408`() async throws {
        try await withServer(FakeGateway(), options: ServerOptions(headTimeout: .milliseconds(100))) { server in
            try await RawClient.with(port: server.port) { client in
                try await client.send("POST /v1/embeddings HTTP/1.1\r\nHost: ")
                #expect(try await client.answer().status == 408)
                #expect(try await client.receiveToEnd().isEmpty)
            }
        }
    }

    @Test func `A body that stops arriving is 408`() async throws {
        let gateway = FakeGateway()
        try await withServer(gateway, options: ServerOptions(bodyTimeout: .milliseconds(100))) { server in
            try await RawClient.with(port: server.port) { client in
                try await client.send("POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
                #expect(try await client.answer().status == 408)
                #expect(try await client.receiveToEnd().isEmpty)
            }
        }
        #expect(gateway.requests.isEmpty)
    }

    @Test func `A connection without requests is closed after its time`() async throws {
        try await withServer(FakeGateway(), options: ServerOptions(idleTimeout: .milliseconds(100))) { server in
            let client = try await server.connect()
            let received = try await client.receiveToEnd()
            #expect(received.isEmpty)
            try await client.close()
        }
    }

    @Test func `A refused request's body is read, so that the next request is understood`() async throws {
        try await withServer(FakeGateway(), options: ServerOptions(apiKeys: ["k"])) { server in
            try await RawClient.with(port: server.port) { client in
                try await client.send("POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nGE")
                try await client.send("T ")
                #expect(try await client.answer().status == 401)
                try await client.post("{}", headers: ["Authorization: Bearer k"])
                #expect(try await client.answer().status == 200)
            }
        }
    }

    @Test func `A port that is in use is an error that says so`() async throws {
        try await withServer(FakeGateway()) { server in
            let other = GatewayServer(
                served: FakeGateway(),
                options: ServerOptions(port: server.port),
                logger: .silent
            )
            let error = await #expect(throws: GatewayError.self) { try await other.run() }
            #expect(error?.code == .configuration)
            #expect(error?.message == "port \(server.port) on 127.0.0.1 is in use; choose another with --port.")
        }
    }
}
