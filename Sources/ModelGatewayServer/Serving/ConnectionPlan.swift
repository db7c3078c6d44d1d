// How the file descriptors of a process are shared out among clients, providers and everything else.

import GatewaySystem
import NIOCore

/// Shares of the descriptors that a process may open.
package struct ConnectionPlan: Sendable, Hashable {
    /// Connections of clients at a time.
    package var clients: Int
    /// Connections to providers at a time. More than of clients, so that each call finds one.
    package var upstream: Int
    /// Connections to providers that each event loop may keep unused.
    package var idle: Int

    /// The fewest connections that a server is of use with.
    private static let fewest = 8

    /// Shares descriptors out.
    /// - Parameters:
    ///   - limit: The descriptors that the process may have open (`ulimit -n`).
    ///   - others: Those that it has open for other things, see ``others(open:cores:)``.
    ///   - clients: The connections of clients that are wanted; nil for what suits.
    ///   - loops: The event loops that keep connections.
    /// - Returns: Nil if the limit is too low.
    package init?(limit: Int, others: Int, clients wanted: Int? = nil, loops: Int) {
        guard limit >= Self.least(others: others) else { return nil }
        let room = limit - others - Self.reserve(limit)
        clients = min(wanted ?? room * 2 / 5, room - Self.fewest / 2)
        upstream = room - clients
        idle = max(1, (upstream - min(clients, upstream)) * 3 / 4 / max(1, loops))
    }

    /// The lowest limit that a server can work with.
    package static func least(others: Int) -> Int {
        others + fewest + reserve(0)
    }

    /// Descriptors that are never given to a connection: for name resolution, files that are watched or loaded, the
    /// runtime's looks at its own threads, and the connections that come in before accepting pauses.
    private static func reserve(_ limit: Int) -> Int { min(256, max(16, limit / 8)) }

    /// What a server has open before the first connection: what it was started with, three descriptors for each event
    /// loop, and its listener, signals, timers and pipes.
    package static func others(open: Int, cores: Int) -> Int { open + 3 * (cores + 1) + 16 }

    /// The shares of this process, before it has opened a connection.
    /// - Returns: Nil if the limit is too low, see ``leastOfProcess``.
    package static func ofProcess(clients: Int?) -> ConnectionPlan? {
        ConnectionPlan(
            limit: OpenFileLimit.current,
            others: othersOfProcess,
            clients: clients,
            loops: System.coreCount + 1
        )
    }

    /// The lowest limit that a server can work with in this process.
    package static var leastOfProcess: Int { least(others: othersOfProcess) }

    private static var othersOfProcess: Int { others(open: OpenFileLimit.openCount, cores: System.coreCount) }
}
