// A clock for tests: it stands still until a test advances it.

import GatewayWire
import Synchronization

/// A `Clock` whose time moves only by ``advance(by:)``.
///
/// ```swift
/// let clock = VirtualClock()
/// let nap = Task { try await clock.sleep(for: .seconds(60)) }
/// await clock.waitForSleepers(1)
/// clock.advance(by: .seconds(60))
/// try await nap.value
/// ```
///
/// For code that asks for the time instead of sleeping, hand over ``elapsed``:
/// `let breaker = Breaker(now: { clock.elapsed })`.
public final class VirtualClock: Clock, Sendable {
    /// A point in a virtual clock's time.
    public struct Instant: InstantProtocol {
        /// The time since the clock was made.
        public let elapsed: Duration

        /// Creates an instant so long after the clock was made.
        public init(elapsed: Duration) {
            self.elapsed = elapsed
        }

        public func advanced(by duration: Duration) -> Instant { Instant(elapsed: elapsed + duration) }

        public func duration(to other: Instant) -> Duration { other.elapsed - elapsed }

        public static func < (left: Instant, right: Instant) -> Bool { left.elapsed < right.elapsed }
    }

    private struct Sleeper {
        let id: Int
        let deadline: Instant
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var now: Instant
        var sleepers: [Sleeper] = []
        /// Sleeps that were cancelled before they had begun.
        var cancelled: Set<Int> = []
        var lastID = 0
        var audience: [Audience] = []

        func isSatisfied(_ audience: Audience) -> Bool {
            sleepers.count { sleeper in audience.deadline.map { sleeper.deadline <= $0 } ?? true } >= audience.count
        }
    }

    /// Who waits for others to fall asleep.
    private struct Audience {
        let count: Int
        let deadline: Instant?
        let continuation: CheckedContinuation<Void, Never>
    }

    private let state: Lock<State>

    /// Creates a clock that shows `start`.
    public init(start: Duration = .zero) {
        state = Lock(State(now: Instant(elapsed: start)))
    }

    /// The present time.
    public var now: Instant { state.withLock { $0.now } }

    /// The present time, as a duration since the clock was made.
    public var elapsed: Duration { now.elapsed }

    /// Zero: every step counts.
    public var minimumResolution: Duration { .zero }

    /// How many tasks sleep.
    public var sleepers: Int { state.withLock { $0.sleepers.count } }

    /// Advances the time and wakes all sleepers whose deadline has passed, the earliest first; among equals, the one that
    /// fell asleep first. While a sleeper is woken the clock shows the time of its deadline or later.
    /// - Parameter duration: How far; less than zero counts as zero.
    public func advance(by duration: Duration) {
        advance(to: now.advanced(by: max(.zero, duration)))
    }

    /// As ``advance(by:)``, to a point in time. An earlier one than now changes nothing.
    public func advance(to target: Instant) {
        while let sleeper = nextSleeper(until: target) { sleeper.continuation.resume() }
    }

    private func nextSleeper(until target: Instant) -> Sleeper? {
        state.withLock { state in
            let due = state.sleepers.indices
                .filter { state.sleepers[$0].deadline <= target }
                .min { left, right in
                    let (left, right) = (state.sleepers[left], state.sleepers[right])
                    return (left.deadline, left.id) < (right.deadline, right.id)
                }
            guard let due else {
                state.now = max(state.now, target)
                return nil
            }
            state.now = max(state.now, state.sleepers[due].deadline)
            return state.sleepers.remove(at: due)
        }
    }

    /// Suspends until the clock has been moved to `deadline`.
    /// - Throws: `CancellationError` if the task is cancelled.
    public func sleep(until deadline: Instant, tolerance: Duration? = nil) async throws {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        defer { state.withLock { _ = $0.cancelled.remove(id) } }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                fallAsleep(Sleeper(id: id, deadline: deadline, continuation: continuation))
            }
        } onCancel: {
            cancelSleep(id)
        }
    }

    private func fallAsleep(_ sleeper: Sleeper) {
        enum Outcome { case asleep, late, cancelled }
        let (outcome, audience): (Outcome, [CheckedContinuation<Void, Never>]) = state.withLock { state in
            if state.cancelled.remove(sleeper.id) != nil { return (Outcome.cancelled, []) }
            if sleeper.deadline <= state.now { return (Outcome.late, []) }
            state.sleepers.append(sleeper)
            let satisfied = state.audience.filter(state.isSatisfied)
            state.audience.removeAll(where: state.isSatisfied)
            return (Outcome.asleep, satisfied.map(\.continuation))
        }
        for waiter in audience { waiter.resume() }
        switch outcome {
        case .asleep: break
        case .late: sleeper.continuation.resume()
        case .cancelled: sleeper.continuation.resume(throwing: CancellationError())
        }
    }

    private func cancelSleep(_ id: Int) {
        let sleeper: Sleeper? = state.withLock { state in
            guard let index = state.sleepers.firstIndex(where: { $0.id == id }) else {
                state.cancelled.insert(id)
                return nil
            }
            return state.sleepers.remove(at: index)
        }
        sleeper?.continuation.resume(throwing: CancellationError())
    }

    /// Suspends until at least so many tasks sleep on this clock, so that a test advances it neither too early nor by
    /// luck.
    /// - Parameters:
    ///   - count: How many.
    ///   - deadline: Only those that are to wake at this time or before count; nil counts all. A task that sleeps on
    ///     for something else, and will be woken to sleep anew for less long, is told apart by this.
    public func waitForSleepers(_ count: Int, until deadline: Instant? = nil) async {
        await withCheckedContinuation { continuation in
            let audience = Audience(count: count, deadline: deadline, continuation: continuation)
            let isSatisfied = state.withLock { state in
                let isSatisfied = state.isSatisfied(audience)
                if !isSatisfied { state.audience.append(audience) }
                return isSatisfied
            }
            if isSatisfied { continuation.resume() }
        }
    }
}
