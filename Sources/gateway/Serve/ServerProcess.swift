// The server as a process: listens first, loads local models, and drains when a signal says so.

import Logging
import ModelGateway
import ModelGatewayLifecycle
import ModelGatewayServer
import ServiceLifecycle

struct ServerProcess {
    let configuration: Configuration

    /// Serves until a signal ends it.
    func run() async throws {
        let logger = CommandLog.start(configuration.logging)
        for warning in configuration.warnings { logger.warning("\(warning)") }
        let maxConnections = try OpenFiles.share(for: configuration.server, logger: logger)
        let backend = LocalBackend(logger: logger)
        let observer = try ServerObserver(configuration)
        defer { observer.close() }
        let gateway = try Gateway(
            configuration: configuration,
            providers: backend.catalog,
            observer: observer,
            transport: { curl throws(GatewayError) in
                try EventLoopTransport(over: curl, streamDelay: configuration.server.streamDelay)
            }
        )
        var options = ServerOptions(configuration)
        options.maxConnections = maxConnections
        let server = GatewayServer(
            gateway: gateway,
            options: options,
            metrics: Self.metrics(of: gateway, observer.metricsText),
            observer: observer,
            logger: logger
        )
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    ServiceGroupConfiguration.ServiceConfiguration(
                        service: server,
                        successTerminationBehavior: .gracefullyShutdownGroup
                    ),
                    ServiceGroupConfiguration.ServiceConfiguration(
                        service: Preparation(gateway: gateway, logger: logger),
                        successTerminationBehavior: .ignore,
                        failureTerminationBehavior: .gracefullyShutdownGroup
                    ),
                    ServiceGroupConfiguration.ServiceConfiguration(
                        service: GatewayService(gateway, logger: logger),
                        successTerminationBehavior: .ignore
                    ),
                ],
                logger: CommandLog.quiet(logger)
            )
        )
        var reload: (@Sendable () async -> Void)?
        if configuration.server.tls != nil { reload = { await server.reloadCertificates() } }
        let shutdown = Shutdown(
            delay: configuration.server.shutdownDelay,
            actions: Shutdown.Actions(
                announce: { server.announceShutdown() },
                reloadCertificates: reload,
                drain: { await group.triggerGracefulShutdown() }
            ),
            logger: logger
        )
        await shutdown.install()
        do {
            try await group.run()
        } catch let error as GatewayError where error.code == .configuration {
            // What was wrong with the configuration itself was said before; this is the address.
            throw CommandFailure(.unavailable, error.message)
        }
        logger.info("Stopped.")
    }
}

extension ServerProcess {
    /// Makes the body of `/metrics`, with the gauges of the fleet as they are then.
    private static func metrics(
        of gateway: Gateway,
        _ text: (@Sendable () -> [UInt8])?
    ) -> (@Sendable () -> [UInt8])? {
        guard let text else { return nil }
        return {
            gateway.recordGauges()
            return text()
        }
    }
}

/// Loads the local models while the server listens already; until then it is not ready.
private struct Preparation: Service {
    let gateway: Gateway
    let logger: Logger

    func run() async throws {
        guard !gateway.isLoaded else { return }
        let start = MonotonicInstant.now
        do {
            try await cancelWhenGracefulShutdown { [gateway] in try await gateway.prepare() }
        } catch GatewayError.Code.cancelled {
            return
        }
        let seconds = AnswerStatistics.fixed((MonotonicInstant.now - start) / .seconds(1), digits: 2)
        logger.info("The models are loaded.", metadata: ["seconds": "\(seconds)"])
    }
}
