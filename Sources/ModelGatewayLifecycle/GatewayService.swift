// The work that a gateway does by itself, as a service of swift-service-lifecycle.

public import Logging
public import ModelGateway
public import ServiceLifecycle

/// Finds workers, asks them for their models and their load, and probes deployments, for as long as its group runs.
///
/// ```swift
/// let group = ServiceGroup(
///     services: [GatewayService(gateway, logger: logger), server],
///     gracefulShutdownSignals: [.sigterm, .sigint],
///     logger: logger
/// )
/// try await group.run()
/// ```
/// A group ends its services from the last to the first. List this one before those that make calls, such as a server:
/// then it works until their last calls are answered. Calls that are under way do not depend on it.
public struct GatewayService: Service {
    private let gateway: Gateway
    private let logger: Logger

    /// Creates the service of a gateway; run one for each.
    /// - Parameters:
    ///   - gateway: The gateway.
    ///   - logger: Receives what `Gateway.run(logger:)` logs. Default: a logger with the label `modelgateway.fleet`.
    public init(_ gateway: Gateway, logger: Logger = Logger(label: "modelgateway.fleet")) {
        self.gateway = gateway
        self.logger = logger
    }

    /// Works until the group shuts down gracefully or the task is cancelled, and then returns. Never fails by itself.
    public func run() async throws {
        try await cancelWhenGracefulShutdown { try await gateway.run(logger: logger) }
    }
}
