// A client of HTTP/2 that shows what comes on each of its streams, and on the connection besides them.

import GatewayWire
import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix
import NIOSSL
import Synchronization

/// One connection to a server on this machine.
final class HTTP2Client: Sendable {
    /// What a test waits for.
    final class Watched<State: Sendable>: Sendable {
        private struct Box {
            var state: State
            var version = 0
            var waiters: [CheckedContinuation<Void, Never>] = []
        }

        private let box: Lock<Box>

        init(_ state: State) {
            box = Lock(Box(state: state))
        }

        var value: State { box.withLock { $0.state } }

        func update(_ change: (inout State) -> Void) {
            let waiters = box.withLock { box in
                change(&box.state)
                box.version += 1
                defer { box.waiters = [] }
                return box.waiters
            }
            for waiter in waiters { waiter.resume() }
        }

        func wait<Value>(for condition: (State) -> Value?) async -> Value {
            while true {
                let (state, version) = box.withLock { ($0.state, $0.version) }
                if let value = condition(state) { return value }
                await withCheckedContinuation { continuation in
                    let isLate = box.withLock { box in
                        if box.version != version { return true }
                        box.waiters.append(continuation)
                        return false
                    }
                    if isLate { continuation.resume() }
                }
            }
        }
    }

    /// What has come on a stream.
    struct Received: Sendable {
        var heads: [HPACKHeaders] = []
        var body: [UInt8] = []
        var isEnded = false
        var isClosed = false
        var reset: HTTP2ErrorCode?

        var status: Int? { heads.last?.first(name: ":status").flatMap { Int($0) } }
        var text: String { String(decoding: body, as: UTF8.self) }

        func header(_ name: String) -> String? { heads.last?.first(name: name) }
    }

    /// What has come on the connection.
    struct Connection: Sendable {
        var goAways: [(last: HTTP2StreamID, code: HTTP2ErrorCode)] = []
        var isClosed = false
    }

    let channel: any Channel
    let connection: Watched<Connection>
    private let streams: NIOHTTP2Handler.StreamMultiplexer

    private init(
        _ channel: any Channel,
        _ connection: Watched<Connection>,
        _ streams: NIOHTTP2Handler.StreamMultiplexer
    ) {
        self.channel = channel
        self.connection = connection
        self.streams = streams
    }

