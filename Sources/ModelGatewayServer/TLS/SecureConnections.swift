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

    /// Reads the files that the settings name. Blocks meanwhile.
    /// - Throws: ``GatewayError/Code/configuration`` that names the file which cannot be used.
    init(_ settings: Configuration.ServerTLS, maxConnections: Int, logger: Logger) throws(GatewayError) {
        certificates = try ServerCertificates(settings, logger: logger)
        // Those who are through the handshake keep most of the places.
        let limit = min(1000, max(1, maxConnections / 4))
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

    /// A connection whose handshake is under way. One that is dropped meanwhile ends with its channel.
    struct Connection: ServerChildChannelValue {
        let channel: any Channel
        fileprivate let secured: EventLoopFuture<AcceptedConnection>
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Connection> {
        channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            let tls = NIOSSLServerHandler(context: security.certificates.current)
            let negotiation = NIOTypedApplicationProtocolNegotiationHandler<AcceptedConnection> { _, channel in
                do {
                    try security.clientCertificates.check(channel)
                } catch {
                    security.handshakes.failed(error)
                    return channel.eventLoop.makeFailedFuture(error)
                }
                return connections.setup(channel: channel, logger: logger)
            }
            try pipeline.addHandler(tls)
            try pipeline.addHandler(HandshakeHandler(security.handshakes))
            try pipeline.addHandler(negotiation)
            return Connection(channel: channel, secured: negotiation.protocolNegotiationResult)
        }
    }

    func handle(value: Connection, logger: Logger) async {
        do {
            await connections.handle(value: try await value.secured.get(), logger: logger)
        } catch {
            // Whoever does not get through the handshake is told so by it.
            value.channel.close(promise: nil)
        }
    }
}
