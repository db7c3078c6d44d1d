// What an event loop looks after from time to time: connections, and the streams of those that have some.

import NIOCore

/// A connection or stream with time limits. Used on its event loop only.
protocol LoopMember: AnyObject {
    /// Whether it is a connection without a request.
    var isUnused: Bool { get }
    /// Whether it has had a request.
    var hasServed: Bool { get }
    /// Since when it is unused.
    var unusedSince: NIODeadline { get }

    /// Ends what has taken too long.
    func tick()

    /// Ends whatever goes on: the server's time to drain is over.
    func abort()

    /// Closes it to make room for others, if it is unused.
    func evict()
}
