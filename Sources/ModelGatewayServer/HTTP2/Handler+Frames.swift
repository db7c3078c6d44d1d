// The data plane's answers on a stream of HTTP/2: as frames, and how the stream ends.

import NIOCore
import NIOHTTP2

extension DataPlaneHandler {
    /// Writes what goes out as the frames that it makes.
    func flushFrames(_ output: Outgoing) {
        guard let wire else { return }
        let isBodyEmpty = output.bytes.readableBytes == 0
        let promise = output.isEnd ? promiseOfEnd() : nil
        if let fields = output.fields {
            let isLast = output.isEnd && isBodyEmpty
            let head = HTTP2Frame.FramePayload.headers(.init(headers: fields, endStream: isLast))
            wire.write(NIOAny(head), promise: isLast ? promise : nil)
        }
        if !isBodyEmpty || output.isEnd && output.fields == nil {
            let body = HTTP2Frame.FramePayload.data(
                .init(data: .byteBuffer(output.bytes), endStream: output.isEnd)
            )
            wire.write(NIOAny(body), promise: output.isEnd ? promise : nil)
        }
        if output.isEnd {
            isEndWritten = true
            // The flush may close the stream before it returns.
            state.completeAnswer()
        }
        wire.flush()
    }

    /// A client that has been answered need not send the rest of its request (RFC 9113 §8.1), but it must have the whole
    /// answer before the stream is taken from it.
    private func promiseOfEnd() -> EventLoopPromise<Void>? {
        guard let context, state.exchange?.isRequestComplete != true else { return nil }
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenSuccess { self.reset(.noError) }
        return promise
    }

    /// Nothing more is written to the stream.
    func endStream() {
        guard !isEndWritten, let context else { return }
        // The answer stays incomplete, and a reset is how the client sees that; it goes out behind what was written before.
        isEndWritten = true
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenSuccess { self.reset(.internalError) }
        let nothing = HTTP2Frame.FramePayload.data(.init(data: .byteBuffer(ByteBuffer())))
        wire?.writeAndFlush(NIOAny(nothing), promise: promise)
    }

    private func reset(_ code: HTTP2ErrorCode) {
        wire?.writeAndFlush(NIOAny(HTTP2Frame.FramePayload.rstStream(code)), promise: nil)
    }
}
