// Time for routing and reliability: a monotonic instant in nanoseconds, and the source it comes from.

/// A point on a clock that never goes back; only differences mean anything.
package struct MonotonicInstant: Sendable, Hashable, Comparable {
    /// Nanoseconds since the clock's arbitrary start.
    package var nanoseconds: Int64

    /// Creates an instant.
    package init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// An instant that never comes.
    package static let never = MonotonicInstant(nanoseconds: .max)

    package static func < (left: Self, right: Self) -> Bool { left.nanoseconds < right.nanoseconds }

    /// The instant after a duration; saturates at ``never``.
    package static func + (instant: Self, duration: Duration) -> Self {
        let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(duration.nanoseconds)
        return overflow ? .never : MonotonicInstant(nanoseconds: sum)
    }

    package static func - (left: Self, right: Self) -> Duration {
        .nanoseconds(left.nanoseconds.subtractingReportingOverflow(right.nanoseconds).partialValue)
    }
}

extension Duration {
    /// The whole nanoseconds of the duration, saturated to 64 bits (292 years).
    package var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return seconds < 0 ? .min : .max }
        let (sum, carry) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
        return carry ? (seconds < 0 ? .min : .max) : sum
    }

    /// The duration as seconds.
    package var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }
}

/// Where the present and the passing of time come from, so that tests can run on a virtual clock.
package struct TimeSource: Sendable {
    /// The present.
    package var now: @Sendable () -> MonotonicInstant
    /// Suspends until a duration has passed; throws `CancellationError` when the task is cancelled.
    package var sleep: @Sendable (Duration) async throws -> Void

    /// Creates a source.
    package init(
        now: @escaping @Sendable () -> MonotonicInstant,
        sleep: @escaping @Sendable (Duration) async throws -> Void
    ) {
        self.now = now
        self.sleep = sleep
    }

    /// The machine's monotonic clock.
    package static let system = TimeSource(
        now: { MonotonicInstant(nanoseconds: monotonicNow()) },
        sleep: { try await Task.sleep(for: $0) }
    )
}
