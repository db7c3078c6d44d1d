// The handshake with a proxy on a connection that stands. The handler goes when it is over.

import ModelGateway
import NIOCore

/// Leads a ``TunnelHandshake``. The channel does not read by itself meanwhile.
final class TunnelHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var handshake: any TunnelHandshake
    private var end: ((TransportFailure.TunnelMistake?) -> Void)?

    /// - Parameter end: Called once, with what went wrong, if anything did.
    init(_ handshake: any TunnelHandshake, end: @escaping (TransportFailure.TunnelMistake?) -> Void) {
        self.handshake = handshake
        self.end = end
    }

    func handlerAdded(context: ChannelHandlerContext) {
        send(handshake.begin(), context)
        context.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard end != nil else { return }
        switch handshake.received(Array(unwrapInboundIn(data).readableBytesView)) {
        case .wait: break
        case .send(let bytes): send(bytes, context)
        case .done:
            context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
            finish(nil)
        case .failed(let mistake): finish(mistake)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if end != nil { context.read() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish(.cut)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        finish(.cut)
    }

    private func send(_ bytes: [UInt8], _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
    }

    private func finish(_ mistake: TransportFailure.TunnelMistake?) {
        let end = end
        self.end = nil
        end?(mistake)
    }
}
