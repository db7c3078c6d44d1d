// An HTTP/2 end before a server in HTTP/1.1: each stream becomes a request on a connection of its own.

import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOPosix
import NIOSSL

/// Listens on loopback, speaks HTTP/2 there, with TLS or without, and passes each request on to a port of this machine.
final class HTTP2Front: Sendable {
    /// The port that it listens on.
    let port: Int
    private let channel: any Channel

    /// - Parameters:
    ///   - server: The port of the server in HTTP/1.1.
    ///   - configuration: Certificates, if it speaks TLS.
    static func start(to server: Int, _ configuration: TLSConfiguration?) async throws -> HTTP2Front {
        var configuration = configuration
        configuration?.applicationProtocols = ["h2"]
        let tls = try configuration.map { try NIOSSLContext(configuration: $0) }
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { client in
                client.eventLoop.makeCompletedFuture {
                    if let tls { try client.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    try client.pipeline.syncOperations.addHandler(
                        NIOHTTP2Handler(mode: .server, eventLoop: client.eventLoop) { stream in
                            stream.eventLoop.makeCompletedFuture {
                                try stream.pipeline.syncOperations.addHandlers([
                                    HTTP2FramePayloadToHTTP1ServerCodec(), StreamSide(stream, to: server),
                                ])
                            }
                        }
                    )
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return HTTP2Front(channel)
    }

    private init(_ channel: any Channel) {
        self.channel = channel
        port = channel.localAddress?.port ?? 0
    }

    func stop() {
        channel.close(promise: nil)
    }

    deinit {
        channel.close(promise: nil)
    }
}

/// Passes a request on, and closes the server's connection when its stream ends.
private final class StreamSide: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart

    private let stream: any Channel
    private let port: Int
    private var server: (any Channel)?
    private var waiting: [HTTPClientRequestPart] = []
    private var isClosed = false

    init(_ stream: any Channel, to port: Int) {
        self.stream = stream
        self.port = port
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part: HTTPClientRequestPart
        switch unwrapInboundIn(data) {
        case .head(let head):
            connect(context.eventLoop)
            part = .head(.init(version: .http1_1, method: head.method, uri: head.uri, headers: head.headers))
        case .body(let bytes): part = .body(.byteBuffer(bytes))
        case .end: part = .end(nil)
        }
        if let server { server.writeAndFlush(part, promise: nil) } else { waiting.append(part) }
    }

    private func connect(_ eventLoop: any EventLoop) {
        let stream = stream
        ClientBootstrap(group: eventLoop)
            .channelInitializer { server in
                server.eventLoop.makeCompletedFuture {
                    try server.pipeline.syncOperations.addHTTPClientHandlers()
                    try server.pipeline.syncOperations.addHandler(ServerSide(to: stream))
                }
            }
            .connect(host: "127.0.0.1", port: port).assumeIsolated()
            .whenComplete { self.connected($0) }
    }

    private func connected(_ result: Result<any Channel, any Error>) {
        guard case .success(let server) = result, !isClosed else {
            if case .success(let server) = result { server.close(promise: nil) }
            return stream.close(promise: nil)
        }
        self.server = server
        for part in waiting { server.write(part, promise: nil) }
        server.flush()
        waiting = []
    }

    /// The client is slow: the server waits.
    func channelWritabilityChanged(context: ChannelHandlerContext) {
        server?.setOption(.autoRead, value: stream.isWritable).whenComplete { _ in }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        isClosed = true
        server?.close(promise: nil)
    }
}

/// Passes the answer back.
private final class ServerSide: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    private let stream: any Channel
    private var isComplete = false

    init(to stream: any Channel) {
        self.stream = stream
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part: HTTPServerResponsePart
        switch unwrapInboundIn(data) {
        case .head(let head): part = .head(head)
        case .body(let bytes): part = .body(.byteBuffer(bytes))
        case .end:
            isComplete = true
            part = .end(nil)
        }
        stream.write(part, promise: nil)
        guard isComplete else { return }
        stream.flush()
        context.close(promise: nil)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        stream.flush()
    }

    /// The server is slow: the client waits.
    func channelWritabilityChanged(context: ChannelHandlerContext) {
        stream.setOption(.autoRead, value: context.channel.isWritable).whenComplete { _ in }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        // Resets the stream.
        if !isComplete { stream.close(promise: nil) }
    }
}
