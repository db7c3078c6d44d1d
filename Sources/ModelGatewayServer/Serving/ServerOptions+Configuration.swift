// From a configuration to the settings of the server.

public import ModelGateway

extension ServerOptions {
    /// The settings that a configuration has for the server: its table `server`, and the headers of its table `routing`.
    /// - Parameter configuration: A configuration that was read from a file (`Configuration.load`).
    public init(_ configuration: Configuration) {
        let (server, routing) = (configuration.server, configuration.routing)
        self.init(
            host: server.host,
            port: server.port,
            socketMode: server.socketMode,
            trustedProxies: server.trustedProxies,
            readsProxyProtocol: server.proxyProtocol,
            forwardedHeader: server.forwardedHeader,
            apiKeys: server.apiKeys.map { $0.reveal() },
            adminKeys: server.adminKeys.map { $0.reveal() },
            allowedHosts: server.allowedHosts,
            metricsKey: server.metricsKey?.reveal(),
            isMetricsPublic: server.metricsPublic,
            maxBodyBytes: server.maxBodyBytes,
            drainDeadline: server.drainDeadline,
            keepAliveInterval: server.keepaliveInterval,
            headTimeout: server.headTimeout,
            bodyTimeout: server.bodyTimeout,
            idleTimeout: server.idleTimeout,
            writeTimeout: server.writeTimeout,
            forwardedHeaders: routing.sessionHeaders + [routing.tagsHeader],
            corsOrigins: server.corsOrigins,
            maxConnections: server.maxConnections,
            maxConnectionsPerAddress: server.maxConnectionsPerAddress,
            healthPort: server.healthPort,
            tls: server.tls,
            h2c: server.h2c
        )
    }
}
