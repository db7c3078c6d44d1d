// The system's clocks: the one for durations, the time of day, and what the running thread has used of a processor.

import CGatewaySystem

/// The clock for durations. It never goes back, and only differences of its readings mean anything.
package enum MonotonicClock {
    /// Nanoseconds since an arbitrary start.
    @inlinable
    package static func nanoseconds() -> Int64 { cgateway_monotonic_nanoseconds() }
}

/// The time of day. For durations use ``MonotonicClock``.
package enum WallClock {
    /// Seconds since 1970-01-01 00:00 UTC and the nanoseconds on top.
    package static func now() -> (seconds: Int, nanoseconds: Int) {
        let (seconds, nanoseconds) = cgateway_wall_nanoseconds().quotientAndRemainder(dividingBy: 1_000_000_000)
        return (Int(seconds), Int(nanoseconds))
    }

    /// Whole seconds since 1970-01-01 00:00 UTC, as in the `created` field of a chat completion.
    package static func unixSeconds() -> Int {
        now().seconds
    }
}

/// The processor time of the calling thread.
package enum ThreadTime {
    /// Nanoseconds since the thread's start.
    package static func nanoseconds() -> Int64 { cgateway_thread_nanoseconds() }
}
