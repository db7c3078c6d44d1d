// The monotonic clock of the machine, in the form that costs least: nanoseconds.

internal import CCurl

/// A point on the monotonic clock, in nanoseconds.
typealias MonotonicNanoseconds = Int64

/// Reads the monotonic clock.
func monotonicNow() -> MonotonicNanoseconds {
    ccurl_monotonic_nanoseconds()
}

extension Duration {
    /// This time in nanoseconds, or nil if it is zero or less, which means no limit. Longer than a century is a century.
    var limitInNanoseconds: Int64? {
        let century: Int64 = 100 * 366 * 86_400
        let (seconds, attoseconds) = components
        guard seconds > 0 || (seconds == 0 && attoseconds > 0) else { return nil }
        guard seconds < century else { return century * 1_000_000_000 }
        return max(1, seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}
