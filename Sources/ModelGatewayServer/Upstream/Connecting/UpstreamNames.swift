// Host names and their addresses, where a program has them from elsewhere than the system.

import NIOCore
import NIOPosix

/// Answers questions for the addresses of names by itself.
struct GivenAddresses: Resolver, Sendable {
    let eventLoop: any EventLoop
    let addresses: @Sendable (_ host: String, _ port: Int) -> [SocketAddress]

    func initiateAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
        eventLoop.makeSucceededFuture(addresses(host, port).filter { $0.protocol == .inet })
    }

    func initiateAAAAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
        eventLoop.makeSucceededFuture(addresses(host, port).filter { $0.protocol == .inet6 })
    }

    func cancelQueries() {}
}
