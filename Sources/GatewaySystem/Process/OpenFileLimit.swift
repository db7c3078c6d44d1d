// How many files and sockets the process may have open (`ulimit -n`), and has.

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

package enum OpenFileLimit {
    /// The limit that holds: the soft one.
    package static var current: Int {
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return 1024 }
        return Int(clamping: limit.rlim_cur)
    }

    /// Raises the soft limit to the hard one.
    /// - Returns: The limit that holds then.
    package static func raise() -> Int {
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return current }
        #if canImport(Darwin)
        // The system takes no more than this, even if it calls the hard limit infinite.
        limit.rlim_cur = min(limit.rlim_max, rlim_t(OPEN_MAX))
        #else
        limit.rlim_cur = limit.rlim_max
        #endif
        _ = setrlimit(resource, &limit)
        return current
    }

    /// The descriptors that the process has open, as far as they are below 1024.
    package static var openCount: Int {
        (0..<Int32(min(current, 1024))).count { fcntl($0, F_GETFD) >= 0 }
    }

    #if canImport(Glibc)
    private static var resource: __rlimit_resource_t { __rlimit_resource_t(RLIMIT_NOFILE.rawValue) }
    #else
    private static var resource: Int32 { RLIMIT_NOFILE }
    #endif
}
