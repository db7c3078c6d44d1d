// The lock of the package: a mutex around the state that it guards.

#if MODELGATEWAY_SANITIZED
// The C library itself: this module depends on nothing.
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// State that several threads share, and the mutex that guards it.
///
/// `Mutex` of the Synchronization library takes its lock on Linux by system calls of its own: the thread sanitizer does not
/// see them and reports every use of the state. Builds for a sanitizer therefore have a mutex of the C library here, which
/// it knows.
///
/// Unchecked because the compiler does not know what the mutex is for: it guards every access to the state.
package struct Lock<State: ~Copyable>: ~Copyable, @unchecked Sendable {
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
}
#else
package import Synchronization

/// State that several threads share, and the mutex that guards it.
///
/// The type itself and not one around it: the compiler does not look through a generic function of another module, which
/// then finds the metadata of its types anew at each call; a request took 9,000 instructions more. So files that use it
/// import Synchronization.
package typealias Lock<State: ~Copyable> = Mutex<State>
#endif
