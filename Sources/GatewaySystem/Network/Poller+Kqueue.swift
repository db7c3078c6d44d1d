// Waiting for many sockets at once on Darwin: kqueue, with a user event that another thread can wake it by.

#if canImport(Darwin)
import Darwin

/// Waits for sockets to become readable or writable.
///
/// Owned by one thread, which alone calls everything but ``wake()``.
package final class Poller: @unchecked Sendable {
    // `wake()` touches only the immutable `queue`; all other state belongs to the thread that polls.

    private struct Interest {
        var readable = false
        var writable = false
    }

    private let queue: Int32
    private let events: UnsafeMutablePointer<kevent>
    private var interests: [Interest] = []

    private static let batch: Int32 = 256
    private static let wakeIdentifier: UInt = 0

    package init() throws(SystemError) {
        let queue = kqueue()
        var event = Self.event(Self.wakeIdentifier, EVFILT_USER, EV_ADD | EV_CLEAR)
        guard queue >= 0, kevent(queue, &event, 1, nil, 0, nil) == 0 else {
            let error = SystemError(number: errno)
            if queue >= 0 { close(queue) }
            throw error
        }
        _ = fcntl(queue, F_SETFD, FD_CLOEXEC)
        self.queue = queue
        events = .allocate(capacity: Int(Self.batch))
    }

    deinit {
        close(queue)
        events.deallocate()
    }

    /// Makes a ``wait(nanoseconds:_:)`` in progress, or the next one, return. Callable on any thread.
    package func wake() {
        var event = Self.event(Self.wakeIdentifier, EVFILT_USER, 0)
        event.fflags = UInt32(NOTE_TRIGGER)
        _ = kevent(queue, &event, 1, nil, 0, nil)
    }

    /// Declares that the owner will call ``forget(_:)`` before it closes this socket.
    package func track(_ socket: Int32) {
        reserve(socket)
        interests[Int(socket)] = Interest()
    }

    /// Watches a socket. False if the kernel refused.
    package func watch(_ socket: Int32, readable: Bool, writable: Bool) -> Bool {
        reserve(socket)
        let interest = interests[Int(socket)]
        guard change(socket, EVFILT_READ, from: interest.readable, to: readable),
            change(socket, EVFILT_WRITE, from: interest.writable, to: writable)
        else { return false }
        interests[Int(socket)] = Interest(readable: readable, writable: writable)
        return true
    }

    /// Stops watching a socket.
    package func unwatch(_ socket: Int32) {
        forget(socket)
    }

    /// The socket is about to be closed.
    package func forget(_ socket: Int32) {
        reserve(socket)
        let interest = interests[Int(socket)]
        _ = change(socket, EVFILT_READ, from: interest.readable, to: false)
        _ = change(socket, EVFILT_WRITE, from: interest.writable, to: false)
        interests[Int(socket)] = Interest()
    }

    /// Waits and reports each ready socket.
    /// - Parameter nanoseconds: How long to wait at most; nil waits until something happens.
    package func wait(nanoseconds: Int64?, _ ready: (_ socket: Int32, _ readiness: SocketReadiness) -> Void) {
        let count: Int32
        if let nanoseconds {
            let limit = max(0, nanoseconds)
            var time = timespec(tv_sec: Int(limit / 1_000_000_000), tv_nsec: Int(limit % 1_000_000_000))
            count = kevent(queue, nil, 0, events, Self.batch, &time)
        } else {
            count = kevent(queue, nil, 0, events, Self.batch, nil)
        }
        guard count > 0 else { return }
        for index in 0..<Int(count) where Int32(events[index].filter) != EVFILT_USER {
            let event = events[index]
            let socket = Int32(truncatingIfNeeded: event.ident)
            // An earlier socket of this batch may have led to this one being closed.
            guard Int(socket) < interests.count else { continue }
            let interest = interests[Int(socket)]
            guard interest.readable || interest.writable else { continue }
            let isRead = Int32(event.filter) == EVFILT_READ
            ready(socket, isRead ? .readable : .writable)
        }
    }

    private func change(_ socket: Int32, _ filter: Int32, from old: Bool, to new: Bool) -> Bool {
        guard old != new else { return true }
        var event = Self.event(UInt(socket), filter, new ? EV_ADD : EV_DELETE)
        return kevent(queue, &event, 1, nil, 0, nil) == 0 || !new
    }

    private static func event(_ identifier: UInt, _ filter: Int32, _ flags: Int32) -> kevent {
        kevent(
            ident: identifier,
            filter: Int16(filter),
            flags: UInt16(flags),
            fflags: 0,
            data: 0,
            udata: nil
        )
    }

    private func reserve(_ socket: Int32) {
        while interests.count <= Int(socket) { interests.append(Interest()) }
    }
}
#endif
