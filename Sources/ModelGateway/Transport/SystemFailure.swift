// Why the system refused or broke a connection, in words.

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// The reasons that the system gives for failed connections.
package enum SystemFailure {
    /// Whether this machine lacks something that has nothing to do with the peer: descriptors or memory for sockets.
    /// - Parameter errno: The system's error number.
    package static func isShortage(_ errno: Int32) -> Bool {
        errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM
    }

    /// The reason as a part of a sentence. Names neither hosts nor addresses.
    /// - Parameter errno: The system's error number, not 0.
    package static func reason(_ errno: Int32) -> String {
        switch errno {
        case ECONNREFUSED: "connection refused"
        case ECONNRESET: "connection reset"
        case EPIPE: "connection closed by the peer"
        case EHOSTUNREACH, ENETUNREACH: "host unreachable"
        case ETIMEDOUT: "connection timed out"
        case EMFILE, ENFILE: "the gateway has too many files open, so raise its limit (ulimit -n)"
        default: "system error \(errno)"
        }
    }
}
