// The data plane as something to put into a Hummingbird server.

public import HummingbirdCore
public import Logging
public import ModelGateway
public import NIOCore
import NIOPosix

/// Takes the model calls of a Hummingbird HTTP/1 server off its connections before they reach the router.
///
/// ``GatewayServer`` uses one. A program with a server of its own adds it there, next to its own routes:
///
/// ```swift
/// let plane = DataPlane(gateway: gateway, options: ServerOptions(), logger: logger)
/// let app = Application(router: router, server: plane.server)
/// ```
///
/// Calls then cost a fraction of what a route costs, a client that goes away ends its call at once, and silent streams
/// are kept alive. Limits of size and time are those of the options; their address is not used. Providers that are
/// reached in plain HTTP cost least with an ``EventLoopTransport``.
public struct DataPlane: Sendable {
    let state: ServerState

    init(state: ServerState) {
        self.state = state
    }

    /// Creates a data plane.
    /// - Parameters:
    ///   - gateway: What answers the calls.
    ///   - options: Keys and limits.
    ///   - observer: Is told of each finished request.
    ///   - logger: Where troubles go.
    public init(
        gateway: Gateway,
        options: ServerOptions = ServerOptions(),
        observer: (any RequestObserver)? = nil,
        logger: Logger
    ) {
        self.init(served: gateway, options: options, observer: observer, logger: logger)
    }

    package init(
        served gateway: any ServedGateway,
        options: ServerOptions,
        observer: (any RequestObserver)? = nil,
        logger: Logger
    ) {
        state = ServerState(gateway: gateway, options: options, observer: observer, logger: logger)
    }

    /// Hummingbird's HTTP/1 server with this data plane in front of the router. It is safe to stop while connections
    /// arrive, when Hummingbird's own would stop the process.
    public var server: HTTPServerBuilder {
        HTTPServerBuilder { ProxiedConnections(connections(responder: $0), state.peers) }
    }

    /// The same behind TLS.
    func server(behind security: ServerSecurity) -> HTTPServerBuilder {
        HTTPServerBuilder {
            ProxiedConnections(
                SecureConnections(connections(responder: $0, isSecure: true), security),
                state.peers
            )
        }
    }

    /// The same for clients that begin with HTTP/2 without TLS, besides those of HTTP/1.
    var serverWithHTTP2: HTTPServerBuilder {
        HTTPServerBuilder {
            ProxiedConnections(
                PriorKnowledgeConnections(connections: connections(responder: $0), server: state),
                state.peers
            )
        }
    }

    private func connections(
        responder: @escaping HTTPChannelHandler.Responder,
        isSecure: Bool = false
    ) -> AcceptedConnections {
        let configuration = HTTP1Channel.Configuration(additionalChannelHandlers: channelHandlers())
        let http = HTTP1Channel(responder: responder, configuration: configuration)
        return AcceptedConnections(http, http2: HTTP2Connections(server: state, http: http, isSecure: isSecure))
    }

    /// Lets a Hummingbird application have as many connections as ``ServerOptions/maxConnections`` says: at the limit those
    /// that are idle are closed, and further clients wait. It goes into the application's configuration.
    ///
    /// ```swift
    /// let configuration = ApplicationConfiguration(availableConnectionsDelegate: plane.connectionLimit)
    /// ```
    public var connectionLimit: any AvailableConnectionsDelegate {
        AcceptGate(state: state, eventLoop: MultiThreadedEventLoopGroup.singleton.next())
    }

    /// The handlers for one new connection, for a server that is put together in another way than ``server``.
    public func channelHandlers() -> [any RemovableChannelHandler] {
        [Installer(state: state)]
    }

    /// Additional handlers sit behind Hummingbird's conversion of the request's types, which model calls need not pay
    /// for. So this one only puts the real handler in front of it.
    private final class Installer: ChannelInboundHandler, RemovableChannelHandler {
        typealias InboundIn = NIOAny

        private let state: ServerState

        init(state: ServerState) {
            self.state = state
        }

        func handlerAdded(context: ChannelHandlerContext) {
            do {
                try DataPlaneHandler.install(in: context.pipeline.syncOperations, server: state)
            } catch {
                state.logger.error(
                    "The data plane works in HTTP/1 pipelines only; the connection is closed.",
                    metadata: ["error": "\(error)"]
                )
                context.close(promise: nil)
            }
        }
    }
}
