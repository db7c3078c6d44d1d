// How a server listens, whom it lets in, and its limits of size and time.

import GatewaySystem
public import ModelGateway

/// The settings of a ``GatewayServer``. A duration of zero means no limit.
public struct ServerOptions: Sendable {
    /// The address to listen on. Default `127.0.0.1`: only programs on this machine can connect. `unix:/run/gateway.sock`
    /// is a Unix domain socket, which has no port.
    public var host: String
    /// The TCP port, 0 for any free one. Default 30000.
    public var port: Int
    /// The file mode of a Unix domain socket. Default 0o660: its owner and group can connect.
    public var socketMode: Int
    /// The addresses and networks of proxies that say who the client is, such as `10.0.0.0/8`; `unix` for whoever connects to
    /// a Unix domain socket. What is neither is nobody's. Their requests are not taken for those of programs on this
    /// machine. Default none: no header about the client is believed.
    public var trustedProxies: [String]
    /// Whether connections of ``trustedProxies`` begin with a header of the PROXY protocol, version 1 or 2; without one they
    /// are closed after ``headTimeout``. Others are served as they are. Default false.
    public var readsProxyProtocol: Bool
    /// The header in which ``trustedProxies`` name the client. Default ``/ModelGateway/ForwardedHeader/xForwardedFor``.
    public var forwardedHeader: ForwardedHeader
    /// The keys that clients may present as `Authorization: Bearer KEY` or `x-api-key: KEY`. Empty, the default, lets
    /// everybody in.
    public var apiKeys: [String]
    /// The keys of admins, presented in the same way. They let in wherever a client's key does, and also to the workers,
    /// to `/admin` and to the choice of a deployment. Empty, the default: programs on this machine may do that, unless
    /// a proxy passes their requests on.
    public var adminKeys: [String]
    /// The host names, without a port, that the control plane answers to, besides `localhost`, ``host`` and every IP
    /// address. Others are refused, because a web page could have given its own name this machine's address. Default
    /// none.
    public var allowedHosts: [String]
    /// A key that opens `/metrics` and nothing else, for scrapers; clients' keys open it too. Default none:
    /// who may call may read `/metrics`.
    public var metricsKey: String?
    /// Whether `/metrics` is open to everyone. Default false.
    public var isMetricsPublic: Bool
    /// The largest request body, in bytes. Default 64 MiB.
    public var maxBodyBytes: Int
    /// How long running calls may continue after the server has begun to stop. Default 30 s.
    public var drainDeadline: Duration
    /// After how long a silence a streamed answer gets an SSE comment, so that proxies keep the connection. Default
    /// 10 s.
    public var keepAliveInterval: Duration
    /// The longest time for a request's head to arrive, counted from its first byte. Default 30 s.
    public var headTimeout: Duration
    /// The longest pause between two parts of a request's body. Default 30 s.
    public var bodyTimeout: Duration
    /// How long a connection may stay open without a request. Default 120 s.
    public var idleTimeout: Duration
    /// How long a client may leave a full send buffer unread. Default 60 s.
    public var writeTimeout: Duration
    /// Further request headers, in lower case, that the gateway gets to see, such as one that carries a session key. Default none
    /// besides the ones that it always sees: `x-gateway-…`, `x-smg-…`, `x-session-id`, `openai-…`, `traceparent`, ….
    public var forwardedHeaders: [String]
    /// The number of connections that may wait to be accepted. Default 1024.
    public var backlog: Int
    /// The origins, such as `https://app.example`, whose web pages may call the API under `/v1/` from a browser; `*` for
    /// all. Default none.
    public var corsOrigins: [String]
    /// Connections of clients at a time. At the limit idle ones are closed, and further clients wait.
    /// Default: two fifths of the files that the process may have open (`ulimit -n`) when the options are made.
    public var maxConnections: Int
    /// Connections of one address at a time, which for IPv6 is a network of 64 bits; further ones are refused with 429, or
    /// closed before they begin with TLS. Of the clients of ``trustedProxies`` that headers name, requests at a time are
    /// counted instead. Default 0: no limit.
    public var maxConnectionsPerAddress: Int
    /// A port on which ``host`` answers `/health`, `/liveness` and `/readiness` in plain HTTP and nothing else, for load
    /// balancers before a server that demands TLS and certificates; 0 for any free one. Default nil: none.
    public var healthPort: Int?
    /// How TLS is spoken. Default nil: the server speaks HTTP in the clear. A ``DataPlane`` in another server leaves TLS to
    /// that server.
    public var tls: Configuration.ServerTLS?
    /// Whether clients may speak HTTP/2 without TLS, which they have to know beforehand. Default false. Behind TLS the
    /// handshake decides: ``tls``.
    public var h2c: Bool

    /// Creates a set of settings.
    public init(
        host: String = "127.0.0.1",
        port: Int = 30000,
        socketMode: Int = 0o660,
        trustedProxies: [String] = [],
        readsProxyProtocol: Bool = false,
        forwardedHeader: ForwardedHeader = .xForwardedFor,
        apiKeys: [String] = [],
        adminKeys: [String] = [],
        allowedHosts: [String] = [],
        metricsKey: String? = nil,
        isMetricsPublic: Bool = false,
        maxBodyBytes: Int = 64 << 20,
        drainDeadline: Duration = .seconds(30),
        keepAliveInterval: Duration = .seconds(10),
        headTimeout: Duration = .seconds(30),
        bodyTimeout: Duration = .seconds(30),
        idleTimeout: Duration = .seconds(120),
        writeTimeout: Duration = .seconds(60),
        forwardedHeaders: [String] = [],
        backlog: Int = 1024,
        corsOrigins: [String] = [],
        maxConnections: Int? = nil,
        maxConnectionsPerAddress: Int = 0,
        healthPort: Int? = nil,
        tls: Configuration.ServerTLS? = nil,
        h2c: Bool = false
    ) {
        self.host = host
        self.port = port
        self.socketMode = socketMode
        self.trustedProxies = trustedProxies
        self.readsProxyProtocol = readsProxyProtocol
        self.forwardedHeader = forwardedHeader
        self.apiKeys = apiKeys
        self.adminKeys = adminKeys
        self.allowedHosts = allowedHosts
        self.metricsKey = metricsKey
        self.isMetricsPublic = isMetricsPublic
        self.maxBodyBytes = maxBodyBytes
        self.drainDeadline = drainDeadline
        self.keepAliveInterval = keepAliveInterval
        self.headTimeout = headTimeout
        self.bodyTimeout = bodyTimeout
        self.idleTimeout = idleTimeout
        self.writeTimeout = writeTimeout
        self.forwardedHeaders = forwardedHeaders.map { $0.lowercased() }
        self.backlog = backlog
        self.corsOrigins = corsOrigins
        self.maxConnections = max(1, maxConnections ?? OpenFileLimit.current * 2 / 5)
        self.maxConnectionsPerAddress = max(0, maxConnectionsPerAddress)
        self.healthPort = healthPort
        self.tls = tls
        self.h2c = h2c
    }
}
