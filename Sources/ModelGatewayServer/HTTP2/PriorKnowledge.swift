// Which version of HTTP a client without TLS speaks, by its first bytes.

import HummingbirdCore
import Logging
import NIOCore

/// Connections in the clear whose clients may begin with HTTP/2 because they know of it (RFC 9113 §3.3).
struct PriorKnowledgeConnections: ServerChildChannel {
    let connections: AcceptedConnections
    let server: ServerState

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<UndecidedConnection> {
        channel.eventLoop.makeCompletedFuture {
            let accepted = channel.eventLoop.makePromise(of: AcceptedConnection.self)
            let handler = PriorKnowledgeHandler(self, accepted: accepted, logger: logger)
            let pipeline = channel.pipeline.syncOperations
            if let count = AddressCount(server.connections, server.peers) { try pipeline.addHandler(count) }
            try pipeline.addHandler(handler)
            return UndecidedConnection(channel: channel, accepted: accepted.futureResult)
        }
    }

    func handle(value: UndecidedConnection, logger: Logger) async {
        await value.serve(by: connections, logger: logger)
    }
}

/// Keeps what comes until it is clear what it is, and goes then.
private final class PriorKnowledgeHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    /// What every client of HTTP/2 sends first (RFC 9113 §3.4).
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    private let owner: PriorKnowledgeConnections
    private let accepted: EventLoopPromise<AcceptedConnection>
    private let logger: Logger
    private var context: ChannelHandlerContext?
    private var loop: LoopState?
    private var received = ByteBuffer()
    let unusedSince = NIODeadline.now()

    init(
        _ owner: PriorKnowledgeConnections,
        accepted: EventLoopPromise<AcceptedConnection>,
        logger: Logger
    ) {
        self.owner = owner
        self.accepted = accepted
        self.logger = logger
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        loop = owner.server.loop(for: context.eventLoop)
        loop?.add(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        loop?.remove(self)
        accepted.fail(ChannelError.ioOnClosedChannel)
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        received.writeBuffer(&bytes)
        guard received.readableBytesView.starts(with: Self.preface) else {
            if Self.preface.starts(with: received.readableBytesView) { return }
            return decide(context, isHTTP2: false)
        }
        decide(context, isHTTP2: true)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent, ChannelEvent.inputClosed: context.close(promise: nil)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func decide(_ context: ChannelHandlerContext, isHTTP2: Bool) {
        let (channel, connections) = (context.channel, owner.connections)
        accepted.completeWith(
            isHTTP2
                ? connections.setupHTTP2(channel: channel, logger: logger)
                : connections.setup(channel: channel, logger: logger)
        )
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
        channel.pipeline.syncOperations.fireChannelRead(NIOAny(received))
        channel.pipeline.syncOperations.fireChannelReadComplete()
    }
}

extension PriorKnowledgeHandler: LoopMember {
    var isUnused: Bool { true }
    var hasServed: Bool { false }

    func tick() {
        guard let loop else { return }
        let limits = owner.server.limits
        let limit = received.readableBytes > 0 ? limits.headTimeout : limits.idleTimeout
        if ConnectionLimits.isOver(limit, since: unusedSince, at: loop.now) { evict() }
    }

    func abort() { evict() }

    func evict() { context?.close(promise: nil) }
}
