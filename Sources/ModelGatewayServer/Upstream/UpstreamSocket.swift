// An open connection to an engine as its owner holds it, whatever is spoken on it.

import GatewaySystem
import NIOCore
import NIOPosix
import NIOSSL

/// A connection that stands. Used on its event loop only.
struct UpstreamSocket {
    let channel: any Channel
    /// The handler of TLS, on a secure connection.
    let tls: NIOSSLClientHandler?
    /// The channel's own; nothing but a look is done with it here.
    private let handle: NIOBSDSocket.Handle?

    init(_ channel: any Channel, tls: NIOSSLClientHandler?) {
        self.channel = channel
        self.tls = tls
        // Asked for once: it takes longer than all the rest of sending a request.
        handle = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(
            of: NIOBSDSocket.Handle.self,
            { $0 }
        )
    }

    /// Whether nothing waits to be read: no end of the connection, and no bytes that nobody asked for.
    var isQuiet: Bool {
        handle.map(SystemSocket.isQuiet) ?? true
    }

    func close() {
        channel.close(promise: nil)
        guard let tls else { return }
        // TLS has said goodbye with that and would wait for the server's, which nobody needs.
        let handler = NIOLoopBound(tls, eventLoop: channel.eventLoop)
        channel.eventLoop.execute { [channel] in
            (try? channel.pipeline.syncOperations.context(handler: handler.value))?.close(promise: nil)
        }
    }
}
