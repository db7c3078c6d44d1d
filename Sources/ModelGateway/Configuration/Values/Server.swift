// The parts of the configuration that are about the process itself: its server and its log.

public import Logging

extension Configuration {
    /// How the HTTP server listens and what it demands of its clients.
    package struct Server: Sendable, Hashable {
        /// The address to listen on. Default `127.0.0.1`; `0.0.0.0` or `::` for all interfaces.
        package var host: String
        /// The TCP port, 0 to 65535. Default 30000; 0 lets the system choose one.
        package var port: Int
        /// The file mode of the socket, if ``host`` is one: `unix:/run/gateway.sock`. Default 0660.
        package var socketMode: Int
        /// The addresses and networks of proxies whose word about clients counts, such as `10.0.0.0/8`; `unix` for whoever
        /// connects to the socket. Default none.
        package var trustedProxies: [String]
        /// Whether connections of ``trustedProxies`` begin with a header of the PROXY protocol. Default false.
        package var proxyProtocol: Bool
        /// The header in which ``trustedProxies`` name the client. Default `x-forwarded-for`.
        package var forwardedHeader: ForwardedHeader
        /// The keys that clients may use. None (the default): every client may call.
        package var apiKeys: [Secret]
        /// The keys that admins may use, for calls too. None (the default): programs on this machine are admins.
        package var adminKeys: [Secret]
        /// Host names, without a port, that the control plane answers to, besides `localhost`, ``host`` and every IP
        /// address. Default none.
        package var allowedHosts: [String]
        /// Whether `gateway serve` may listen on an address that others can reach while no client needs a key. Default
        /// false.
        package var allowUnauthenticated: Bool
        /// The origins, such as `https://app.example`, whose web pages may call the API under `/v1/` from a browser; `*` for
        /// all. Default none: no page may.
        package var corsOrigins: [String]
        /// Connections of clients at a time, 1 to 1,000,000. Default nil: two fifths of the files that the process may
        /// have open, less what it needs for itself. At the limit connections without a request are closed, and further
        /// clients wait.
        package var maxConnections: Int?
        /// Connections of one address at a time, 0 to 1,000,000; further ones are refused with 429. For IPv6 an address
        /// is a network of 64 bits. Default 0: no limit.
        package var maxConnectionsPerAddress: Int
        /// The largest request body in bytes, 1 KiB to 1 GiB. Default 64 MiB.
        package var maxBodyBytes: Int
        /// The longest time for a request's head to arrive. Default 30 s; 0 means no limit.
        package var headTimeout: Duration
        /// The longest pause between two parts of a request's body. Default 30 s; 0 means no limit.
        package var bodyTimeout: Duration
        /// How long a connection may stay open without a request. Default 120 s; 0 means no limit.
        package var idleTimeout: Duration
        /// How long a client may leave a full send buffer unread. Default 60 s; 0 means no limit.
        package var writeTimeout: Duration
        /// How long calls are still taken after SIGTERM, while `/readiness` answers 503 already, so that load balancers
        /// can notice; 0 to 24 h. Default nil: 5 s, or none if standard input is a terminal.
        package var shutdownDelay: Duration?
        /// How long running answers may go on after that. Default 30 s.
        package var drainDeadline: Duration
        /// After how much silence a comment is sent into a stream, so that proxies keep it open. Default 10 s; 0 means never.
        package var keepaliveInterval: Duration
        /// The most by which events of streams are delayed while the server is more than half busy, so that several are
        /// sent at a time. It concerns engines that are reached in plain HTTP. Default 50 ms; 0 means never.
        package var streamDelay: Duration
        /// Whether `/metrics` is served. Default true.
        package var metrics: Bool
        /// The key that a scraper may present for `/metrics`, and for nothing else; clients' keys open it too. Default
        /// none: who may call may read `/metrics`.
        package var metricsKey: Secret?
        /// Whether `/metrics` is open to everyone, without any key. Default false. It names models and deployments.
        package var metricsPublic: Bool
        /// The combinations of label values that one metric may have, 100 to 1,000,000; further ones are counted
        /// together as `other`. Default 10,000.
        package var metricsMaxSeries: Int
        /// Whether one log line is written for each request. Default true.
        package var accessLog: Bool
        /// A port on which ``host`` answers the three health paths in plain HTTP and nothing else, 0 to 65535. Default nil:
        /// none.
        package var healthPort: Int?
        /// How TLS is spoken. Default nil: the server speaks HTTP in the clear.
        package var tls: ServerTLS?
        /// Whether clients may speak HTTP/2 without TLS, by prior knowledge. Default false.
        package var h2c: Bool

        /// Creates the settings of a server.
        package init(
            host: String = "127.0.0.1",
            port: Int = 30000,
            socketMode: Int = 0o660,
            trustedProxies: [String] = [],
            proxyProtocol: Bool = false,
            forwardedHeader: ForwardedHeader = .xForwardedFor,
            apiKeys: [Secret] = [],
            adminKeys: [Secret] = [],
            allowedHosts: [String] = [],
            allowUnauthenticated: Bool = false,
            corsOrigins: [String] = [],
            maxConnections: Int? = nil,
            maxConnectionsPerAddress: Int = 0,
            maxBodyBytes: Int = 64 << 20,
            headTimeout: Duration = .seconds(30),
            bodyTimeout: Duration = .seconds(30),
            idleTimeout: Duration = .seconds(120),
            writeTimeout: Duration = .seconds(60),
            shutdownDelay: Duration? = nil,
            drainDeadline: Duration = .seconds(30),
            keepaliveInterval: Duration = .seconds(10),
            streamDelay: Duration = .milliseconds(50),
            metrics: Bool = true,
            metricsKey: Secret? = nil,
            metricsPublic: Bool = false,
            metricsMaxSeries: Int = 10_000,
            accessLog: Bool = true,
            healthPort: Int? = nil,
            tls: ServerTLS? = nil,
            h2c: Bool = false
        ) {
            self.host = host
            self.port = port
            self.socketMode = socketMode
            self.trustedProxies = trustedProxies
            self.proxyProtocol = proxyProtocol
            self.forwardedHeader = forwardedHeader
            self.apiKeys = apiKeys
            self.adminKeys = adminKeys
            self.allowedHosts = allowedHosts
            self.allowUnauthenticated = allowUnauthenticated
            self.corsOrigins = corsOrigins
            self.maxConnections = maxConnections
            self.maxConnectionsPerAddress = maxConnectionsPerAddress
            self.maxBodyBytes = maxBodyBytes
            self.headTimeout = headTimeout
            self.bodyTimeout = bodyTimeout
            self.idleTimeout = idleTimeout
            self.writeTimeout = writeTimeout
            self.shutdownDelay = shutdownDelay
            self.drainDeadline = drainDeadline
            self.keepaliveInterval = keepaliveInterval
            self.streamDelay = streamDelay
            self.metrics = metrics
            self.metricsKey = metricsKey
            self.metricsPublic = metricsPublic
            self.metricsMaxSeries = metricsMaxSeries
            self.accessLog = accessLog
            self.healthPort = healthPort
            self.tls = tls
            self.h2c = h2c
        }
    }

    /// What a configuration says of the log. The library itself logs to the loggers that it is given.
    public struct Logging: Sendable, Hashable {
        /// The form of log lines.
        public enum Format: String, Sendable, Hashable, CaseIterable {
            /// One readable line.
            case text
            /// One JSON object on a line.
            case json
        }

        /// The least severe level that is written. Default info.
        public package(set) var level: Logger.Level
        /// The form of log lines. Default text.
        public package(set) var format: Format

        /// Creates the settings of the log.
        package init(level: Logger.Level = .info, format: Format = .text) {
            self.level = level
            self.format = format
        }
    }
}
