// Waiting for many sockets at once on Linux: epoll, with an eventfd that another thread can wake it by.

#if os(Linux) || os(Android)
import CGatewaySystem

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Waits for sockets to become readable or writable.
///
/// Owned by one thread, which alone calls everything but ``wake()``.
package final class Poller: @unchecked Sendable {
    // `wake()` touches only the immutable `waker`; all other state belongs to the thread that polls.

    /// What one socket is watched for, and whether the kernel knows of it.
    private struct Interest {
        var events: UInt32 = 0
        var isRegistered = false
        var isWanted = false
        /// The socket reports its closing through ``forget(_:)``, so its registration may outlive the wish for it.
        var isTracked = false
    }

    private let poller: Int32
    private let waker: Int32
    private let events: UnsafeMutablePointer<epoll_event>
    private var interests: [Interest] = []

    private static let batch: Int32 = 256

    package init() throws(SystemError) {
        let poller = cgateway_epoll_create()
        let waker = cgateway_eventfd_create()
        guard poller >= 0, waker >= 0, cgateway_epoll_watch(poller, waker, cgateway_epoll_in, 0) == 0 else {
            let error = SystemError(number: errno)
            if poller >= 0 { close(poller) }
            if waker >= 0 { close(waker) }
            throw error
        }
        self.poller = poller
        self.waker = waker
        events = .allocate(capacity: Int(Self.batch))
    }

    deinit {
        close(poller)
        close(waker)
        events.deallocate()
    }

    /// Makes a ``wait(nanoseconds:_:)`` in progress, or the next one, return. Callable on any thread.
    package func wake() {
        var one: UInt64 = 1
        // A full counter is readable already, so a failed write loses nothing.
        _ = write(waker, &one, MemoryLayout<UInt64>.size)
    }

    /// Declares that the owner will call ``forget(_:)`` before it closes this socket.
    package func track(_ socket: Int32) {
        reserve(socket)
        interests[Int(socket)] = Interest(isTracked: true)
    }

    /// Watches a socket. False if the kernel refused.
    package func watch(_ socket: Int32, readable: Bool, writable: Bool) -> Bool {
        reserve(socket)
        let wanted = (readable ? cgateway_epoll_in : 0) | (writable ? cgateway_epoll_out : 0)
        var interest = interests[Int(socket)]
        interest.isWanted = true
        // Of a socket that is not tracked nobody knows whether it is still the one that was registered.
        if !interest.isRegistered || interest.events != wanted || !interest.isTracked {
            guard cgateway_epoll_watch(poller, socket, wanted, interest.isRegistered ? 1 : 0) == 0 else { return false }
            interest.isRegistered = true
            interest.events = wanted
        }
        interests[Int(socket)] = interest
        return true
    }

    /// Stops watching a socket. A tracked one stays known to the kernel until it becomes ready or is closed: a kept
    /// connection is most often watched again for its next request, and two system calls are saved.
    package func unwatch(_ socket: Int32) {
        reserve(socket)
        interests[Int(socket)].isWanted = false
        if !interests[Int(socket)].isTracked { unregister(socket) }
    }

    /// The socket is about to be closed.
    package func forget(_ socket: Int32) {
        reserve(socket)
        unregister(socket)
        interests[Int(socket)] = Interest()
    }

    /// Waits and reports each ready socket.
    /// - Parameter nanoseconds: How long to wait at most; nil waits until something happens.
    package func wait(nanoseconds: Int64?, _ ready: (_ socket: Int32, _ readiness: SocketReadiness) -> Void) {
        let milliseconds: Int32
        if let nanoseconds {
            milliseconds = Int32(clamping: (max(0, nanoseconds) + 999_999) / 1_000_000)
        } else {
            milliseconds = -1
        }
        let count = epoll_wait(poller, events, Self.batch, milliseconds)
        guard count > 0 else { return }
        for index in 0..<Int(count) {
            let socket = cgateway_epoll_event_descriptor(events + index)
            if socket == waker {
                var counter: UInt64 = 0
                _ = read(waker, &counter, MemoryLayout<UInt64>.size)
                continue
            }
            guard Int(socket) < interests.count, interests[Int(socket)].isWanted else {
                unregister(socket)
                continue
            }
            ready(socket, Self.readiness(events[index].events))
        }
    }

    private static func readiness(_ events: UInt32) -> SocketReadiness {
        var readiness = SocketReadiness()
        if events & (cgateway_epoll_in | cgateway_epoll_hang_up) != 0 { readiness.insert(.readable) }
        if events & cgateway_epoll_out != 0 { readiness.insert(.writable) }
        if events & cgateway_epoll_error != 0 { readiness.insert(.failed) }
        return readiness
    }

    private func unregister(_ socket: Int32) {
        guard Int(socket) < interests.count, interests[Int(socket)].isRegistered else { return }
        cgateway_epoll_unwatch(poller, socket)
        interests[Int(socket)].isRegistered = false
        interests[Int(socket)].events = 0
    }

    private func reserve(_ socket: Int32) {
        while interests.count <= Int(socket) { interests.append(Interest()) }
    }
}
#endif
