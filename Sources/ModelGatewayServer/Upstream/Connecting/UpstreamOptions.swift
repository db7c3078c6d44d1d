// What the connections of a transport have in common besides TLS.

package import ModelGateway
package import NIOCore

/// The settings of a transport's connections.
package struct UpstreamOptions: Sendable {
    /// The addresses of a host name.
    package typealias Names = @Sendable (_ host: String, _ port: Int) -> [SocketAddress]

    /// How much later streams are read on a busy loop. Default: not at all.
    package var pace = StreamPace.none
    /// What connections are counted against. Default: those of the process.
    package var room = ConnectionRoom.process
    /// Where HTTP/2 is spoken. Default: nowhere.
    package var http2 = HTTP2Use.off
    /// Which proxies requests go through. Default: none.
    package var proxies = ProxyRules.none
    /// The addresses of names, for tests. Default: the system is asked.
    package var names: Names?
    /// How many connections to one host each event loop keeps unused. Default 1024.
    package var maxIdle = 1024
    /// How long a connection may be unused and still be used again. Default 118 s.
    package var idleLifetime = TimeAmount.seconds(118)

    /// How long it takes until a connection that is held open ahead is replaced when it ends; twice as long after each
    /// failure, up to a minute. Default 1 s.
    package var warmDelay = TimeAmount.seconds(1)

    package init() {}
}
