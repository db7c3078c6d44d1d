// Sees raw bytes arrive, so that a request's head that never becomes complete is noticed.

import NIOCore

/// The first handler of a connection: tells the data plane when bytes came.
final class ArrivalHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let connection: DataPlaneHandler

    init(connection: DataPlaneHandler) {
        self.connection = connection
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        connection.bytesArrived()
        context.fireChannelRead(data)
    }
}
