// The time of day as seconds since 1970, and the two ways the wire writes it; no calendar library.

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Reads the system's clock. For durations use a monotonic clock.
package enum WallClock {
    /// Seconds since 1970-01-01 00:00 UTC and the nanoseconds on top.
    package static func now() -> (seconds: Int, nanoseconds: Int) {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return (Int(time.tv_sec), Int(time.tv_nsec))
    }

    /// Whole seconds since 1970-01-01 00:00 UTC, as in the `created` field of a chat completion.
    package static func unixSeconds() -> Int {
        now().seconds
    }
}
