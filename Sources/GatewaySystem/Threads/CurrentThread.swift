// The thread that runs this code.

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

package enum CurrentThread {
    /// A number that no other thread has as long as this one lives; never 0.
    @inlinable
    package static var id: UInt {
        #if canImport(Glibc)
        UInt(pthread_self())
        #else
        UInt(bitPattern: pthread_self())
        #endif
    }

    /// Puts the thread to sleep. Not for threads that tasks share.
    package static func sleep(for duration: Duration) {
        usleep(UInt32(duration / .microseconds(1)))
    }
}
