// Model calls over HTTP as well-behaved clients make them.

import ModelGateway
import ModelGatewayServer
import Testing

@Suite("Model calls", .timeLimit(.minutes(1)))
struct CallTests {
    @Test func `A call's bytes go to the gateway and its answer comes back`() async throws {
        let gateway = FakeGateway { _ in .json(#"{"id":"1"}"#, headers: [HTTPHeader("x-gateway-deployment", "d1")]) }
        try await withServer(gateway) { server in
            let body = #"{"model":"m","messages":[]}"#
            let answer = try await server.once(
                RawClient.request(body, headers: ["X-Session-ID: s1", "OpenAI-Beta: b", "Accept: */*"])
            )
            #expect(answer.status == 200)
            #expect(answer.body == #"{"id":"1"}"#)
            #expect(answer.header("content-type") == "application/json")
            #expect(answer.header("x-gateway-deployment") == "d1")
            #expect(answer.header("date")?.hasSuffix(" GMT") == true)
            let request = try #require(gateway.requests.first)
            #expect(String(decoding: request.body, as: UTF8.self) == body)
            #expect(request.mode == .chat)
            #expect(request.headers.map(\.name) == ["X-Session-ID", "OpenAI-Beta"])
            #expect(answer.header("x-request-id") == request.requestID)
        }
    }

    @Test(
        arguments: [
            ("/v1/chat/completions", Mode.chat), ("/v1/completions", .completion), ("/v1/embeddings", .embedding),
            ("/v1/embeddings?x=1", .embedding), ("http://host/v1/completions", .completion),
        ]
    )
    func `Each model endpoint asks for its kind of work`(path: String, mode: Mode) async throws {
        let gateway = FakeGateway()
        try await withServer(gateway) { server in
            let answer = try await server.once(RawClient.request("{}", to: path))
            #expect(answer.status == 200)
            #expect(gateway.requests.map(\.mode) == [mode])
        }
    }

    @Test func `A valid request id is kept, another one is replaced`() async throws {
        let gateway = FakeGateway()
        try await withServer(gateway) { server in
            let kept = try await server.once(RawClient.request("{}", headers: ["x-request-id: my-id_1.2"]))
            #expect(kept.header("x-request-id") == "my-id_1.2")
            let replaced = try await server.once(RawClient.request("{}", headers: ["x-request-id: a b"]))
            let made = try #require(replaced.header("x-request-id"))
            #expect(made != "a b")
            #expect(gateway.requests.map(\.requestID) == ["my-id_1.2", made])
            let passed = try await server.once("GET /health HTTP/1.1\r\nHost: x\r\nx-request-id: r7\r\n\r\n")
            #expect(passed.header("x-request-id") == "r7")
        }
    }

    @Test func `A connection is used again`() async throws {
        try await withServer(FakeGateway()) { server in
            try await RawClient.with(port: server.port) { client in
                for _ in 0..<3 {
                    try await client.post("{}")
                    #expect(try await client.answer().status == 200)
                    try await client.get("/health")
                    #expect(try await client.answer().status == 200)
                }
            }
        }
    }

    @Test func `Pipelined requests are answered in order, and a call begins only when the one before it is answered`()
        async throws
    {
        let release = Counter()
        let gateway = FakeGateway { request throws(GatewayError) in
            if request.requestID == "first" { try await release.reachedUnlessCancelled(1) }
            return .json("\"\(request.requestID)\"")
        }
        try await withServer(gateway) { server in
            try await RawClient.with(port: server.port) { client in
                try await client.send(
                    RawClient.request("{}", headers: ["x-request-id: first"])
                        + "GET /liveness HTTP/1.1\r\nHost: x\r\n\r\n"
                        + RawClient.request("{}", headers: ["x-request-id: second"])
                        + "GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n"
                )
                await gateway.started.reached(1)
                #expect(client.receivedCount == 0)
                #expect(gateway.requests.map(\.requestID) == ["first"])
                release.increment()
                #expect(try await client.answer().body == #""first""#)
                #expect(try await client.answer().body == #"{"status":"ok"}"#)
                #expect(try await client.answer().body == #""second""#)
                #expect(try await client.answer().body == #"{"object":"list","data":[]}"#)
            }
        }
    }

    @Test func `An HTTP/1.0 client's connection ends unless it asks to keep it`() async throws {
        try await withServer(FakeGateway()) { server in
            try await RawClient.with(port: server.port) { client in
                try await client.post("{}", headers: ["Connection: keep-alive"], version: "1.0")
                let kept = try await client.answer()
                #expect(kept.header("connection") == "keep-alive")
                try await client.post("{}", version: "1.0")
                #expect(try await client.answer().header("connection") == "close")
                #expect(try await client.receiveToEnd().isEmpty)
            }
            try await RawClient.with(port: server.port) { client in
                try await client.send("GET /health HTTP/1.0\r\n\r\n")
                #expect(try await client.answer().status == 200)
                #expect(try await client.receiveToEnd().isEmpty)
            }
        }
    }

    @Test func `A request that asks to close is answered and closed`() async throws {
        try await withServer(FakeGateway()) { server in
            try await RawClient.with(port: server.port) { client in
                try await client.post("{}", headers: ["Connection: close"])
                #expect(try await client.answer().header("connection") == "close")
                #expect(try await client.receiveToEnd().isEmpty)
            }
        }
    }

    @Test func `A chunked request body is put together`() async throws {
        let gateway = FakeGateway()
        try await withServer(gateway) { server in
            let answer = try await server.once(
                "POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + "6\r\n{\"mode\r\n5\r\nl\":1}\r\n0\r\n\r\n"
            )
            #expect(answer.status == 200)
            #expect(gateway.requests.map { String(decoding: $0.body, as: UTF8.self) } == [#"{"model":1}"#])
        }
    }

    @Test func `A client that waits for 100 Continue gets it`() async throws {
        let gateway = FakeGateway()
        try await withServer(gateway) { server in
            try await RawClient.with(port: server.port) { client in
                try await client.send(
                    "POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
                )
                #expect(try await client.answer().status == 100)
                try await client.send("{}")
                #expect(try await client.answer().status == 200)
            }
        }
    }

    @Test func `The gateway's errors have OpenAI's shape, their status and their headers`() async throws {
        let gateway = FakeGateway { _ throws(GatewayError) in
            throw GatewayError(.rateLimited, "Slow \"down\".", param: "model", retryAfter: .milliseconds(1500))
        }
        try await withServer(gateway) { server in
            let answer = try await server.once(RawClient.request("{}"))
            #expect(answer.status == 429)
            #expect(answer.header("retry-after") == "2")
            #expect(
                answer.body
                    == #"{"error":{"message":"Slow \"down\".","type":"rate_limit_error","param":"model","#
                    + #""code":"rate_limited"}}"#
            )
        }
    }

    @Test func `A header line of an answer that would forge another one is left out`() async throws {
        let gateway = FakeGateway { _ in
            .json("{}", headers: [HTTPHeader("x-bad", "a\r\nset-cookie: b"), HTTPHeader("content-length", "999")])
        }
        try await withServer(gateway) { server in
            let answer = try await server.once(RawClient.request("{}"))
            #expect(answer.header("x-bad") == nil)
            #expect(answer.header("set-cookie") == nil)
            #expect(answer.header("content-length") == "2")
        }
    }

    @Test func `The observer hears of each request once`() async throws {
        let observer = RecordingObserver()
        try await withServer(FakeGateway(), observer: observer) { server in
            _ = try await server.once(RawClient.request("{ }", to: "/v1/embeddings?a=b"))
            _ = try await server.once("GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n")
            await observer.closed.reached(2)
        }
        #expect(observer.records.map(\.path) == ["/v1/embeddings", "/nowhere"])
        #expect(observer.records.map(\.status) == [200, 404])
        #expect(observer.records.map(\.requestBytes) == [3, 0])
        #expect(observer.records.first?.responseBytes == 2)
        #expect(observer.opened.value == 2)
    }
}
