// What one connection receives goes out on another.

import NIOCore
import NIOSSL

/// One direction of a connection.
final class ConnectionPipe: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let other: any Channel
    private let isClean: Bool
    private var isBroken = false

    init(to other: any Channel, isClean: Bool) {
        self.other = other
        self.isClean = isClean
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        other.write(unwrapInboundIn(data), promise: nil)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        other.flush()
    }

    /// The receiver is slow: the sender waits.
    func channelWritabilityChanged(context: ChannelHandlerContext) {
        other.setOption(.autoRead, value: context.channel.isWritable).whenComplete { _ in }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case NIOSSLError.uncleanShutdown = error { return }
        isBroken = true
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if isClean, !isBroken { return other.close(promise: nil) }
        // Beneath TLS, so that it cannot say goodbye.
        guard let tls = try? other.pipeline.syncOperations.context(handlerType: NIOSSLServerHandler.self) else {
            return other.close(promise: nil)
        }
        tls.close(promise: nil)
    }
}
