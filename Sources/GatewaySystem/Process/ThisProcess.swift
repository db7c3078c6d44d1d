// The running process: what it uses of the processors, what it ignores, and its end.

import CGatewaySystem

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
        let time = cgateway_process_nanoseconds()
        return time < 0 ? nil : .nanoseconds(time)
    }

    /// Makes a reader that goes away an error of the write, not the end of the process.
    package static func ignoreBrokenPipes() {
        signal(SIGPIPE, SIG_IGN)
    }

    /// As ``ignoreBrokenPipes()``, unless the program has installed a handler of its own.
    package static func ignoreUnhandledBrokenPipes() {
        var current = sigaction()
        guard sigaction(SIGPIPE, nil, &current) == 0 else { return }
        // The default action is the null pointer.
        #if canImport(Glibc)
        let isDefault = current.__sigaction_handler.sa_handler == nil
        #elseif canImport(Musl)
        let isDefault = current.__sa_handler.sa_handler == nil
        #else
        let isDefault = current.__sigaction_u.__sa_handler == nil
        #endif
        if isDefault { ignoreBrokenPipes() }
    }

    /// Has a function called when the process ends by `exit` or by the return of `main`. Functions are called in the
    /// reverse order of these calls.
    package static func atExit(_ body: @escaping @convention(c) () -> Void) {
        atexit(body)
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
