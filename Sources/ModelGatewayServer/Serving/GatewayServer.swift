// The HTTP server: data plane and control plane on one port, from listening to the last drained call.

import GatewayWire
public import Hummingbird
import HummingbirdCore
public import Logging
public import ModelGateway
import NIOCore
import NIOPosix
public import ServiceLifecycle
import Synchronization

/// Serves a gateway over HTTP.
///
/// Model calls (`POST /v1/chat/completions`, `/v1/completions`, `/v1/embeddings`) are answered by a ``DataPlane``;
/// `GET /v1/models`, `/v1/models/{id}`, `/health`, `/readiness`, `/liveness` and `/metrics` by a router, to which more
/// routes can be added; without one for it, `GET /` says that a server is there. If keys are configured, everything but
/// that and the three health paths needs one. What shows or changes the fleet, such as `/workers`, takes an admin's key;
/// while there is none, only programs on this machine may.
///
/// Run it in a `ServiceGroup`, and call ``announceShutdown()`` a while before that shuts down if a load balancer asks for
/// `/readiness`. When the group shuts down gracefully the server stops to accept connections, closes idle ones, lets
/// running calls finish for ``ServerOptions/drainDeadline``, and ends the rest with an error that their clients can read.
public final class GatewayServer: Service {
    /// Where a server listens.
    public struct Address: Sendable, Hashable {
        /// The host that was asked for, or the Unix domain socket: `unix:/run/gateway.sock`.
        public var host: String
        /// The port, the real one if any free port was asked for; 0 for a socket.
        public var port: Int
        /// The port of the health checks, if they have one of their own: ``ServerOptions/healthPort``.
        public var healthPort: Int?
    }

    private let state: ServerState
    private let responder: RouterResponder<GatewayRequestContext>
    private let onListening: @Sendable (Address) async -> Void
    private let certificates = Lock<ServerCertificates?>(nil)
    private let health: HealthListener?
    private let logger: Logger

    /// Creates a server. It does nothing before it runs.
    /// - Parameters:
    ///   - gateway: What answers the calls.
    ///   - options: The address, keys and limits.
    ///   - metrics: Makes the body of `/metrics`, in Prometheus' text format; without it the path is not found.
    ///   - observer: Is told of each finished request.
    ///   - logger: Where the server logs.
    ///   - routes: Adds more routes to the router of the control plane.
    ///   - onListening: Called once the server accepts connections, with its real port.
    public convenience init(
        gateway: Gateway,
        options: ServerOptions = ServerOptions(),
        metrics: (@Sendable () -> [UInt8])? = nil,
        observer: (any RequestObserver)? = nil,
        logger: Logger,
        routes: (Router<GatewayRequestContext>) -> Void = { _ in },
        onListening: @escaping @Sendable (Address) async -> Void = { _ in }
    ) {
        self.init(
            served: gateway,
            options: options,
            metrics: metrics,
            observer: observer,
            logger: logger,
            routes: routes,
            onListening: onListening
        )
    }

    package init(
        served gateway: any ServedGateway,
        options: ServerOptions,
        metrics: (@Sendable () -> [UInt8])? = nil,
        observer: (any RequestObserver)? = nil,
        logger: Logger,
        routes: (Router<GatewayRequestContext>) -> Void = { _ in },
        onListening: @escaping @Sendable (Address) async -> Void = { _ in }
    ) {
        let state = ServerState(gateway: gateway, options: options, observer: observer, logger: logger)
        let router = Router(context: GatewayRequestContext.self, options: [.autoGenerateHeadEndpoints])
        router.add(middleware: UnknownPathMiddleware())
        let plane = ControlPlane(
            gateway: gateway,
            access: state.access,
            metrics: metrics,
            isDraining: { state.isShutdownAnnounced || state.isDraining }
        )
        GatewayRoutes(plane: plane, maxBodyBytes: options.maxBodyBytes).mountControlPlane(on: router)
        if let gateway = gateway as? Gateway {
            WorkerRoutes(gateway: gateway, plane: plane).mount(on: router)
            AdminRoutes(gateway: gateway, plane: plane, maxBodyBytes: options.maxBodyBytes).mount(on: router)
        }
        routes(router)
        health = options.healthPort.map { HealthListener(port: $0, plane: plane, options: options, logger: logger) }
        self.state = state
        self.logger = logger
        self.onListening = onListening
        responder = router.buildResponder()
    }

    /// Listens and serves until the task is cancelled or shut down gracefully.
    /// - Throws: `GatewayError.Code.configuration` when the server cannot listen on its address, or a certificate or key of
    ///   its TLS cannot be used.
    public func run() async throws {
        guard (0...65_535).contains(state.options.port) else {
            throw GatewayError(
                .configuration,
                "\(state.options.port) is not a valid port; choose one from 0 to 65535 with --port."
            )
        }
        let socket = try ListeningSocket(state.options)
        defer { socket?.remove() }
        let state = state
        let (healthPort, healthCheck) = try await health?.start() ?? (nil, nil)
        // Until the last call has been drained: who looks after the process must not take it for dead meanwhile.
        defer { healthCheck?.cancel() }
        let server = try makeServer(socket, healthPort: healthPort)
        let watch = watchCertificates()
        defer { watch?.cancel() }
        do {
            try await withGracefulShutdownHandler {
                try await server.run()
            } onGracefulShutdown: {
                state.beginDrain()
                self.scheduleAbort()
            }
        } catch let error as IOError {
            if let socket { throw socket.cannotListen(error.errnoCode) }
            throw Self.cannotListen(error, options: state.options)
        } catch let error where error is SocketAddressError || error is SocketAddressError.UnknownHost {
            throw Self.notOurs(state.options)
        }
    }

