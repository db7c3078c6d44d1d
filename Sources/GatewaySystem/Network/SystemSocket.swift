// Sockets as the system has them, for the two network stacks that open and watch most of theirs by themselves.

import CGatewaySystem

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

package enum SystemSocket {
    /// Opens a socket that programs which this one starts do not get.
    /// - Parameters: As the system's `socket` takes them.
    package static func open(family: Int32, type: Int32, protocol: Int32) throws(SystemError) -> Int32 {
        #if canImport(Darwin)
        let descriptor = socket(family, type, `protocol`)
        if descriptor >= 0 { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        #else
        let descriptor = socket(family, type | cgateway_close_on_exec, `protocol`)
        #endif
        guard descriptor >= 0 else { throw SystemError(number: errno) }
        return descriptor
    }

    /// Closes a socket, and returns what the system's `close` does.
    package static func close(_ descriptor: Int32) -> Int32 {
        #if canImport(Glibc)
        Glibc.close(descriptor)
        #elseif canImport(Musl)
        Musl.close(descriptor)
        #else
        Darwin.close(descriptor)
        #endif
    }

    /// Whether nothing waits to be read: neither bytes nor the end of the connection.
    package static func isQuiet(_ descriptor: Int32) -> Bool {
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) < 0 && errno == EAGAIN
    }
}
