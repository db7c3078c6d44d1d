// A port for health checks alone, in plain HTTP, beside one that demands TLS or certificates.

import Hummingbird
import HummingbirdCore
import Logging
import ModelGateway
import NIOCore
import NIOPosix
import ServiceLifecycle

/// Answers `/health`, `/liveness` and `/readiness`, and nothing else.
struct HealthListener: Sendable {
    private let port: Int
    private let host: String
    private let responder: RouterResponder<GatewayRequestContext>
    private let idleTimeout: TimeAmount
    private let logger: Logger

    /// Health checkers are few; whoever else comes to the port waits.
    private static let maxConnections = 64

    init(port: Int, plane: ControlPlane, options: ServerOptions, logger: Logger) {
        self.port = port
        host = ListeningSocket.isNamed(by: options.host) ? "127.0.0.1" : options.host
        idleTimeout = TimeAmount(options.headTimeout > .zero ? options.headTimeout : .seconds(30))
        self.logger = logger
        let router = Router(context: GatewayRequestContext.self, options: [.autoGenerateHeadEndpoints])
        GatewayRoutes.mountHealth(of: plane, on: router)
        responder = router.buildResponder()
    }

    /// Listens until the task is cancelled.
    /// - Returns: The port, the real one if any free port was asked for.
    /// - Throws: ``GatewayError/Code/configuration`` when it cannot listen.
    func start() async throws -> (Int, Task<Void, Never>) {
        let (ports, listening) = AsyncThrowingStream<Int, any Error>.makeStream()
        let server = try makeServer { listening.yield($0) }
        // Detached, so that a graceful shutdown does not end it before the calls.
        let task = Task.detached {
            do {
                try await server.run()
                listening.finish()
            } catch {
                listening.finish(throwing: error)
            }
        }
        do {
            for try await port in ports { return (port, task) }
            throw CancellationError()
        } catch let error as IOError {
            let reason = SystemFailure.reason(error.errnoCode)
            throw GatewayError(
                .configuration,
                "Cannot listen on the health port \(port) on \(HeaderText.printable(host)): \(reason); "
                    + "choose another as 'server.health_port'."
            )
        }
    }

    private func makeServer(onListening: @escaping @Sendable (Int) -> Void) throws -> any Service {
        var quiet = logger
        quiet.logLevel = max(.warning, logger.logLevel)
        let configuration = HTTP1Channel.Configuration(idleTimeout: idleTimeout)
        let builder = HTTPServerBuilder {
            AcceptedConnections(HTTP1Channel(responder: $0, configuration: configuration))
        }
        return try builder.buildServer(
            configuration: ServerConfiguration(
                address: .hostname(host, port: port),
                availableConnectionsDelegate: .maximum(Self.maxConnections, logger: quiet)
            ),
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
            logger: quiet,
            responder: { [responder, quiet] request, writer, channel in
                let source = ApplicationRequestContextSource(channel: channel, logger: quiet)
                let response = try await responder.respond(to: request, context: GatewayRequestContext(source: source))
                try await writer.write(response: response.head, body: response.body)
            },
            onServerRunning: { [port] channel in onListening(channel.localAddress?.port ?? port) }
        )
    }
}
