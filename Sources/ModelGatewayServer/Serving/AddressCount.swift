// A connection's place among those of its client's address, from the moment that it is accepted.

import NIOCore

/// Counts a connection that does not begin with a request, and ends it if the address has as many as it may.
///
/// Nothing is said to such a client: it would take the handshake that the limit is there to spare.
final class AddressCount: ChannelInboundHandler {
    typealias InboundIn = Any

    private let connections: ClientConnections
    private let peers: PeerRules
    private var address: ClientAddress?

    /// - Returns: Nil without such a limit.
    init?(_ connections: ClientConnections, _ peers: PeerRules) {
        guard connections.limitPerAddress > 0 else { return nil }
        self.connections = connections
        self.peers = peers
    }

    func channelActive(context: ChannelHandlerContext) {
        if let client = peers.peer(of: context.channel).countedAddress {
            guard connections.enter(client) else { return context.close(promise: nil) }
            address = client
        }
        context.fireChannelActive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        if let address { connections.leave(address) }
        address = nil
    }
}
