// What can be set on the libcurl transport.

import GatewaySystem

extension CurlTransport {
    /// The settings of a transport.
    public struct Options: Sendable {
        /// How many event-loop threads there are. Default 1, which serves tens of thousands of requests per second;
        /// values below 1 count as 1.
        public var loops: Int
        /// Whether HTTP/2 is offered to `https` servers. Nil, the default, means from libcurl 8.4.0 on: older ones can report
        /// an answer that was cut off as complete.
        public var http2: Bool?
        /// How `https` servers are spoken to. Default: verified against the system's authorities, TLS 1.2 at least.
        public var tls: TLSOptions
        /// How the transport goes out. Default ``Proxy/environment``.
        public var proxy: Proxy
        /// The `user-agent` of requests that have none. Default `ModelGateway`; nil sends none.
        public var userAgent: String?
        /// Bytes of all header lines of a response together, interim ones and status lines included. Over it a call fails
        /// with ``GatewayError/Code/malformedResponse``. Default 256 KiB.
        package var maxHeaderBytes: Int
        /// Bytes of a response body that may wait for their consumer before the provider is held back. Up to two reads
        /// of 64 KiB may come on top. Default 256 KiB.
        package var bodyBufferBytes: Int
        /// Connections that each loop keeps open for reuse. Default 1024.
        public var maxIdleConnections: Int
        /// How long a connection may be idle and still be reused. Default 118 s.
        public var idleConnectionLifetime: Duration
        /// Whether HTTP/2 is offered with this version of libcurl.
        var offersHTTP2: Bool { http2 ?? CurlLibrary.hasReliableHTTP2 }
        /// What its connections are counted against.
        package var room = ConnectionRoom.process

        /// Creates the default settings.
        public init() {
            loops = 1
            http2 = nil
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
        /// The value for libcurl; nil leaves it to the environment, empty means none.
        let url: String?

        /// This, or ``none`` if it is the environment and that names no proxy: libcurl would look for each variable again
        /// with every request.
        var resolved: Proxy {
            guard self == .environment else { return self }
            let names = ["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
            return names.contains { ProcessEnvironment[$0] != nil } ? self : .none
        }

        /// As `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy` say when the transport is made. `HTTP_PROXY` in capitals is ignored, for it can
        /// be set by a client where CGI is in use.
        public static let environment = Proxy(url: nil)
        /// Directly, whatever the environment says.
        public static let none = Proxy(url: "")
        /// Through this proxy, such as `http://user:password@proxy.example:3128`; `socks5h://` works as well.
        public static func url(_ url: String) -> Proxy { Proxy(url: url) }
    }
}
