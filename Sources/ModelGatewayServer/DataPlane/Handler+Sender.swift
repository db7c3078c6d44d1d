// Who sends a connection's requests, and how many connections or requests the sender has.

import ModelGateway
import NIOCore
import NIOHTTP1

extension DataPlaneHandler {
    /// Says in a request where it comes from. If it is one too many of its address, that becomes its refusal.
    func noteSender(of exchange: Exchange, _ head: HTTPRequestHead) {
        guard let peer else { return }
        guard peer.isTrusted else { return exchange.sender = peer.sender }
        let (sender, address) = server.peers.sender(behind: peer) { head.headers[$0] }
        exchange.sender = sender
        guard server.connections.limitPerAddress > 0, let client = address.map({ ClientAddress($0) }) else { return }
        if server.connections.enter(client) {
            exchange.countedAddress = client
        } else {
            exchange.refusal = .surplusRequest
        }
    }

    /// A request is over.
    func leave(_ exchange: Exchange) {
        guard let address = exchange.countedAddress else { return }
        exchange.countedAddress = nil
        server.connections.leave(address)
    }

    /// Counts the connection among those of its address. One of a proxy is that of many clients, and is not counted.
    func enter() {
        guard server.connections.limitPerAddress > 0, let client = peer?.countedAddress else { return }
        if server.connections.enter(client) {
            address = client
        } else {
            refuseSurplus()
        }
    }
}

extension GatewayError {
    /// A client has as many connections as its address may have.
    static var surplusConnection: GatewayError {
        GatewayError(
            .rateLimited,
            "Your address has reached its limit of connections to this gateway; close one, or reuse an open one.",
            retryAfter: .seconds(1)
        )
    }

    /// A client behind a proxy has as many requests under way as its address may have.
    fileprivate static var surplusRequest: GatewayError {
        GatewayError(
            .rateLimited,
            "Your address has reached its limit of requests at a time to this gateway; wait for one to end.",
            retryAfter: .seconds(1)
        )
    }
}
