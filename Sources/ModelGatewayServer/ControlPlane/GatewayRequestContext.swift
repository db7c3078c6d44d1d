// What the routes of the server know of a request besides the request itself.

public import Hummingbird
public import ModelGateway
public import NIOCore

/// The context of the requests that a ``GatewayServer`` does not answer as model calls: the one of its additional routes.
public struct GatewayRequestContext: RequestContext, RemoteAddressRequestContext {
    public var coreContext: CoreRequestContextStorage
    /// The other end of the connection, if it has an address.
    public let remoteAddress: SocketAddress?
    /// Where the request came from: behind proxies that are trusted (``ServerOptions/trustedProxies``), the client that they
    /// name.
    public internal(set) var sender: RequestSender
    /// Whether it comes from a program on this machine, and not from a proxy there.
    var isPeerLocal: Bool

    public init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        remoteAddress = source.channel.remoteAddress
        sender = RequestSender()
        isPeerLocal = remoteAddress?.isLocal ?? false
    }
}

extension SocketAddress {
    /// Whether it is one of this machine itself.
    var isLocal: Bool {
        switch self {
        case .unixDomainSocket: true
        case .v4, .v6: ipAddress.map(Self.isLoopback) ?? false
        }
    }

    private static func isLoopback(_ address: String) -> Bool {
        address == "::1" || address.hasPrefix("127.") || address.hasPrefix("::ffff:127.")
    }
}
