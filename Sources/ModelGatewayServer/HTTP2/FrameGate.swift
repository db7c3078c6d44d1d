// Between HTTP/2 and the socket: gathers what the streams of a connection flush, and sees when the connection is given up.

import NIOCore

/// Frames that leave within one turn of the event loop leave in one write, and in one record of TLS.
///
/// NIO's handler answers a client that breaks the protocol with a GOAWAY and goes on reading. It reports mistakes on a stream
/// in the same way as those that cost the connection, so the GOAWAY itself is what tells them apart.
final class FrameGate: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    /// Whether the connection has been given up: what its client still sends is not looked at.
    private(set) var isGivenUp = false
    private var isFlushPending = false
    /// Whether what is written next is the body of a frame whose head has been written.
    private var isBodyNext = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isGivenUp else { return }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if isBodyNext {
            isBodyNext = false
        } else if case .byteBuffer(let frame) = unwrapOutboundIn(data) {
            look(at: frame)
        }
        context.write(data, promise: promise)
    }

    func flush(context: ChannelHandlerContext) {
        guard !isGivenUp else { return context.flush() }
        guard !isFlushPending else { return }
        isFlushPending = true
        context.eventLoop.assumeIsolated().execute { self.flushPending(context) }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        flushPending(context)
        context.close(mode: mode, promise: promise)
    }

    private func flushPending(_ context: ChannelHandlerContext) {
        guard isFlushPending else { return }
        isFlushPending = false
        context.flush()
    }

    /// Takes note of a frame's head (RFC 9113 §4.1).
    private func look(at frame: ByteBuffer) {
        switch frame.getInteger(at: frame.readerIndex + 3, as: UInt8.self) {
        case FrameType.data: isBodyNext = true
        case FrameType.goAway:
            let code = frame.getInteger(at: frame.readerIndex + 13, as: UInt32.self)
            if code != 0 { isGivenUp = true }
        default: break
        }
    }

    private enum FrameType {
        static let data: UInt8 = 0
        static let goAway: UInt8 = 7
    }
}
