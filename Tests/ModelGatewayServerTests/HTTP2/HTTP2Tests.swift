// HTTP/2 of the server: the same answers as over HTTP/1, many of them on one connection.

import GatewayWire
import ModelGateway
import ModelGatewayServer
import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOSSL
import TLSTesting
import Testing

@Suite("HTTP/2 of the server", .timeLimit(.minutes(1)))
struct HTTP2Tests {
    static let call = #"{"model":"m","messages":[]}"#

    private func options(_ change: (inout ServerOptions) -> Void = { _ in }) -> ServerOptions {
        var options = ServerOptions()
        options.h2c = true
        change(&options)
        return options
    }

    @Test func `N88: a hundred calls at a time on one connection behind TLS`() async throws {
        let (authority, directory) = (try TestAuthority(), try CertificateDirectory())
        let issued = try authority.issue(["localhost"])
        var options = ServerOptions()
        options.tls = Configuration.ServerTLS(
            certificateFile: try directory.write("server.pem", issued.certificate),
            keyFile: try directory.write("server.key", issued.key)
        )
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .certificates(
            try NIOSSLCertificate.fromPEMBytes(Array(authority.certificate.utf8))
        )
        configuration.applicationProtocols = ["h2"]
        let context = try NIOSSLContext(configuration: configuration)
        let all = Counter()
        let gateway = FakeGateway { request throws(GatewayError) in
            all.increment()
            await all.reached(100)
            return .json(String(decoding: request.body, as: UTF8.self))
        }
        let observer = RecordingObserver()
        try await withServer(gateway, options: options, observer: observer) { server in
            try await HTTP2Client.with(port: server.port, tls: (context, "localhost")) { client in
                var streams: [HTTP2Client.Stream] = []
                for number in 0..<100 { streams.append(try await client.post(#"{"model":"m","n":\#(number)}"#)) }
                for (number, stream) in streams.enumerated() {
                    let answer = await stream.answer()
                    #expect(answer.status == 200)
                    #expect(answer.text == #"{"model":"m","n":\#(number)}"#)
                }
                #expect(try await client.get("/health").status == 200)
            }
        }
        #expect(observer.records.count == 101)
        #expect(observer.records.allSatisfy { $0.outcome == .completed && $0.status == 200 })
        #expect(observer.opened.value == 1)
        #expect(observer.closed.value == 1)
    }

    @Test func `N88: a stream that its client does not read holds back its own call and no other`() async throws {
        let endless = CountingStream(batches: 1_000_000)
        let gateway = FakeGateway { request throws(GatewayError) in
            String(decoding: request.body, as: UTF8.self).contains("endless") ? .events(endless) : .json("{}")
        }
        try await withServer(gateway, options: options()) { server in
            try await HTTP2Client.with(port: server.port) { client in
                let stalled = try await client.post(#"{"endless":true}"#, reads: false)
                for _ in 0..<200 { #expect(try await client.post(Self.call).answer().status == 200) }
                // What the windows of stream and call, and its send buffer, hold.
                #expect(endless.pulledBatches * CountingStream.batch.count < 512 << 10)
                stalled.reset()
                await endless.cancelled.reached(1)
            }
        }
    }

    @Test func `a reset of a stream ends its call at once`() async throws {
        let stream = FakeStream(["data: 1\n\n"])
        let gateway = FakeGateway { _ throws(GatewayError) in .events(stream) }
        let observer = RecordingObserver()
        try await withServer(gateway, options: options(), observer: observer) { server in
            try await HTTP2Client.with(port: server.port) { client in
                let call = try await client.post(Self.call)
                _ = await call.received.wait { $0.body.isEmpty ? nil : true }
                call.reset()
                await stream.cancelled.reached(1)
                #expect(try await client.get("/health").status == 200)
            }
        }
        #expect(observer.records.first?.outcome == .clientGone)
    }

    @Test func `a stream of events ends with its stream, and a cut one with a reset`() async throws {
        let whole = FakeStream(["data: 1\n\n", "data: [DONE]\n\n"], isFinished: true)
        let cut = FakeStream(["{\"half\":"])
        cut.fail(GatewayError(.upstreamFailed, "It broke off."))
        let gateway = FakeGateway { request throws(GatewayError) in
            guard String(decoding: request.body, as: UTF8.self).contains("cut") else { return .events(whole) }
            return WireResponse(
                status: 200,
                headers: [HTTPHeader("content-type", "application/json")],
                body: .stream(cut)
            )
        }
        try await withServer(gateway, options: options()) { server in
            try await HTTP2Client.with(port: server.port) { client in
                let answer = try await client.post(Self.call).answer()
                #expect(answer.text == "data: 1\n\ndata: [DONE]\n\n")
                #expect(answer.header("content-type") == "text/event-stream")
                #expect(answer.header("transfer-encoding") == nil)
                let half = try await client.post(#"{"cut":1}"#).answer()
                #expect(!half.isEnded)
                #expect(half.reset == .internalError)
            }
        }
    }

    @Test func `HEAD, OPTIONS, unknown paths and methods are answered as over HTTP/1`() async throws {
        try await withServer(FakeGateway(), options: options()) { server in
            try await HTTP2Client.with(port: server.port) { client in
                let head = try await client.get("/health", method: "HEAD")
                #expect(head.status == 200)
                #expect(head.header("content-length") != nil)
                #expect(head.body.isEmpty)
                #expect(try await client.get("/v1/chat/completions", method: "OPTIONS").status == 204)
                #expect(try await client.get("/v1/chat/completions").status == 405)
                #expect(try await client.get("/nothing").status == 404)
                #expect(try await client.get("/health").header("x-request-id") != nil)
            }
        }
    }

    @Test func `keys are asked for as over HTTP/1`() async throws {
        try await withServer(FakeGateway(), options: options { $0.apiKeys = ["secret"] }) { server in
            try await HTTP2Client.with(port: server.port) { client in
                let refused = try await client.post(Self.call).answer()
                #expect(refused.status == 401)
                let right = [("authorization", "Bearer secret")]
                #expect(try await client.post(Self.call, headers: right).answer().status == 200)
                #expect(try await client.get("/v1/models").status == 401)
            }
        }
    }

    @Test func `a body that is too large is refused before it has been sent`() async throws {
        try await withServer(FakeGateway(), options: options { $0.maxBodyBytes = 2048 }) { server in
            try await HTTP2Client.with(port: server.port) { client in
                let length = [("content-length", "5000000")]
                let announced = try await client.open(
                    HTTP2Client.fields("POST", "/v1/chat/completions", length),
                    ends: false
                )
                let refused = await announced.answer()
                #expect(refused.status == 413)
                #expect(refused.isEnded)
                #expect(await announced.received.wait { $0.isClosed ? $0.reset : nil } == .noError)
                let unannounced = try await client.open(HTTP2Client.fields("POST", "/v1/embeddings"), ends: false)
                try await unannounced.send(String(repeating: "x", count: 3000), ends: false)
                #expect(await unannounced.answer().status == 413)
                #expect(try await client.post(Self.call).answer().status == 200)
            }
        }
    }

    @Test func `who waits to be told to send the body is told so, and trailers are taken`() async throws {
        let gateway = FakeGateway()
        try await withServer(gateway, options: options()) { server in
            try await HTTP2Client.with(port: server.port) { client in
                let fields = HTTP2Client.fields("POST", "/v1/chat/completions", [("expect", "100-continue")])
                let call = try await client.open(fields, ends: false)
                #expect(await call.received.wait { $0.status } == 100)
                try await call.send(Self.call, ends: false)
                try await call.send(.headers(.init(headers: ["x-sum": "1"], endStream: true)))
                #expect(await call.answer().status == 200)
            }
        }
        #expect(gateway.requests.map(\.body) == [Array(Self.call.utf8)])
    }

    @Test func `a head that breaks the rules costs its stream and not the connection`() async throws {
        try await withServer(FakeGateway(), options: options()) { server in
            let client = try await RawClient.connect(to: server.port)
            var bytes = Frames.preface
            // No path; a field of the connection; a length that the body does not have.
            bytes += Frames.headers(1, [0x82, 0x86, 0x41, 1] + Array("x".utf8))
            bytes += Frames.headers(
                3,
                [0x82, 0x84, 0x86, 0x41, 1] + Array("x".utf8) + [0, 10] + Array("connection".utf8) + [1]
                    + Array("x".utf8)
            )
            bytes += Frames.headers(
                5,
                [0x83, 0x84, 0x86, 0x41, 1] + Array("x".utf8) + [0x0F, 0x0D, 1] + Array("7".utf8)
            )
            // A tunnel.
            bytes += Frames.headers(7, [0x02, 7] + Array("CONNECT".utf8) + [0x41, 1] + Array("x".utf8))
            try await client.send(bytes: bytes)
            for stream: UInt8 in [1, 3, 5, 7] {
                _ = try await client.frame { $0.type == Frames.reset && $0.stream == stream }
            }
            try await client.send(
                bytes: Frames.headers(9, [0x82, 0x04, 7] + Array("/health".utf8) + [0x86, 0x41, 1] + Array("x".utf8))
            )
            _ = try await client.frame { $0.type == Frames.head && $0.stream == 9 }
            try await client.close()
        }
    }

    @Test func `clients that begin with HTTP/2 are served only where that is configured`() async throws {
        try await withServer(FakeGateway(), options: options()) { server in
            #expect(try await server.once("GET /health HTTP/1.1\r\nHost: x\r\n\r\n").status == 200)
            let slow = try await server.connect()
            for piece in ["P", "OST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"] {
                try await slow.send(piece)
            }
            #expect(try await slow.answer().status == 404)
            try await slow.close()
        }
        try await withServer(FakeGateway()) { server in
            let client = try await server.connect()
            try await client.send(bytes: Frames.preface)
            #expect(try await client.answer().status == 400)
            try await client.close()
        }
    }
}
