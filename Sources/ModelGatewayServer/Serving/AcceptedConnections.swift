// Connections as the server accepts them: each is served or closed, and none is dropped on the way.

import HummingbirdCore
import Logging
import NIOCore

/// Connections of either version of HTTP, safe to drop.
///
/// When a server shuts down, NIO drops the connections that were accepted but not handed out yet. A `NIOAsyncChannel`
/// must not be dropped: it stops the process, unless somebody has executed and closed it. So it travels in a box that
/// does this when nobody else has.
struct AcceptedConnections: ServerChildChannel {
    private let http: HTTP1Channel
    private let http2: HTTP2Connections?

    init(_ http: HTTP1Channel, http2: HTTP2Connections? = nil) {
        self.http = http
        self.http2 = http2
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<AcceptedConnection> {
        http.setup(channel: channel, logger: logger).map { AcceptedConnection(.http($0)) }
    }

    /// The same for a client that speaks HTTP/2.
    func setupHTTP2(channel: any Channel, logger: Logger) -> EventLoopFuture<AcceptedConnection> {
        channel.eventLoop.makeCompletedFuture {
            try http2?.setup(channel: channel, logger: logger)
            return AcceptedConnection(.http2(channel))
        }
    }

    func handle(value: AcceptedConnection, logger: Logger) async {
        switch value.kind {
        case .http(let connection): await http.handle(value: connection, logger: logger)
        case .http2(let channel):
            await withTaskCancellationHandler {
                try? await channel.closeFuture.get()
            } onCancel: {
                channel.close(promise: nil)
            }
        }
    }
}

/// A connection that closes itself if nobody serves it.
final class AcceptedConnection: ServerChildChannelValue {
    fileprivate enum Kind {
        case http(HTTP1Channel.Value)
        /// One whose streams serve themselves.
        case http2(any Channel)
    }

    fileprivate let kind: Kind

    var channel: any Channel {
        switch kind {
        case .http(let connection): connection.channel
        case .http2(let channel): channel
        }
    }

    fileprivate init(_ kind: Kind) {
        self.kind = kind
    }

    deinit {
        guard case .http(let connection) = kind else { return }
        // Once it has been served this does nothing; what a client that has gone says to the close, nobody needs.
        Task { try? await connection.executeThenClose { _, _ in } }
    }
}

/// A connection of which it is not clear yet what is spoken on it. One that is dropped meanwhile ends with its channel.
struct UndecidedConnection: ServerChildChannelValue {
    let channel: any Channel
    let accepted: EventLoopFuture<AcceptedConnection>

    /// Waits until it is clear, and serves it.
    func serve(by connections: AcceptedConnections, logger: Logger) async {
        do {
            await connections.handle(value: try await accepted.get(), logger: logger)
        } catch {
            // Whoever does not get that far is told so by the handlers that were in its way.
            channel.close(promise: nil)
        }
    }
}
