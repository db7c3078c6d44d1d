// From a connection whose client speaks HTTP/2 to its streams.

import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP2

/// Puts HTTP/2 on connections, and the data plane on their streams.
struct HTTP2Connections: Sendable {
    let server: ServerState
    let http: HTTP1Channel
    /// Whether the connections are behind TLS.
    let isSecure: Bool

    func setup(channel: any Channel, logger: Logger) throws {
        let pipeline = channel.pipeline.syncOperations
        let loop = server.loop(for: channel.eventLoop)
        let gate = FrameGate()
        let connection = HTTP2ConnectionHandler(server: server, loop: loop, gate: gate)
        let router = StreamRouter(http: http, logger: logger, isSecure: isSecure)
        let owner = NIOLoopBound(connection, eventLoop: channel.eventLoop)
        try pipeline.addHandler(gate)
        let frames = NIOHTTP2Handler(
            mode: .server,
            eventLoop: channel.eventLoop,
            connectionConfiguration: HTTP2Limits.connection,
            streamConfiguration: HTTP2Limits.stream,
            streamDelegate: HTTP2ConnectionHandler.Streams(connection: owner)
        ) { [server] stream in
            stream.eventLoop.makeCompletedFuture {
                try DataPlaneHandler.install(
                    in: stream.pipeline.syncOperations,
                    server: server,
                    loop: loop,
                    router: router,
                    connection: owner.value
                )
            }
        }
        try pipeline.addHandler(frames)
        try pipeline.addHandler(connection)
    }
}
