// The lock of the package: a mutex around the state that it guards.

#if MODELGATEWAY_SANITIZED
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif
#else
package import Synchronization
#endif

/// State that several threads share, and the mutex that guards it.
///
/// It is `Mutex` of the Synchronization library, which on Linux takes its lock by system calls of its own: the thread
/// sanitizer does not see them and reports every use of the state. Builds with `MODELGATEWAY_SANITIZED` therefore have a
/// mutex of the C library here, which it knows.
///
/// Unchecked because the compiler does not know what the mutex is for: it guards every access to the state.
package struct Lock<State: ~Copyable>: ~Copyable, @unchecked Sendable {
    #if MODELGATEWAY_SANITIZED
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let state: UnsafeMutablePointer<State>

    package init(_ initial: consuming sending State) {
        mutex = .allocate(capacity: 1)
        state = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        state.initialize(to: initial)
    }

    deinit {
        state.deinitialize(count: 1)
        pthread_mutex_destroy(mutex)
        state.deallocate()
        mutex.deallocate()
    }

    /// Runs `body` with the state while no other thread has it. `body` must not take the same lock.
    package borrowing func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending State) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state.pointee)
    }
    #else
    @usableFromInline let mutex: Mutex<State>

    @inlinable
    package init(_ initial: consuming sending State) {
        mutex = Mutex(initial)
    }

    /// Runs `body` with the state while no other thread has it. `body` must not take the same lock.
    @inlinable
    package borrowing func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending State) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        try mutex.withLock(body)
    }
    #endif
}
