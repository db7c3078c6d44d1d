// Why the system refused or broke a connection, in words.

import GatewaySystem

/// The system's reasons for failed connections.
package enum SystemFailure {
    /// Whether this machine has run out of something that is not the peer's concern: descriptors, or memory for
    /// sockets.
    /// - Parameter errno: The system's error number.
    package static func isShortage(_ errno: Int32) -> Bool {
        SystemError(number: errno).isShortage
    }

    /// The reason as a part of a sentence. Names neither hosts nor addresses.
    /// - Parameter errno: The system's error number, not 0.
    package static func reason(_ errno: Int32) -> String {
        switch SystemError(number: errno) {
        case .connectionRefused: "connection refused"
        case .connectionReset: "connection reset"
        case .brokenPipe: "connection closed by the peer"
        case .hostUnreachable, .networkUnreachable: "host unreachable"
        case .timedOut: "connection timed out"
        case .noSuchFile: "there is no such socket"
        case .accessDenied: "permission denied"
        case .tooManyOpenFiles, .tooManyOpenFilesInSystem:
            "the gateway has too many files open, so raise its limit (ulimit -n)"
        default: "system error \(errno)"
        }
    }
}
