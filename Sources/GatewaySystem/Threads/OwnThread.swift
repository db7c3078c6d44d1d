// Starts threads of our own, for work that blocks or computes for long and so must not be on a cooperative thread.

import CGatewaySystem

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A detached thread with a name. It takes no signals, nor do threads that are started from it: those are for the
/// program's own threads.
package enum OwnThread {
    /// Runs `body` on a new thread, which ends with it.
    /// - Parameters:
    ///   - name: What debuggers show, at most 15 bytes.
    ///   - stackSize: In bytes. Default: the system's.
    /// - Returns: 0, or the system's error number if it gives no thread; `body` does not run then.
    package static func start(
        name: String,
        stackSize: Int? = nil,
        _ body: @escaping @Sendable () -> Void
    ) -> Int32 {
        var attributes = pthread_attr_t()
        let status = pthread_attr_init(&attributes)
        guard status == 0 else { return status }
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        if let stackSize { pthread_attr_setstacksize(&attributes, stackSize) }
        // A thread inherits the mask of the one that starts it.
        var all = sigset_t()
        var previous = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &previous)
        defer { pthread_sigmask(SIG_SETMASK, &previous, nil) }
        return create(&attributes, ThreadStart(name: name, body: body))
    }

    private static func create(_ attributes: inout pthread_attr_t, _ start: ThreadStart) -> Int32 {
        #if canImport(Darwin)
        var thread: pthread_t?
        #else
        var thread = pthread_t()
        #endif
        let context = Unmanaged.passRetained(start)
        // The parameter is optional on Linux only: the closure takes both.
        let status = pthread_create(&thread, &attributes, { threadMain($0) }, context.toOpaque())
        if status != 0 { context.release() }
        return status
    }
}

/// What a new thread is to do.
private final class ThreadStart: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }
}

private func threadMain(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    let start = Unmanaged<ThreadStart>.fromOpaque(context).takeRetainedValue()
    #if canImport(Darwin)
    pthread_setname_np(start.name)
    #else
    pthread_setname_np(pthread_self(), start.name)
    #endif
    start.body()
    return nil
}
