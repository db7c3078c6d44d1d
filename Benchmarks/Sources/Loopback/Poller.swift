// Readiness of many sockets on one thread: epoll, level-triggered.

internal import CLoopback

/// Waits for sockets to become readable or writable. Owned and used by one thread.
package final class Poller {
    private let epoll: Int32
    private let events: UnsafeMutablePointer<loopback_event>
    private let capacity: Int32 = 512

    package init() {
        epoll = loopback_epoll_create()
        precondition(epoll >= 0, "epoll is not available")
        events = .allocate(capacity: Int(capacity))
    }

    deinit {
        events.deallocate()
        _ = CLoopback.close(epoll)
    }

    package func add(_ descriptor: Int32, token: Int, writable: Bool = false) {
        _ = loopback_epoll_add(epoll, descriptor, writable ? 1 : 0, UInt64(truncatingIfNeeded: token))
    }

    package func change(_ descriptor: Int32, token: Int, writable: Bool) {
        _ = loopback_epoll_change(epoll, descriptor, writable ? 1 : 0, UInt64(truncatingIfNeeded: token))
    }

    /// Waits at most `nanoseconds` (forever when negative) and calls `ready` for each socket that can move.
    package func wait(nanoseconds: Int64, ready: (_ token: Int, _ readable: Bool, _ writable: Bool) -> Void) {
        let count = loopback_epoll_wait(epoll, events, capacity, nanoseconds)
        guard count > 0 else { return }
        for index in 0..<Int(count) {
            let event = events + index
            ready(
                Int(truncatingIfNeeded: loopback_event_token(event)),
                loopback_event_readable(event) != 0,
                loopback_event_writable(event) != 0
            )
        }
    }
}
