// Connections of which some come from proxies that say first who the client is.

import HummingbirdCore
import Logging
import NIOCore

/// Puts the reader of the PROXY protocol before everything else, TLS included.
struct ProxiedConnections<Connections: ServerChildChannel>: ServerChildChannel {
    private let connections: Connections
    private let peers: PeerRules

    init(_ connections: Connections, _ peers: PeerRules) {
        self.connections = connections
        self.peers = peers
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Connections.Value> {
        guard let handler = peers.proxyHeaderHandler(for: channel, logger: logger) else {
            return connections.setup(channel: channel, logger: logger)
        }
        do {
            try channel.pipeline.syncOperations.addHandler(handler)
        } catch {
            return channel.eventLoop.makeFailedFuture(error)
        }
        return connections.setup(channel: channel, logger: logger)
    }

    func handle(value: Connections.Value, logger: Logger) async {
        await connections.handle(value: value, logger: logger)
    }
}
