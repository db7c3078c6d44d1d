// A value guarded by a lock that a thread can wait on: how tasks hand work to the threads that compute.

import CGatewaySystem

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A mutex with a condition variable around a value.
///
/// A `Lock` cannot be waited on, and a thread that has nothing to compute must sleep.
/// Unchecked because of the C mutex, which guards every access to `value`.
package final class Monitor<Value: Sendable>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var value: Value

    package init(_ value: Value) {
        self.value = value
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Changes the value and wakes the threads that wait for a change.
    package func change<Result>(_ body: (inout Value) -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer {
            pthread_cond_broadcast(condition)
            pthread_mutex_unlock(mutex)
        }
        return body(&value)
    }

    /// Reads or takes from the value without waking anyone.
    package func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body(&value)
    }

    /// Sleeps until `body` returns something; it is tried first and after each change. Never on a cooperative thread.
    package func wait<Result>(for body: (inout Value) -> Result?) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let result = body(&value) { return result }
            pthread_cond_wait(condition, mutex)
        }
    }

    /// As ``wait(for:)``, but for a limited time.
    /// - Returns: Nil when the time is over.
    package func wait<Result>(atMost limit: Duration, for body: (inout Value) -> Result?) -> Result? {
        let (seconds, attoseconds) = limit.components
        let end = cgateway_wall_nanoseconds() + seconds * 1_000_000_000 + attoseconds / 1_000_000_000
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let result = body(&value) { return result }
            if cgateway_wait(condition, mutex, end) != 0 { return body(&value) }
        }
    }
}
