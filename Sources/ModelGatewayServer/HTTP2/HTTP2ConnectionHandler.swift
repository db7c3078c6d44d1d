// The channel handler of an HTTP/2 connection: its streams come and go, and it ends without losing one.

import ModelGateway
import NIOCore
import NIOHTTP2

/// Follows the connection as a whole. What its streams carry is the matter of their own handlers.
final class HTTP2ConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTP2Frame
    typealias InboundOut = HTTP2Frame
    typealias OutboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    private let server: ServerState
    private let loop: LoopState
    private let gate: FrameGate
    private var context: ChannelHandlerContext?
    private var state: HTTP2ConnectionState
    /// Who is at the other end, found out once for all streams.
    private(set) lazy var peer = context.map { server.peers.peer(of: $0.channel) }
    /// What the PING says that goes with the announcement of the end.
    private let lastPing = HTTP2PingData(withInteger: .random(in: .min ... .max))

    init(server: ServerState, loop: LoopState, gate: FrameGate) {
        self.server = server
        self.loop = loop
        self.gate = gate
        state = HTTP2ConnectionState(now: .now())
    }

    /// Tells it of the connection's streams.
    struct Streams: NIOHTTP2StreamDelegate {
        let connection: NIOLoopBound<HTTP2ConnectionHandler>

        func streamCreated(_ id: HTTP2StreamID, channel: any Channel) {
            connection.value.state.streamOpened(id)
        }

        func streamClosed(_ id: HTTP2StreamID, channel: any Channel) {
            connection.value.streamClosed()
        }
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        loop.add(self)
        server.observer?.connectionOpened()
        // Small batches must leave at once: Nagle's algorithm would hold them until the last one is acknowledged.
        try? context.channel.syncOptions?.setOption(ChannelOptions.tcpOption(.tcp_nodelay), value: 1)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        loop.remove(self)
        server.observer?.connectionClosed()
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Frames of the connection itself come here; NIO has acted on them.
        if case .ping(lastPing, ack: true) = unwrapInboundIn(data).payload { perform(state.endConfirmed(now: .now())) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent: perform(state.drain(now: .now()))
        case ChannelEvent.inputClosed: perform(state.inputClosed())
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if gate.isGivenUp {
            perform(state.givenUp(now: .now()))
        } else if !(error is any NIOHTTP2Error) {
            // Of the socket or of TLS. Those of HTTP/2 are the matter of a stream, which has been reset.
            context.close(promise: nil)
        }
    }

    private func streamClosed() {
        let action = state.streamClosed(isCrowded: server.connections.isCrowded, now: .now())
        guard action != .nothing, let context else { return }
        // The frame that closed the stream is still on its way through the handlers.
        context.eventLoop.assumeIsolated().execute { self.perform(action) }
    }

    private func perform(_ action: HTTP2ConnectionState.Action) {
        guard let context else { return }
        switch action {
        case .nothing: break
        case .announceEnd:
            write(.goAway(lastStreamID: .maxID, errorCode: .noError, opaqueData: nil), context)
            write(.ping(lastPing, ack: false), context)
            context.flush()
        case .sayLast(let stream):
            write(.goAway(lastStreamID: stream, errorCode: .noError, opaqueData: nil), context)
            context.flush()
            perform(state.lastSaid(now: .now()))
        case .closeOutput: context.close(mode: .output, promise: nil)
        case .close: context.close(promise: nil)
        }
    }

    private func write(_ payload: HTTP2Frame.FramePayload, _ context: ChannelHandlerContext) {
        context.write(wrapOutboundOut(HTTP2Frame(streamID: .rootStream, payload: payload)), promise: nil)
    }
}

extension HTTP2ConnectionHandler: LoopMember {
    var isUnused: Bool { state.isUnused }
    var hasServed: Bool { state.hasServed }
    var unusedSince: NIODeadline { state.unusedSince }

    func tick() {
        perform(state.tick(limits: server.limits, isServerDraining: server.isDraining, now: loop.now))
    }

    func abort() {
        perform(state.abort(now: .now()))
    }

    func evict() {
        guard state.isUnused, let context else { return }
        write(.goAway(lastStreamID: state.lastStream, errorCode: .noError, opaqueData: nil), context)
        context.flush()
        context.close(promise: nil)
    }
}
