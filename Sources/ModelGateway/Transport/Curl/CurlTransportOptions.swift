// The settings of the libcurl transport.

import GatewaySystem

extension CurlTransport {
    /// The settings of a transport.
    public struct Options: Sendable {
        /// How many event-loop threads there are. Default 1, which serves tens of thousands of requests per second;
        /// values below 1 count as 1.
        public var loops: Int
        /// Which versions of HTTP are used. Default ``HTTP2Use/off``. Over HTTP/2, libcurl before 8.4.0 can report a
        /// truncated answer as complete.
        public var http2: HTTP2Use
        /// How TLS is used with `https` servers. Default: verified against the system's authorities, TLS 1.2 or later.
        public var tls: TLSOptions
        /// Which proxy the transport uses. Default ``Proxy/environment``.
        public var proxy: Proxy
        /// The `user-agent` of requests that do not set one. Default `ModelGateway`; with nil none is sent.
        public var userAgent: String?
        /// The most bytes of all header lines of a response, including interim ones and status lines. Beyond it a call
        /// fails with ``GatewayError/Code/malformedResponse``. Default 256 KiB.
        package var maxHeaderBytes: Int
        /// Bytes of a response body that may wait for their consumer before the provider is made to wait. Up to two
        /// reads of 64 KiB may be added to that. Default 256 KiB.
        package var bodyBufferBytes: Int
        /// Connections that each loop keeps open for reuse. Default 1024.
        public var maxIdleConnections: Int
        /// How long a connection may be idle and still be reused. Default 118 s.
        public var idleConnectionLifetime: Duration
        /// The room that its connections take.
        package var room = ConnectionRoom.process

        /// Creates the default settings.
        public init() {
            loops = 1
            http2 = .off
            tls = TLSOptions()
            proxy = .environment
            userAgent = "ModelGateway"
            maxHeaderBytes = 256 * 1024
            bodyBufferBytes = 256 * 1024
            maxIdleConnections = 1024
            idleConnectionLifetime = .seconds(118)
        }
    }

    /// How a transport reaches its providers.
    public struct Proxy: Sendable, Hashable {
        /// The value for libcurl; nil leaves the choice to the environment, and an empty one means no proxy.
        let url: String?

        /// This, or ``none`` if this is the environment and it names no proxy: libcurl would look up every variable
        /// again for each request.
        var resolved: Proxy {
            guard self == .environment else { return self }
            let names = ["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
            return names.contains { ProcessEnvironment[$0] != nil } ? self : .none
        }

        /// As `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy` say when the transport is created. `HTTP_PROXY`
        /// in capitals is ignored, since clients can set it where CGI is in use.
        public static let environment = Proxy(url: nil)
        /// Directly, whatever the environment says.
        public static let none = Proxy(url: "")
        /// Through this proxy, such as `http://user:password@proxy.example:3128`; `socks5h://` works, too.
        public static func url(_ url: String) -> Proxy { Proxy(url: url) }
    }
}
