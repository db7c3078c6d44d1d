// A server that reads nothing of a request but its head.

import NIOCore
import NIOPosix

/// Listens on loopback, reads once from each connection, and maybe answers.
final class SilentServer: Sendable {
    var url: String { "http://127.0.0.1:\(channel.localAddress?.port ?? 0)" }
    private let channel: any Channel

    static func start(answer: String? = nil) async throws -> SilentServer {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { client in
                client.eventLoop.makeCompletedFuture {
                    try client.pipeline.syncOperations.addHandler(FirstRead(answer))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return SilentServer(channel)
    }

    private init(_ channel: any Channel) {
        self.channel = channel
    }

    deinit {
        channel.close(promise: nil)
    }
}

private final class FirstRead: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let answer: String?

    init(_ answer: String?) {
        self.answer = answer
    }

    func channelActive(context: ChannelHandlerContext) {
        context.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if let answer { context.writeAndFlush(NIOAny(ByteBuffer(string: answer)), promise: nil) }
    }
}
