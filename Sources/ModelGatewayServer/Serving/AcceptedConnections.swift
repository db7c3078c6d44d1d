// Connections as the server accepts them: each is served or closed, and none is dropped on the way.

import HummingbirdCore
import Logging
import NIOCore

/// Hummingbird's HTTP/1 connections, safe to drop.
///
/// When a server shuts down, NIO drops the connections that were accepted but not handed out yet. A `NIOAsyncChannel`
/// must not be dropped: it stops the process, unless somebody has executed and closed it. So it travels in a box that
/// does this when nobody else has.
struct AcceptedConnections: ServerChildChannel {
    private let http: HTTP1Channel

    init(_ http: HTTP1Channel) {
        self.http = http
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<AcceptedConnection> {
        http.setup(channel: channel, logger: logger).map(AcceptedConnection.init)
    }

    func handle(value: AcceptedConnection, logger: Logger) async {
        await http.handle(value: value.connection, logger: logger)
    }
}

/// A connection that closes itself if nobody serves it.
final class AcceptedConnection: ServerChildChannelValue {
    fileprivate let connection: HTTP1Channel.Value

    var channel: any Channel { connection.channel }

    fileprivate init(_ connection: HTTP1Channel.Value) {
        self.connection = connection
    }

    deinit {
        // Once it has been served this does nothing; what a client that has gone says to the close, nobody needs.
        Task { [connection] in try? await connection.executeThenClose { _, _ in } }
    }
}