    /// Makes `/readiness` answer 503 while everything else goes on as before, so that load balancers stop to send calls
    /// before the server stops to take them. Call it some seconds before the graceful shutdown. Idempotent.
    public func announceShutdown() {
        state.announceShutdown()
    }

    /// Looks at the files of certificates and keys now, and takes them over if they have changed and can be used; a log line
    /// says so, or why not. Connections that stand go on as they are. Without TLS it does nothing.
    public func reloadCertificates() async {
        guard let certificates = certificates.withLock({ $0 }) else { return }
        try? await NIOThreadPool.singleton.runIfActive { certificates.reload() }
    }

    /// Looks at the files from time to time.
    private func watchCertificates() -> Task<Void, any Error>? {
        guard let interval = state.options.tls?.reloadInterval, interval > .zero else { return nil }
        return Task {
            while true {
                try await Task.sleep(for: interval)
                await reloadCertificates()
            }
        }
    }

    private func makeServer(_ socket: ListeningSocket?, healthPort: Int?) throws -> any Service {
        let plane = DataPlane(state: state)
        let options = state.options
        let security = try options.tls.map { settings throws(GatewayError) in
            try ServerSecurity(
                settings,
                connections: state.connections,
                peers: state.peers,
                observer: state.observer,
                logger: logger
            )
        }
        certificates.withLock { $0 = security?.certificates }
        let builder = security.map { plane.server(behind: $0) } ?? (options.h2c ? plane.serverWithHTTP2 : plane.server)
        var quiet = logger
        quiet.logLevel = max(.warning, logger.logLevel)
        return try builder.buildServer(
            configuration: ServerConfiguration(
                address: socket.map { .unixDomainSocket(path: $0.firstPath) }
                    ?? .hostname(options.host, port: options.port),
                backlog: options.backlog,
                availableConnectionsDelegate: plane.connectionLimit
            ),
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
            logger: quiet,
            responder: { [state, responder, quiet] request, writer, channel in
                let source = ApplicationRequestContextSource(channel: channel, logger: quiet)
                var context = GatewayRequestContext(source: source)
                try await state.peers.complete(&context, for: request, on: channel)
                let response = try await responder.respond(to: request, context: context)
                try await writer.write(response: response.head, body: response.body)
            },
            onServerRunning: { [state, logger, onListening] channel in
                try? await channel.eventLoop.submit {
                    try channel.pipeline.syncOperations.addHandler(AcceptFailureHandler(state: state), position: .first)
                }.get()
                do throws(GatewayError) {
                    try socket?.publish(mode: options.socketMode)
                } catch {
                    logger.error("\(error.message)")
                    return channel.close(promise: nil)
                }
                let address = Address(
                    host: options.host,
                    port: socket == nil ? channel.localAddress?.port ?? options.port : 0,
                    healthPort: healthPort
                )
                logger.info(
                    "Listening.",
                    metadata: [
                        "host": "\(address.host)", "port": "\(address.port)", "tls": "\(options.tls != nil)",
                    ]
                )
                if state.access.trustsThisMachine {
                    logger.notice("No admin key is configured: programs on this machine may change the fleet.")
                }
                await onListening(address)
            }
        )
    }

    /// Ends what still runs when the time to drain is over.
    private func scheduleAbort() {
        guard state.options.drainDeadline > .zero else { return }
        let deadline = TimeAmount(state.options.drainDeadline)
        MultiThreadedEventLoopGroup.singleton.next().scheduleTask(in: deadline) { [state, logger] in
            logger.notice("The drain deadline has passed; ending the calls that are still running.")
            state.abortAll()
        }
    }

    /// The address is not a name that resolves, or is not one of this machine's.
    private static func notOurs(_ options: ServerOptions) -> GatewayError {
        let host = HeaderText.printable(options.host).debugDescription
        return GatewayError(
            .configuration,
            "Cannot listen on \(host): it is neither an address of this machine nor a name for one; change --host, for example "
                + "to 127.0.0.1, or to 0.0.0.0 for all addresses."
        )
    }

    static func cannotListen(_ error: IOError, options: ServerOptions) -> GatewayError {
        let place = "port \(options.port) on \(HeaderText.printable(options.host))"
        switch error.errnoCode {
        case EADDRINUSE:
            return GatewayError(.configuration, "\(place) is in use; choose another with --port.")
        case EACCES, EPERM:
            return GatewayError(
                .configuration,
                "\(place) needs more rights than this process has; choose one above 1023 with --port."
            )
        case EADDRNOTAVAIL, EAFNOSUPPORT, EINVAL, ENOTSUP:
            return notOurs(options)
        default:
            let reason = String(cString: strerror(error.errnoCode))
            return GatewayError(.configuration, "Cannot listen on \(place): \(reason).")
        }
    }
}
