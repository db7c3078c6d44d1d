// Streamed answers: framing, keep-alive comments, slow clients, clients that go away.

import ModelGateway
import ModelGatewayServer
import Testing

@Suite("Streams", .timeLimit(.minutes(1)))
struct StreamTests {
    private let streamBody = #"{"model":"m","stream":true}"#

    @Test func `A stream is sent chunk by chunk as it is made`() async throws {
        let stream = FakeStream()
        try await withServer(FakeGateway { _ in .events(stream) }) { server in
            try await RawClient.with(port: server.port) { client in
                try await client.post(streamBody)
                stream.push("data: 1\n\n")
                let first = try await client.receive(until: "data: 1\n\n\r\n")
                #expect(first.contains("transfer-encoding: chunked\r\n"))
                #expect(first.contains("content-type: text/event-stream\r\n"))
                stream.push("data: 2\n\n")
                _ = try await client.receive(until: "9\r\ndata: 2\n\n\r\n")
                stream.push("data: [DONE]\n\n")
                stream.finish()
                let answer = try await client.answer()
                #expect(answer.isComplete)
                #expect(answer.body == "data: 1\n\ndata: 2\n\ndata: [DONE]\n\n")
                try await client.get("/health")
                #expect(try await client.answer().status == 200)
            }
        }
    }

    @Test func `The head of a stream whose first bytes take long goes out alone`() async throws {
        let stream = FakeStream()
        try await withServer(FakeGateway { _ in .events(stream) }) { server in
            try await RawClient.with(port: server.port) { client in
                try await client.post(streamBody)
                let head = try await client.receive(until: "\r\n\r\n")
                #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n"))
                stream.push("data: 1\n\n")
                stream.finish()
                #expect(try await client.answer().body == "data: 1\n\n")
            }
        }
    }

    @Test func `An HTTP/1.0 client gets a stream without chunks, ended by the connection's end`() async throws {
        let stream = FakeStream(["data: 1\n\n", "data: 2\n\n"], isFinished: true)
        try await withServer(FakeGateway { _ in .events(stream) }) { server in
            try await RawClient.with(port: server.port) { client in
                try await client.post(streamBody, headers: ["Connection: keep-alive"], version: "1.0")
                let answer = try await client.answer()
                #expect(answer.header("transfer-encoding") == nil)
                #expect(answer.header("connection") == "close")
                #expect(answer.body == "data: 1\n\ndata: 2\n\n")
            }
        }
    }

    // MARK: Clients that go away

    @Test func `A client that leaves before the answer has its call cancelled`() async throws {
        let never = Counter()
        let gateway = FakeGateway { _ throws(GatewayError) in
            try await never.reachedUnlessCancelled(1)
            return .json("{}")
        }
        let observer = RecordingObserver()
        try await withServer(gateway, observer: observer) { server in
            let client = try await server.connect()
            try await client.post("{}")
            await gateway.started.reached(1)
            try await client.close()
            await gateway.cancelled.reached(1)
        }
        #expect(observer.records.map(\.outcome) == [.clientGone])
        #expect(observer.records.map(\.status) == [499])
    }

    @Test func `A client that leaves in the middle of a stream has it cancelled`() async throws {
        let stream = FakeStream(["data: 1\n\n"])
        try await withServer(FakeGateway { _ in .events(stream) }) { server in
            let client = try await server.connect()
            try await client.post(streamBody)
            _ = try await client.receive(until: "data: 1")
            try await client.close()
            await stream.cancelled.reached(1)
        }
    }

    @Test func `A client that leaves with requests behind the running one has none of them called`() async throws {
        let never = Counter()
        let gateway = FakeGateway { _ throws(GatewayError) in
            try await never.reachedUnlessCancelled(1)
            return .json("{}")
        }
        try await withServer(gateway) { server in
            let client = try await server.connect()
            try await client.send(RawClient.request("{}") + RawClient.request("{}") + RawClient.request("{}"))
            await gateway.started.reached(1)
            try await client.close()
            await gateway.cancelled.reached(1)
        }
        #expect(gateway.requests.count == 1)
    }

    // MARK: Slow clients

    @Test func `A client that does not read holds its stream back; others are served; nothing is lost`() async throws {
        let batches = 1024
        let stream = CountingStream(batches: batches)
        let gateway = FakeGateway { request in request.mode == .chat ? .events(stream) : .json("{}") }
        try await withServer(gateway) { server in
            let slow = try await server.connect(reads: false)
            try await slow.post(streamBody, headers: ["Connection: close"])
            try await RawClient.with(port: server.port) { client in
                for _ in 0..<300 {
                    try await client.post("{}", to: "/v1/embeddings")
                    #expect(try await client.answer().status == 200)
                }
            }
            // The rest of the 16 MiB waits: what was taken fits into the sockets' buffers and the call's own.
            #expect(stream.pulledBatches < batches / 2)
            try await slow.startReading()
            let received = try await slow.receiveToEnd()
            #expect(received.suffix(7).elementsEqual("\r\n0\r\n\r\n".utf8))
            #expect(received.count { $0 == UInt8(ascii: "x") } >= batches * CountingStream.batch.count)
            try await slow.close()
        }
    }

