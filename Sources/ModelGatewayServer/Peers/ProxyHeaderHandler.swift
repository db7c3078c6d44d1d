// The first handler of a connection from a proxy that speaks the PROXY protocol: it reads who the client is, before TLS.

import GatewaySystem
import Logging
import NIOCore

/// Takes the header off a connection, and knows the client from then on. Until then nobody behind it hears of the connection.
final class ProxyHeaderHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// Whether nothing that comes is read.
    private let isGone: Bool
    private let timeout: TimeAmount
    private let logger: Logger
    private var received: ByteBuffer?
    private var timer: Scheduled<Void>?
    private var isActive = false
    private var isOver = false
    /// Who the proxy says the client is; nil before it has, and if it does not know or speaks for itself.
    private(set) var client: IPAddress?

    /// - Parameters:
    ///   - isGone: Whether the peer has gone before it was known, so that nothing of it is read.
    ///   - timeout: The longest time for the header to arrive; 0 for no limit.
    init(isGone: Bool, timeout: TimeAmount, logger: Logger) {
        self.isGone = isGone
        self.timeout = timeout
        self.logger = logger
    }

    func handlerAdded(context: ChannelHandlerContext) {
        guard timeout > .nanoseconds(0) else { return }
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        let channel = context.channel
        timer = context.eventLoop.scheduleTask(in: timeout) {
            guard !handler.value.isOver else { return }
            handler.value.refuse("it did not arrive in time")
            channel.close(promise: nil)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
    }

    func channelActive(context: ChannelHandlerContext) {
        isActive = true
        if isOver { context.fireChannelActive() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isOver else { return context.fireChannelRead(data) }
        guard !isGone else { return context.close(promise: nil) }
        var bytes = unwrapInboundIn(data)
        received.setOrWriteBuffer(&bytes)
        guard var buffer = received else { return }
        switch ProxyHeader.read(buffer.readableBytesView) {
        case .incomplete: break
        case .malformed:
            refuse("it is malformed")
            context.close(promise: nil)
        case .complete(let header):
            end()
            client = header.client
            buffer.moveReaderIndex(forwardBy: header.length)
            if isActive { context.fireChannelActive() }
            if buffer.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(buffer)) }
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
    }

    func channelInactive(context: ChannelHandlerContext) {
        if !isOver { end() }
        context.fireChannelInactive()
    }

    private func end() {
        isOver = true
        received = nil
        timer?.cancel()
        timer = nil
    }

    private func refuse(_ reason: String) {
        end()
        logger.warning(
            "A trusted proxy did not send a header of the PROXY protocol; its connection is closed.",
            metadata: ["reason": "\(reason)"]
        )
    }
}
