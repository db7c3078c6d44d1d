// Hummingbird's router on a stream of HTTP/2, for the requests that are no model calls.

import HummingbirdCore
import Logging
import NIOCore
import NIOHTTPTypesHTTP1

/// Puts the router into the pipeline of a stream. Only streams that need it have it, since it costs more than a model call.
struct StreamRouter: Sendable {
    let http: HTTP1Channel
    let logger: Logger
    let isSecure: Bool

    /// - Throws: If the channel is closing.
    func install(on stream: any Channel) throws {
        let pipeline = stream.pipeline.syncOperations
        try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: isSecure))
        let requests = try HTTP1Channel.Value(wrappingChannelSynchronously: stream)
        // It ends with the stream, which ends with its connection.
        Task { [http, logger] in await http.handle(value: requests, logger: logger) }
    }
}
