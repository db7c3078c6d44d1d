// Whose word counts about who a client is.

import GatewaySystem
import HTTPTypes
import Hummingbird
import Logging
import ModelGateway
import NIOCore
import NIOSSL

/// The proxies before a server, and what is believed of them.
struct PeerRules: Sendable {
    private let networks: [IPNetwork]
    private let trustsSocket: Bool
    private let header: ForwardedHeader
    /// Whether some connections begin with a header of the PROXY protocol.
    let hasProxyHeaders: Bool
    private let asksForCertificates: Bool
    private let isSecure: Bool
    private let timeout: TimeAmount

    init(_ options: ServerOptions) {
        networks = options.trustedProxies.compactMap { IPNetwork($0) }
        trustsSocket = options.trustedProxies.contains("unix")
        header = options.forwardedHeader
        hasProxyHeaders = options.readsProxyProtocol && !options.trustedProxies.isEmpty
        asksForCertificates = options.tls.map { $0.clientAuthentication != .none } ?? false
        isSecure = options.tls != nil
        timeout = TimeAmount(options.headTimeout)
    }

    /// Whether an address is one of a proxy that is believed.
    func trusts(_ address: IPAddress) -> Bool { networks.contains { $0.contains(address) } }

    private func trusts(_ address: SocketAddress?) -> Bool {
        if let address = IPAddress(address) { return trusts(address) }
        return trustsSocket && Self.isSocket(address)
    }

    private static func isSocket(_ address: SocketAddress?) -> Bool {
        if case .unixDomainSocket = address { true } else { false }
    }

    /// The handler that a new connection begins with; nil for one that begins with the client's own bytes.
    func proxyHeaderHandler(for channel: any Channel, logger: Logger) -> ProxyHeaderHandler? {
        guard hasProxyHeaders else { return nil }
        // A peer that is gone again has no address, and what it has sent is nobody's.
        let isGone = channel.remoteAddress == nil
        guard isGone || trusts(channel.remoteAddress) else { return nil }
        return ProxyHeaderHandler(isGone: isGone, timeout: timeout, logger: logger)
    }

    /// Who is at the other end of a connection, or of the one that a stream belongs to. On its event loop only.
    func peer(of channel: any Channel) -> ConnectionPeer {
        let remote = channel.remoteAddress
        let isProxy = trusts(remote)
        var address = IPAddress(remote)
        var isTrusted = isProxy
        if isProxy, hasProxyHeaders, let client = handler(ProxyHeaderHandler.self, of: channel)?.client {
            address = client
            isTrusted = trusts(client)
        }
        let certificate = asksForCertificates ? handler(NIOSSLServerHandler.self, of: channel)?.peerCertificate : nil
        return ConnectionPeer(
            sender: RequestSender(
                address: address?.description,
                isSecure: isSecure,
                certificate: certificate.flatMap { ClientCertificate($0) }
            ),
            address: address,
            isLocal: !isProxy && (address?.isLoopback ?? Self.isSocket(remote)),
            isTrusted: isTrusted
        )
    }

    /// Finds a handler of a connection, which for a stream of HTTP/2 is its parent.
    private func handler<Handler: ChannelHandler>(_ type: Handler.Type, of channel: any Channel) -> Handler? {
        if let handler = try? channel.pipeline.syncOperations.handler(type: type) { return handler }
        guard let parent = channel.parent, parent.eventLoop.inEventLoop else { return nil }
        return try? parent.pipeline.syncOperations.handler(type: type)
    }

    /// Says in the context of a route where the request comes from.
    func complete(_ context: inout GatewayRequestContext, for request: Request, on channel: any Channel) async throws {
        let peer = try await channel.eventLoop.submit { self.peer(of: channel) }.get()
        context.isPeerLocal = peer.isLocal
        context.sender = peer.sender
        guard peer.isTrusted else { return }
        context.sender =
            sender(behind: peer) { name in
                HTTPField.Name(name).map { request.headers[values: $0] } ?? []
            }.sender
    }

    /// Who a request is from that has come from a trusted proxy.
    /// - Parameter values: The values of a header, one for each of its lines.
    /// - Returns: The sender, and its address unless it is the proxy itself.
    func sender(
        behind peer: ConnectionPeer,
        values: (String) -> [String]
    ) -> (sender: RequestSender, address: IPAddress?) {
        let client = ForwardedClient.read(header, values: values, isTrusted: trusts)
        let shown = ClientCertificate(forwarded: values("x-forwarded-client-cert"))
        let sender =
            if let client {
                RequestSender(
                    address: client.address?.description,
                    isSecure: client.isSecure ?? false,
                    certificate: shown
                )
            } else {
                RequestSender(
                    address: peer.sender.address,
                    isSecure: peer.sender.isSecure,
                    certificate: shown ?? peer.sender.certificate
                )
            }
        return (sender, client?.address)
    }
}
