// How many connections to providers this process may hold, so that descriptors are left foreverything else.

internal import Synchronization

/// Counts connections to providers against a limit.
///
/// A process without a free descriptor cannot even read its own state from the system, and its runtime ends it then. So
/// connections are counted before they are opened, and the last descriptors are never given to one.
package final class ConnectionRoom: Sendable {
    /// The room of this process. Without a limit until a program sets one.
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

    /// Sets the limits. Connections that are open already stay.
    package func set(limit: Int, idleLimit: Int) {
        self.limit.store(limit, ordering: .relaxed)
        idle.store(idleLimit, ordering: .relaxed)
    }

    /// Connections that each event loop may keep unused.
    package var idleLimit: Int { idle.load(ordering: .relaxed) }

    /// The connections that are open.
    package var count: Int { used.load(ordering: .relaxed) }

    /// Takes room for one connection; false if there is none.
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