    @Test func `A client that never reads is given up after its time`() async throws {
        let stream = CountingStream(batches: .max)
        let observer = RecordingObserver()
        let options = ServerOptions(writeTimeout: .milliseconds(200))
        try await withServer(FakeGateway { _ in .events(stream) }, options: options, observer: observer) { server in
            let client = try await server.connect(reads: false)
            try await client.post(streamBody)
            await stream.cancelled.reached(1)
            await observer.closed.reached(1)
            try await client.close()
        }
        #expect(observer.records.map(\.outcome) == [.aborted])
    }

    // MARK: Keep-alive

    @Test func `A stream whose answer takes long gets a head and comments, and then its events`() async throws {
        let release = Counter()
        let stream = FakeStream(["data: 1\n\n", "data: [DONE]\n\n"], isFinished: true)
        let gateway = FakeGateway { _ throws(GatewayError) in
            try await release.reachedUnlessCancelled(1)
            return .events(stream)
        }
        try await withServer(gateway, options: ServerOptions(keepAliveInterval: .milliseconds(50))) { server in
            try await RawClient.with(port: server.port) { client in
                try await client.post(streamBody)
                _ = try await client.receive(until: ": keepalive\n\n\r\nd\r\n: keepalive\n\n")
                release.increment()
                let answer = try await client.answer()
                #expect(answer.status == 200)
                #expect(answer.header("cache-control") == "no-store")
                #expect(answer.header("x-accel-buffering") == "no")
                #expect(answer.isComplete)
                #expect(answer.body.hasSuffix("data: 1\n\ndata: [DONE]\n\n"))
            }
        }
    }

    @Test func `After a keep-alive comment an error becomes an event of the stream`() async throws {
        let release = Counter()
        let gateway = FakeGateway { _ throws(GatewayError) in
            try await release.reachedUnlessCancelled(1)
            throw GatewayError(.timedOut, "Too late.")
        }
        try await withServer(gateway, options: ServerOptions(keepAliveInterval: .milliseconds(50))) { server in
            try await RawClient.with(port: server.port) { client in
                try await client.post(streamBody)
                _ = try await client.receive(until: ": keepalive")
                release.increment()
                let answer = try await client.answer()
                #expect(answer.status == 200)
                #expect(answer.isComplete)
                #expect(answer.body.contains(#"data: {"error":{"message":"Too late.","#))
                #expect(!answer.body.contains("[DONE]"))
            }
        }
    }

    @Test(arguments: [200, 400])
    func `After a keep-alive comment a whole answer becomes an event of the stream`(status: Int) async throws {
        let release = Counter()
        let body = status == 200 ? "{\n\"id\":1}" : #"{"error":{"message":"no"}}"#
        let gateway = FakeGateway { _ throws(GatewayError) in
            try await release.reachedUnlessCancelled(1)
            return .json(body, status: status)
        }
        try await withServer(gateway, options: ServerOptions(keepAliveInterval: .milliseconds(50))) { server in
            try await RawClient.with(port: server.port) { client in
                try await client.post(streamBody)
                _ = try await client.receive(until: ": keepalive")
                release.increment()
                let answer = try await client.answer()
                let events = status == 200 ? "data: {\ndata: \"id\":1}\n\ndata: [DONE]\n\n" : "data: \(body)\n\n"
                #expect(answer.body.replacing(": keepalive\n\n", with: "") == events)
            }
        }
    }

    @Test func `A comment never falls into the middle of an event`() async throws {
        let stream = FakeStream(["data: 1\n\ndata: ha"])
        let whole = FakeStream(["data: 1\n\n"])
        let gateway = FakeGateway { .events($0.requestID == "torn" ? stream : whole) }
        try await withServer(gateway, options: ServerOptions(keepAliveInterval: .milliseconds(50))) { server in
            try await RawClient.with(port: server.port) { client in
                try await client.post(streamBody, headers: ["x-request-id: torn"])
                _ = try await client.receive(until: "data: ha")
                // A second stream on the same server, silent between events, shows when comments are due.
                try await RawClient.with(port: server.port) { other in
                    try await other.post("{}")
                    _ = try await other.receive(until: ": keepalive\n\n")
                }
                stream.push("lf\n\n")
                _ = try await client.receive(until: ": keepalive\n\n")
                stream.finish()
                let answer = try await client.answer()
                // A slow machine may have been silent long enough for comments before the first event, too.
                #expect(answer.body.contains("data: 1\n\ndata: half\n\n"))
                #expect(answer.body.replacing(": keepalive\n\n", with: "") == "data: 1\n\ndata: half\n\n")
            }
        }
    }

    @Test func `A failure in a body that has no place for errors leaves it incomplete`() async throws {
        let stream = FakeStream(["{"])
        let gateway = FakeGateway { _ in
            WireResponse(status: 200, headers: [HTTPHeader("content-type", "application/json")], body: .stream(stream))
        }
        try await withServer(gateway) { server in
            let client = try await server.connect()
            try await client.post("{}")
            _ = try await client.receive(until: "1\r\n{\r\n")
            stream.fail(GatewayError(.truncatedResponse, "The provider's answer ended early."))
            let answer = try await client.answer()
            #expect(answer.status == 200)
            #expect(!answer.isComplete)
            try await client.close()
        }
    }

    @Test func `A failure before anything has gone out is told by the status`() async throws {
        let stream = FakeStream()
        stream.fail(GatewayError(.truncatedResponse, "The provider's answer ended early."))
        try await withServer(FakeGateway { _ in .events(stream) }) { server in
            let answer = try await server.once(RawClient.request("{}"))
            #expect(answer.status == 502)
            #expect(answer.body.contains(#""code":"truncated_response""#))
        }
    }
}
