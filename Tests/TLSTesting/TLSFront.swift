// A TLS end before a server in plain HTTP: what it decrypts goes to the server, what the server says comes back encrypted.

import NIOCore
import NIOPosix
public import NIOSSL

/// Listens on loopback, speaks TLS there, and passes everything on to a port of this machine.
public final class TLSFront: Sendable {
    /// The port that it listens on.
    public let port: Int
    private let channel: any Channel

    /// - Parameters:
    ///   - server: The port of the server in plain HTTP.
    ///   - configuration: Certificates and versions.
    ///   - saysGoodbye: Whether a connection that the server ends is ended as TLS wants it, with `close_notify`.
    public static func start(
        to server: Int,
        _ configuration: TLSConfiguration,
        saysGoodbye: Bool = true
    ) async throws -> TLSFront {
        let context = try NIOSSLContext(configuration: configuration)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { client in
                let connecting = ClientBootstrap(group: client.eventLoop)
                    .channelOption(.autoRead, value: false)
                    .connect(host: "127.0.0.1", port: server)
                return connecting.flatMapThrowing { server in
                    let toServer = ConnectionPipe(to: client, isClean: saysGoodbye)
                    let toClient = ConnectionPipe(to: server, isClean: true)
                    try server.pipeline.syncOperations.addHandler(toServer)
                    try client.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                    try client.pipeline.syncOperations.addHandler(toClient)
                    client.setOption(.autoRead, value: true).whenComplete { _ in }
                    server.setOption(.autoRead, value: true).whenComplete { _ in }
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return TLSFront(channel)
    }

    private init(_ channel: any Channel) {
        self.channel = channel
        port = channel.localAddress?.port ?? 0
    }

    public func stop() {
        channel.close(promise: nil)
    }

    deinit {
        channel.close(promise: nil)
    }
}
