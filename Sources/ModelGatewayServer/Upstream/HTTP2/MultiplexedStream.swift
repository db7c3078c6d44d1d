// One call on an HTTP/2 connection: its answer as frames come in, its body as frames go out.

import GatewayWire
import ModelGateway
import NIOCore
import NIOHPACK
import NIOHTTP2

/// Carries one call on a shared connection. Used on its event loop only.
final class MultiplexedStream: UpstreamCarrier {
    let id: HTTP2StreamID
    let call: UpstreamCall
    private unowned let connection: MultiplexedConnection
    private var hasHead = false
    /// Bytes of the body that are still to come; nil if the head did not say.
    private var rest: Int?
    /// Whether anything of the answer has come.
    private(set) var hasBegun = false
    /// Whether the request is whole, so that its end has been sent.
    private(set) var hasSentEnd: Bool
    private var isHeldBack = false
    /// What the engine may still send.
    private var window = MultiplexedSettings.streamWindow
    /// Whether the call is on the list of those to wake.
    var isNews = false

    init(_ id: HTTP2StreamID, _ call: UpstreamCall, on connection: MultiplexedConnection) {
        self.id = id
        self.call = call
        self.connection = connection
        hasSentEnd = call.upload == nil
    }

    // MARK: What comes in

    /// Takes a block of header lines: an interim head, the head, or the trailers, which nobody reads.
    func receive(_ headers: HPACKHeaders, isEnd: Bool) {
        hasBegun = true
        call.receivedSomething(at: .now())
        guard !hasHead else { return isEnd ? end() : refuse("there are lines of the head within its body") }
        do throws(HTTPResponseError) {
            let answer = try MultiplexedResponse(headers)
            guard !answer.isInterim else { return isEnd ? refuse("it ends with an interim answer") : () }
            hasHead = true
            if answer.head.isEncoded, !call.takesEncodedBodies {
                connection.origin.compressesUnasked = true
                return call.giveUp(.upstreamCompressed)
            }
            let hasBody = call.request.method != "HEAD" && answer.head.status != 204 && answer.head.status != 304
            rest = hasBody ? answer.length : nil
            call.received(answer.head)
            if isEnd { end() }
        } catch {
            call.giveUp(.upstreamMalformed(error, in: call.phase))
        }
    }

    /// Takes bytes of the body.
    func receive(_ bytes: ByteBuffer, isEnd: Bool) {
        call.receivedSomething(at: .now())
        guard hasHead else { return refuse("its body begins before its head") }
        if let rest {
            guard bytes.readableBytes <= rest else { return refuse("its body is longer than its length") }
            self.rest = rest - bytes.readableBytes
        }
        bytes.withUnsafeReadableBytes { if !$0.isEmpty { call.received(body: $0) } }
        if isEnd { end() }
    }

    private func end() {
        if let rest, rest > 0 { return call.giveUp(TransportFailure.bodyCutOff) }
        connection.leave(self)
        call.complete()
    }

    private func refuse(_ reason: String) {
        call.giveUp(.upstreamMalformed(.malformed(reason), in: call.phase))
    }

    /// The engine may send so many bytes now.
    func windowChanged(to size: Int) {
        window = size
    }

    /// Tells the call of what has come in, and lets the engine send more if the call has taken it.
    func passOn() {
        isNews = false
        call.wake()
        grantMore()
    }

    private func grantMore() {
        guard !isHeldBack, window <= MultiplexedSettings.streamWindow / 2 else { return }
        connection.grant(MultiplexedSettings.streamWindow - window, to: self)
    }

    // MARK: The call's side

    func holdBack(_ isHeldBack: Bool) {
        self.isHeldBack = isHeldBack
        grantMore()
    }

    func send(body: [UInt8]) -> EventLoopFuture<Void> {
        connection.send(body, on: self)
    }

    func endBody() {
        hasSentEnd = true
        connection.endBody(of: self)
    }

    func close() {
        connection.reset(self)
    }
}
