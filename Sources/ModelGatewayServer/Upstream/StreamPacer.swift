// The pace at which streams are read on a busy event loop: a little slower, so that several events share a read and a write.

import GatewaySystem
import GatewayWire
package import NIOCore

/// Holds the connections of running streams between two reads while the event loop is busy. Used on its loop only.
///
/// A read and a write cost nearly the same for one event of a stream and for many. With a thousand streams at once they
/// are most of the work, and a loop that cannot keep up delays everything. So the events wait, for a bounded time, in
/// the system's buffers until there are several, as network cards do it with their interrupts.
final class StreamPacer {
    private let eventLoop: any EventLoop
    private var pace: StreamPace
    private var held = CircularBuffer<(connection: UpstreamConnection, due: NIODeadline)>()
    private var isScheduled = false

    /// Connections whose time comes within this are let go together.
    private static let grain = TimeAmount.milliseconds(4)

    init(_ eventLoop: any EventLoop, pace: StreamPace) {
        self.eventLoop = eventLoop
        self.pace = pace
    }

    /// Holds a connection on which a piece of a stream has just been read, if the loop is busy.
    /// - Returns: Whether it does: the connection is told then when it may read on.
    func holds(_ connection: UpstreamConnection, at now: NIODeadline) -> Bool {
        guard pace.limit > .zero else { return false }
        pace.update(at: now, processorTime: ThreadTime.nanoseconds)
        guard pace.delay > .zero else { return false }
        held.append((connection, now + pace.delay))
        if !isScheduled { schedule(at: now + pace.delay) }
        return true
    }

    private func schedule(at deadline: NIODeadline) {
        isScheduled = true
        eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { self.letGo() }
    }

    private func letGo() {
        isScheduled = false
        let soon = NIODeadline.now() + Self.grain
        while let next = held.first, next.due <= soon {
            held.removeFirst()
            next.connection.resume()
        }
        if let next = held.first { schedule(at: next.due) }
    }
}

/// How long streams wait between two reads: longer step by step while the loop is busy, and shorter when it is not.
package struct StreamPace: Sendable {
    /// The longest wait; zero if there is never one.
    package let limit: TimeAmount
    /// The share of a processor from which on a loop counts as busy.
    package let busyShare: Double
    /// The wait at present.
    package private(set) var delay = TimeAmount.zero
    private var windowStart: NIODeadline?
    private var processorTimeAtStart: Int64 = 0

    /// How long the loop is watched before the wait changes.
    package static let window = TimeAmount.milliseconds(100)

    /// There is never a wait.
    package static let none = StreamPace(limit: .zero)

    /// - Parameters:
    ///   - limit: The longest wait.
    ///   - busyShare: The share of a processor from which on a loop counts as busy, 0 to 1.
    package init(limit: TimeAmount, busyShare: Double = 0.5) {
        self.limit = limit
        self.busyShare = busyShare
    }

    /// Looks at how busy the loop was since the last change.
    /// - Parameter processorTime: What the loop's thread has used of a processor, in nanoseconds.
    package mutating func update(at now: NIODeadline, processorTime: () -> Int64) {
        guard let start = windowStart, now - start < Self.window * 10 else {
            // No stream ran for a while.
            delay = .zero
            windowStart = now
            processorTimeAtStart = processorTime()
            return
        }
        guard now - start >= Self.window else { return }
        let used = processorTime()
        let share = Double(used - processorTimeAtStart) / Double((now - start).nanoseconds)
        windowStart = now
        processorTimeAtStart = used
        let step = TimeAmount.nanoseconds(limit.nanoseconds / 4)
        if share >= busyShare {
            delay = min(delay + step, limit)
        } else if share < busyShare * 0.7 {
            delay = max(delay - step, .zero)
        }
    }
}