    static func connect(
        to port: Int,
        tls: (context: NIOSSLContext, name: String?)? = nil
    ) async throws -> HTTP2Client {
        let connection = Watched(Connection())
        let client = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls {
                        try pipeline.addHandler(NIOSSLClientHandler(context: tls.context, serverHostname: tls.name))
                    }
                    try pipeline.addHandler(
                        NIOHTTP2Handler(mode: .client, eventLoop: channel.eventLoop) { $0.close() }
                    )
                    try pipeline.addHandler(ConnectionHandler(connection))
                }
            }
            .connect(host: "127.0.0.1", port: port)
        let channel = try await client.get()
        let streams = try await channel.pipeline.handler(type: NIOHTTP2Handler.self).flatMap { $0.multiplexer }.get()
        return HTTP2Client(channel, connection, streams)
    }

    /// A stream of the connection.
    struct Stream: Sendable {
        let channel: any Channel
        let received: Watched<Received>

        func send(_ payload: HTTP2Frame.FramePayload) async throws {
            try await channel.writeAndFlush(payload)
        }

        func send(_ text: String, ends: Bool) async throws {
            try await send(.data(.init(data: .byteBuffer(ByteBuffer(string: text)), endStream: ends)))
        }

        func reset(_ code: HTTP2ErrorCode = .cancel) {
            channel.writeAndFlush(HTTP2Frame.FramePayload.rstStream(code), promise: nil)
        }

        /// The whole answer, or what there is of it when the stream ends.
        func answer() async -> Received {
            await received.wait { $0.isEnded || $0.isClosed ? $0 : nil }
        }
    }

    /// Opens a stream with a request's head.
    /// - Parameter reads: Whether what comes on it is read, and the server told so.
    func open(_ fields: HPACKHeaders, ends: Bool = true, reads: Bool = true) async throws -> Stream {
        let received = Watched(Received())
        let opened = channel.eventLoop.makePromise(of: (any Channel).self)
        streams.createStreamChannel(promise: opened) { stream in
            stream.eventLoop.makeCompletedFuture {
                try stream.syncOptions?.setOption(.autoRead, value: reads)
                try stream.pipeline.syncOperations.addHandler(StreamHandler(received))
            }
        }
        let stream = Stream(channel: try await opened.futureResult.get(), received: received)
        stream.channel.writeAndFlush(
            HTTP2Frame.FramePayload.headers(.init(headers: fields, endStream: ends)),
            promise: nil
        )
        return stream
    }

    static func fields(_ method: String, _ path: String, _ further: [(String, String)] = []) -> HPACKHeaders {
        HPACKHeaders([(":method", method), (":path", path), (":scheme", "https"), (":authority", "x")] + further)
    }

    /// Opens a stream with a call.
    func post(
        _ body: String,
        to path: String = "/v1/chat/completions",
        headers: [(String, String)] = [],
        reads: Bool = true
    ) async throws -> Stream {
        let length = [("content-type", "application/json"), ("content-length", String(body.utf8.count))]
        let stream = try await open(Self.fields("POST", path, length + headers), ends: false, reads: reads)
        stream.channel.writeAndFlush(
            HTTP2Frame.FramePayload.data(.init(data: .byteBuffer(ByteBuffer(string: body)), endStream: true)),
            promise: nil
        )
        return stream
    }

    func get(_ path: String, method: String = "GET") async throws -> Received {
        try await open(Self.fields(method, path)).answer()
    }

    /// Sends a frame of the connection itself.
    func send(_ payload: HTTP2Frame.FramePayload) {
        channel.writeAndFlush(HTTP2Frame(streamID: .rootStream, payload: payload), promise: nil)
    }

    func close() async throws {
        channel.close(promise: nil)
        try await channel.closeFuture.get()
    }

    static func with<Result>(
        port: Int,
        tls: (context: NIOSSLContext, name: String?)? = nil,
        _ body: (HTTP2Client) async throws -> Result
    ) async throws -> Result {
        let client = try await connect(to: port, tls: tls)
        do {
            let result = try await body(client)
            try await client.close()
            return result
        } catch {
            try await client.close()
            throw error
        }
    }
}

private final class ConnectionHandler: ChannelInboundHandler, Sendable {
    typealias InboundIn = HTTP2Frame
    private let connection: HTTP2Client.Watched<HTTP2Client.Connection>

    init(_ connection: HTTP2Client.Watched<HTTP2Client.Connection>) {
        self.connection = connection
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .goAway(let last, let code, _) = unwrapInboundIn(data).payload else { return }
        connection.update { $0.goAways.append((last, code)) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        connection.update { $0.isClosed = true }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}

private final class StreamHandler: ChannelInboundHandler, Sendable {
    typealias InboundIn = HTTP2Frame.FramePayload
    private let received: HTTP2Client.Watched<HTTP2Client.Received>

    init(_ received: HTTP2Client.Watched<HTTP2Client.Received>) {
        self.received = received
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let head):
            received.update {
                $0.heads.append(head.headers)
                $0.isEnded = head.endStream
            }
        case .data(let data):
            guard case .byteBuffer(let bytes) = data.data else { return }
            received.update {
                $0.body.append(contentsOf: bytes.readableBytesView)
                $0.isEnded = data.endStream
            }
        default: break
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        received.update { $0.isClosed = true }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? NIOHTTP2Errors.StreamClosed else { return }
        received.update { $0.reset = error.errorCode }
    }
}
