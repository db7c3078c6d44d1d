// The limits of an HTTP/2 connection, and how it ends.

import GatewayWire
import ModelGateway
import ModelGatewayServer
import NIOCore
import NIOHPACK
import NIOHTTP2
import ServiceLifecycle
import Testing

@Suite("Limits of HTTP/2 connections", .timeLimit(.minutes(1)))
struct HTTP2LimitTests {
    private func options(_ change: (inout ServerOptions) -> Void = { _ in }) -> ServerOptions {
        var options = ServerOptions()
        options.h2c = true
        change(&options)
        return options
    }

    /// Floods a connection, which has to be closed for it, while another one is served.
    private func flood(_ bytes: [UInt8], expecting code: UInt32) async throws {
        try await withServer(FakeGateway(), options: options()) { server in
            try await HTTP2Client.with(port: server.port) { other in
                let client = try await RawClient.connect(to: server.port)
                try? await client.send(bytes: Frames.preface + bytes)
                let goAway = try await client.frame { $0.type == Frames.goAway }
                #expect(goAway.payload.suffix(4).reduce(0) { $0 << 8 | UInt32($1) } == code)
                _ = try await client.receiveToEnd()
                #expect(try await other.get("/health").status == 200)
            }
        }
    }

    @Test func `N89: streams that are reset as fast as they are opened cost the connection`() async throws {
        let gateway = FakeGateway { _ throws(GatewayError) in
            try await Counter().reachedUnlessCancelled(1)
            return .json("{}")
        }
        try await withServer(gateway, options: options()) { server in
            try await HTTP2Client.with(port: server.port) { client in
                for _ in 0..<150 {
                    guard let call = try? await client.post(HTTP2Tests.call) else { break }
                    call.reset()
                }
                let goAway = await client.connection.wait { $0.goAways.last }
                #expect(goAway.code == .enhanceYourCalm)
                _ = await client.connection.wait { $0.isClosed ? true : nil }
            }
            #expect(try await server.once("GET /health HTTP/1.1\r\nHost: x\r\n\r\n").status == 200)
        }
    }

    @Test func `N89: a flood of PING costs the connection`() async throws {
        let ping = Frames.frame(Frames.ping, 0, 0, [UInt8](repeating: 1, count: 8))
        try await flood((0..<1000).flatMap { _ in ping }, expecting: 11)
    }

    @Test func `N89: a flood of SETTINGS costs the connection`() async throws {
        try await flood((0..<1000).flatMap { _ in Frames.frame(Frames.settings, 0, 0, []) }, expecting: 11)
    }

    @Test func `N89: a head in endless pieces costs the connection`() async throws {
        let pieces = (0..<1000).flatMap { _ in Frames.frame(Frames.continuation, 0, 1, [0x82]) }
        try await flood(Frames.frame(Frames.head, 0, 1, [0x82]) + pieces, expecting: 11)
    }

    @Test func `N89: a head beyond 32 KiB costs the connection`() async throws {
        // A line of 4,000 bytes goes into the table of the compression, and is named ten times.
        let line: [UInt8] = [0x40, 1] + Array("x".utf8) + [0x7F, 0xA1, 0x1E] + [UInt8](repeating: 0x61, count: 4000)
        try await flood(Frames.headers(1, line + [UInt8](repeating: 0xBE, count: 10)), expecting: 9)
    }

    @Test func `more requests at a time than are allowed are not taken`() async throws {
        let endless = FakeGateway { _ throws(GatewayError) in
            try await Counter().reachedUnlessCancelled(1)
            return .json("{}")
        }
        try await withServer(endless, options: options { $0.drainDeadline = .milliseconds(100) }) { server in
            let client = try await RawClient.connect(to: server.port)
            try await client.send(bytes: Frames.preface)
            _ = try await client.frame { $0.type == Frames.settings }
            var bytes: [UInt8] = Frames.frame(Frames.settings, 1, 0, [])
            let head: [UInt8] =
                [0x83, 0x04, 20] + Array("/v1/chat/completions".utf8) + [0x86, 0x41, 1] + Array("x".utf8)
            for number in 0..<UInt8(129) {
                let stream = UInt16(number) * 2 + 1
                bytes += Frames.frame(Frames.head, 5, stream, head)
            }
            try await client.send(bytes: bytes)
            _ = try await client.frame { $0.type == Frames.goAway || $0.type == Frames.reset }
            try await client.close()
            #expect(endless.started.value <= 128)
        }
    }

