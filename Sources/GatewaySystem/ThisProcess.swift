// The running process: what it uses of the processors, what it ignores, and its end.

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

package enum ThisProcess {
    /// The processors that the machine has switched on, at least 1.
    package static var processors: Int { max(1, Int(sysconf(CInt(_SC_NPROCESSORS_ONLN)))) }

    /// The unit of the processor times in `/proc`; nil if the system does not tell.
    package static var ticksPerSecond: Int? {
        let ticks = Int(sysconf(CInt(_SC_CLK_TCK)))
        return ticks > 0 ? ticks : nil
    }

    /// The processor time of all threads since the start.
    package static var processorTime: Duration? {
        var time = timespec()
        guard clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 else { return nil }
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    /// Makes a reader that goes away an error of the write, not the end of the process.
    package static func ignoreBrokenPipes() {
        signal(SIGPIPE, SIG_IGN)
    }

    /// Keeps the calling thread asleep until the process ends.
    package static func waitForever() -> Never {
        while true { pause() }
    }

    /// Writes out what C code has buffered for its streams.
    package static func flush() {
        fflush(nil)
    }

    /// Ends the process without what is registered for its end, such as the destructors of C++ globals.
    package static func exit(_ status: Int32) -> Never {
        _exit(status)
    }
}
