// Handshakes under way: only so many, and each only for so long, so that clients who never finish one lock nobody out.

import DequeModule
import GatewayWire
import Logging
import ModelGateway
import NIOCore
import NIOSSL
import NIOTLS
import Synchronization

/// The handshakes of a server.
final class Handshakes: Sendable {
    private struct State {
        var waiting: [ObjectIdentifier: any Channel] = [:]
        /// In the order in which they began; some have ended since.
        var order = Deque<ObjectIdentifier>()
        var isFullTold = false
    }

    /// How many there may be at a time.
    let limit: Int
    /// How long one may take; zero for no limit.
    let timeout: Duration
    private let state = Lock(State())
    private let logger: Logger

    init(limit: Int, timeout: Duration, logger: Logger) {
        self.limit = max(1, limit)
        self.timeout = timeout
        self.logger = logger
    }

    /// A handshake begins. If there are too many, the oldest of them ends: its client is the least likely to finish.
    func began(on channel: any Channel) {
        let (oldest, mustTell) = state.withLock { state -> ((any Channel)?, Bool) in
            state.waiting[ObjectIdentifier(channel)] = channel
            state.order.append(ObjectIdentifier(channel))
            var oldest: (any Channel)?
            while state.waiting.count > limit, oldest == nil, let first = state.order.popFirst() {
                oldest = state.waiting.removeValue(forKey: first)
            }
            // Those that have ended leave their places in the order behind.
            if state.order.count > 4 * limit { state.order.removeAll { state.waiting[$0] == nil } }
            defer { state.isFullTold = state.isFullTold || oldest != nil }
            return (oldest, oldest != nil && !state.isFullTold)
        }
        oldest?.close(promise: nil)
        guard mustTell else { return }
        logger.warning(
            "The limit of TLS handshakes under way is reached; the oldest ones are ended.",
            metadata: ["limit": "\(limit)"]
        )
    }

    /// It is over, well or not.
    func ended(on channel: any Channel) {
        state.withLock { state in
            state.waiting[ObjectIdentifier(channel)] = nil
            if state.waiting.count <= limit / 2 { state.isFullTold = false }
        }
    }

    /// It failed.
    func failed(_ error: any Error) {
        logger.debug("A TLS handshake failed.", metadata: ["reason": "\(HandshakeFailure.ofClient(error))"])
    }
}

/// Watches the handshake of one connection, and goes when it is over.
final class HandshakeHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let handshakes: Handshakes
    private var timer: Scheduled<Void>?
    private var isCounted = false

    init(_ handshakes: Handshakes) {
        self.handshakes = handshakes
    }

    func handlerAdded(context: ChannelHandlerContext) {
        isCounted = true
        handshakes.began(on: context.channel)
        guard handshakes.timeout > .zero else { return }
        let channel = context.channel
        timer = context.eventLoop.scheduleTask(in: TimeAmount(handshakes.timeout)) { channel.close(promise: nil) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted = event {
            end(context)
            context.fireUserInboundEventTriggered(event)
            context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        handshakes.failed(error)
        context.fireErrorCaught(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(context)
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end(context)
    }

    private func end(_ context: ChannelHandlerContext) {
        timer?.cancel()
        guard isCounted else { return }
        isCounted = false
        handshakes.ended(on: context.channel)
    }
}
