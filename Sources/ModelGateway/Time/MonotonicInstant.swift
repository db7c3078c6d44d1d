// The one clock of the package: points in time as nanoseconds of the machine's monotonic clock.

import GatewaySystem

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

    /// The present.
    package static var now: MonotonicInstant { MonotonicInstant(nanoseconds: MonotonicClock.nanoseconds()) }

    /// The instant at which a limit of time that begins now is over; ``never`` for zero or less, which means no limit.
    package func after(limit: Duration) -> MonotonicInstant { limit > .zero ? self + limit : .never }

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