    @Test func `a server that stops says so and finishes what has begun`() async throws {
        let stream = FakeStream(["data: 1\n\n"])
        let gateway = FakeGateway { _ throws(GatewayError) in .events(stream) }
        try await withServer(gateway, options: options()) { server in
            let client = try await HTTP2Client.connect(to: server.port)
            let call = try await client.post(HTTP2Tests.call)
            _ = await call.received.wait { $0.body.isEmpty ? nil : true }
            await server.group.triggerGracefulShutdown()
            let goAways = await client.connection.wait { $0.goAways.count == 2 ? $0.goAways : nil }
            #expect(goAways.map(\.code) == [.noError, .noError])
            #expect(goAways.map(\.last) == [.maxID, 1])
            stream.push("data: 2\n\n")
            stream.finish()
            #expect(await call.answer().text == "data: 1\n\ndata: 2\n\n")
            _ = await client.connection.wait { $0.isClosed ? true : nil }
            await server.ended.reached(1)
        }
    }

    @Test func `calls that are still running at the end of the drain are told so`() async throws {
        let stream = FakeStream(["data: 1\n\n"])
        let gateway = FakeGateway { _ throws(GatewayError) in .events(stream) }
        try await withServer(gateway, options: options { $0.drainDeadline = .milliseconds(50) }) { server in
            let client = try await HTTP2Client.connect(to: server.port)
            let call = try await client.post(HTTP2Tests.call)
            _ = await call.received.wait { $0.body.isEmpty ? nil : true }
            await server.group.triggerGracefulShutdown()
            let answer = await call.answer()
            #expect(answer.isEnded)
            #expect(answer.text.contains("shutting down"))
            await server.ended.reached(1)
        }
    }

    @Test func `a connection without a request for long is ended with a GOAWAY`() async throws {
        try await withServer(FakeGateway(), options: options { $0.idleTimeout = .milliseconds(50) }) { server in
            let client = try await HTTP2Client.connect(to: server.port)
            #expect(try await client.get("/health").status == 200)
            let goAways = await client.connection.wait { $0.goAways.count == 2 ? $0.goAways : nil }
            #expect(goAways.map(\.last) == [.maxID, 1])
            _ = await client.connection.wait { $0.isClosed ? true : nil }
        }
    }

    @Test func `idle connections make room for others at the limit of connections`() async throws {
        try await withServer(FakeGateway(), options: options { $0.maxConnections = 2 }) { server in
            var idle: [HTTP2Client] = []
            for _ in 0..<2 {
                let client = try await HTTP2Client.connect(to: server.port)
                #expect(try await client.get("/health").status == 200)
                idle.append(client)
            }
            #expect(try await server.once("GET /health HTTP/1.1\r\nHost: x\r\n\r\n").status == 200)
            for client in idle { try await client.close() }
        }
    }

    @Test func `a request whose body stops coming is refused, and a silent stream is kept alive`() async throws {
        let silent = FakeStream()
        let gateway = FakeGateway { _ throws(GatewayError) in .events(silent) }
        let options = options {
            $0.bodyTimeout = .milliseconds(50)
            $0.keepAliveInterval = .milliseconds(20)
        }
        try await withServer(gateway, options: options) { server in
            try await HTTP2Client.with(port: server.port) { client in
                let slow = try await client.open(HTTP2Client.fields("POST", "/v1/chat/completions"), ends: false)
                #expect(await slow.answer().status == 408)
                let call = try await client.post(#"{"stream":true}"#)
                let text = await call.received.wait { $0.body.isEmpty ? nil : $0.text }
                #expect(text.hasPrefix(": keepalive\n\n"))
                call.reset()
                await silent.cancelled.reached(1)
            }
        }
    }
}
