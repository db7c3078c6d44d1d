// Runs a piece of work that blocks on a thread of its own, so that it holds up no cooperative thread.

internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// Work that blocks for an unknown time: name resolution, files on a network.
enum BlockingCall {
    /// Runs `body` on a new thread and returns its result; nil if the task is cancelled first or there is no thread.
    /// A body that is under way goes on until its end; nobody waits for it then.
    static func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value? {
        let outcome = Outcome<Value>()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                outcome.wait(continuation)
                let job = BlockingJob { outcome.end(body()) }
                if Task.isCancelled || !start(job) { outcome.end(nil) }
            }
        } onCancel: {
            outcome.end(nil)
        }
    }

    private static func start(_ job: BlockingJob) -> Bool {
        let context = Unmanaged.passRetained(job)
        // Signals are for the program's own threads.
        var all = sigset_t()
        var previous = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &previous)
        defer { pthread_sigmask(SIG_SETMASK, &previous, nil) }
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        #if canImport(Darwin)
        var thread: pthread_t?
        #else
        var thread = pthread_t()
        #endif
        guard pthread_create(&thread, &attributes, blockingJobMain, context.toOpaque()) == 0 else {
            context.release()
            return false
        }
        return true
    }

    /// The first end counts.
    private final class Outcome<Value: Sendable>: Sendable {
        private struct State {
            var continuation: CheckedContinuation<Value?, Never>?
            var hasEnded = false
        }

        private let state = Mutex(State())

        func wait(_ continuation: CheckedContinuation<Value?, Never>) {
            let hasEnded = state.withLock { state in
                if !state.hasEnded { state.continuation = continuation }
                return state.hasEnded
            }
            if hasEnded { continuation.resume(returning: nil) }
        }

        func end(_ value: Value?) {
            let continuation = state.withLock { state in
                state.hasEnded = true
                defer { state.continuation = nil }
                return state.continuation
            }
            continuation?.resume(returning: value)
        }
    }
}

/// What a new thread is to do.
private final class BlockingJob: Sendable {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) {
        self.body = body
    }
}

#if canImport(Darwin)
private func blockingJobMain(_ context: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    Unmanaged<BlockingJob>.fromOpaque(context).takeRetainedValue().body()
    return nil
}
#else
private func blockingJobMain(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    Unmanaged<BlockingJob>.fromOpaque(context).takeRetainedValue().body()
    return nil
}
#endif
