// Connections that begin with a handshake of TLS, after which they are served like any other.

import HummingbirdCore
import Logging
import ModelGateway
import NIOCore
import NIOSSL
import NIOTLS

/// What a server's TLS consists of.
struct ServerSecurity: Sendable {
    let certificates: ServerCertificates
    let handshakes: Handshakes
    let clientCertificates: ClientCertificateRule
    let connections: ClientConnections
    let peers: PeerRules

    /// Reads the files that the settings name. Blocks meanwhile.
    /// - Throws: ``GatewayError/Code/configuration`` that names the file which cannot be used.
    init(
        _ settings: Configuration.ServerTLS,
        connections: ClientConnections,
        peers: PeerRules,
        observer: (any RequestObserver)?,
        logger: Logger
    ) throws(GatewayError) {
        self.connections = connections
        self.peers = peers
        certificates = try ServerCertificates(settings, observer: observer, logger: logger)
        // Those who are through the handshake keep most of the places.
        let limit = min(1000, max(1, connections.limit / 4))
        handshakes = Handshakes(limit: limit, timeout: settings.handshakeTimeout, logger: logger)
        clientCertificates = ClientCertificateRule(denied: settings.deniedClientCertificates)
    }
}

/// Puts TLS before a server's connections.
struct SecureConnections: ServerChildChannel {
    private let connections: AcceptedConnections
    private let security: ServerSecurity

    init(_ connections: AcceptedConnections, _ security: ServerSecurity) {
        self.connections = connections
        self.security = security
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<UndecidedConnection> {
        channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            let tls = NIOSSLServerHandler(context: security.certificates.current)
            let negotiation = NIOTypedApplicationProtocolNegotiationHandler<AcceptedConnection> { result, channel in
                do {
                    try security.clientCertificates.check(channel)
                } catch {
                    security.handshakes.failed(error)
                    return channel.eventLoop.makeFailedFuture(error)
                }
                if case .negotiated("h2") = result {
                    return connections.setupHTTP2(channel: channel, logger: logger)
                }
                return connections.setup(channel: channel, logger: logger)
            }
            if let count = AddressCount(security.connections, security.peers) { try pipeline.addHandler(count) }
            try pipeline.addHandler(tls)
            try pipeline.addHandler(HandshakeHandler(security.handshakes))
            try pipeline.addHandler(negotiation)
            return UndecidedConnection(channel: channel, accepted: negotiation.protocolNegotiationResult)
        }
    }

    func handle(value: UndecidedConnection, logger: Logger) async {
        await value.serve(by: connections, logger: logger)
    }
}
