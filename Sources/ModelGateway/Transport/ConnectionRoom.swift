// How many connections to providers this process may hold, so that descriptors remain for everything else.

internal import Synchronization

/// Counts connections to providers against a limit.
///
/// A process without a free descriptor cannot even ask the system about itself, and its runtime then aborts it. So
/// connections are counted before they are opened, and the last descriptors are never used for one.
package final class ConnectionRoom: Sendable {
    /// The room of this process. It has no limit until a program sets one.
    package static let process = ConnectionRoom()

    private let limit: Atomic<Int>
    private let idle: Atomic<Int>
    private let used = Atomic<Int>(0)

    /// Creates a room.
    /// - Parameters:
    ///   - limit: Connections at a time.
    ///   - idleLimit: Connections that each event loop may keep unused.
    package init(limit: Int = .max, idleLimit: Int = .max) {
        self.limit = Atomic(limit)
        idle = Atomic(idleLimit)
    }

    /// Sets the limits. Connections that are already open stay open.
    package func set(limit: Int, idleLimit: Int) {
        self.limit.store(limit, ordering: .relaxed)
        idle.store(idleLimit, ordering: .relaxed)
    }

    /// Connections that each event loop may keep unused.
    package var idleLimit: Int { idle.load(ordering: .relaxed) }

    /// The number of open connections.
    package var count: Int { used.load(ordering: .relaxed) }

    /// Reserves room for one connection; false if there is none.
    package func take() -> Bool {
        if used.wrappingAdd(1, ordering: .relaxed).newValue <= limit.load(ordering: .relaxed) { return true }
        give()
        return false
    }

    /// Gives the room of one connection back.
    package func give() {
        used.wrappingSubtract(1, ordering: .relaxed)
    }
}
