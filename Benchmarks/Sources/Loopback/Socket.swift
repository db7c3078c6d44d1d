// Non-blocking TCP sockets on 127.0.0.1 with TCP_NODELAY.

internal import CLoopback

/// Nanoseconds of CLOCK_MONOTONIC: the one clock that mock engine and load generator share.
package func monotonicNow() -> UInt64 { loopback_now() }

/// Prepares a measuring process: no SIGPIPE, as many descriptors as allowed, and it ends with its parent.
package func prepareProcess() { loopback_prepare_process() }

/// What a non-blocking read or write came to.
package enum Transferred {
    case bytes(Int)
    /// The socket has nothing more for now, or takes nothing more.
    case wouldBlock
    /// The peer closed the connection, or it broke.
    case closed
}

/// One socket. It is closed by `close()` only.
package struct Socket {
    package let descriptor: Int32

    /// Listens on 127.0.0.1; port 0 takes a free one.
    package static func listening(port: UInt16) -> (socket: Socket, port: UInt16)? {
        var bound: UInt16 = 0
        let descriptor = loopback_listen(port, &bound)
        return descriptor < 0 ? nil : (Socket(descriptor: descriptor), bound)
    }

    /// Starts to connect to 127.0.0.1; the socket is writable once connected.
    package static func connecting(port: UInt16) -> Socket? {
        let descriptor = loopback_connect(port)
        return descriptor < 0 ? nil : Socket(descriptor: descriptor)
    }

    package func accept() -> Socket? {
        let accepted = loopback_accept(descriptor)
        return accepted < 0 ? nil : Socket(descriptor: accepted)
    }

    package func read(into buffer: UnsafeMutableRawPointer, count: Int) -> Transferred {
        outcome(CLoopback.recv(descriptor, buffer, count, 0), endsAtZero: true)
    }

    package func write(_ bytes: UnsafeRawPointer, count: Int) -> Transferred {
        outcome(CLoopback.send(descriptor, bytes, count, 0), endsAtZero: false)
    }

    package func close() { _ = CLoopback.close(descriptor) }

    private func outcome(_ count: Int, endsAtZero: Bool) -> Transferred {
        if count > 0 || (count == 0 && !endsAtZero) { return .bytes(count) }
        if count < 0 && loopback_would_block() != 0 { return .wouldBlock }
        return .closed
    }
}
