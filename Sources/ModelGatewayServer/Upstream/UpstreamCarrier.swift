// What a call is on: a connection of its own, or a stream on a connection that it shares.

import NIOCore

/// Carries one call at a time. Used on its event loop only.
protocol UpstreamCarrier: AnyObject {
    /// Has the engine wait with the answer, or lets it go on.
    func holdBack(_ isHeldBack: Bool)

    /// Sends a piece of a streamed body, never empty.
    /// - Returns: When it has left this process.
    func send(body: [UInt8]) -> EventLoopFuture<Void>

    /// Says that the streamed body is whole.
    func endBody()

    /// Gives up the call that is on it, which knows already.
    func close()
}
