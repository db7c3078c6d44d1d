// Plain POSIX sockets for the scripted engine: listening on loopback, blocking reads and writes, orderly and rude ends.

// The C library itself: only tests listen with sockets of their own, so GatewaySystem has no calls for that.
#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// Blocking calls on one descriptor. Used on threads of the engine's own.
enum EngineSocket {
    #if canImport(Darwin)
    private static let stream = SOCK_STREAM
    private static let sendFlags: Int32 = 0
    #else
    #if canImport(Musl)
    private static let stream = Int32(SOCK_STREAM | SOCK_CLOEXEC)
    #else
    private static let stream = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    #endif
    private static let sendFlags = Int32(MSG_NOSIGNAL)
    #endif

    /// Listens on 127.0.0.1.
    static func listen(port: UInt16) throws -> Int32 {
        let (descriptor, _) = try take(port: port)
        guard listenCall(descriptor) == 0 else {
            let error = failure("listen on port \(port)")
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// Takes a port of 127.0.0.1 without listening: connections are refused, and nobody else gets it from the system.
    /// - Parameter port: 0 takes a free one.
    static func take(port: UInt16) throws -> (descriptor: Int32, port: UInt16) {
        let descriptor = socket(AF_INET, stream, 0)
        guard descriptor >= 0 else { throw failure("socket") }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr = in_addr(s_addr: UInt32(0x7F00_0001).bigEndian)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) == 0 && getsockname(descriptor, address, &length) == 0
            }
        }
        guard isBound else {
            let error = failure("take port \(port)")
            close(descriptor)
            throw error
        }
        return (descriptor, UInt16(bigEndian: address.sin_port))
    }

    private static func listenCall(_ descriptor: Int32) -> Int32 {
        #if canImport(Glibc)
        Glibc.listen(descriptor, 1024)
        #elseif canImport(Musl)
        Musl.listen(descriptor, 1024)
        #else
        Darwin.listen(descriptor, 1024)
        #endif
    }

    /// Waits for a connection, or for a byte on `wake`; nil for the latter.
    static func accept(_ listener: Int32, wake: Int32) -> Int32? {
        while true {
            var waits = [
                pollfd(fd: listener, events: Int16(POLLIN), revents: 0),
                pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
            ]
            let count = poll(&waits, nfds_t(waits.count), -1)
            if count < 0, errno == EINTR { continue }
            guard count > 0, waits[1].revents == 0 else { return nil }
            #if canImport(Glibc)
            let descriptor = Glibc.accept(listener, nil, nil)
            #elseif canImport(Musl)
            let descriptor = Musl.accept(listener, nil, nil)
            #else
            let descriptor = Darwin.accept(listener, nil, nil)
            #endif
            if descriptor < 0 { continue }
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
            #if canImport(Darwin)
            set(descriptor, SOL_SOCKET, SO_NOSIGPIPE, 1)
            #endif
            return descriptor
        }
    }

    /// Reads what is there, waiting for at least one byte. Empty at the end or after a failure.
    static func read(_ descriptor: Int32) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count < 0, errno == EINTR { continue }
            return count > 0 ? Array(buffer[..<count]) : []
        }
    }

    /// Writes everything. Returns how much the kernel took; less than all means that the peer is gone.
    static func write(_ descriptor: Int32, _ bytes: [UInt8]) -> Int {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { bytes in
                send(descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done, sendFlags)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            done += count
        }
        return done
    }

    /// Waits for so long at most. True as soon as the peer has closed.
    static func peerCloses(_ descriptor: Int32, within milliseconds: Int32) -> Bool {
        var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&wait, 1, milliseconds) > 0 else { return false }
        var byte: UInt8 = 0
        let count = recv(descriptor, &byte, 1, Int32(MSG_PEEK))
        if count > 0 {
            // Bytes of a next request: no end, and poll would return at once forever.
            usleep(UInt32(max(1, milliseconds)) * 1000)
            return false
        }
        return true
    }

    /// Makes the following close send an RST.
    static func closeWithReset(_ descriptor: Int32) {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    /// Ends both directions, so that a thread that is blocked on the descriptor returns.
    static func interrupt(_ descriptor: Int32) {
        #if canImport(Darwin)
        shutdown(descriptor, SHUT_RDWR)
        #else
        shutdown(descriptor, Int32(SHUT_RDWR))
        #endif
    }

    private static func set(_ descriptor: Int32, _ level: Int32, _ name: Int32, _ value: Int32) {
        var value = value
        setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    private static func failure(_ call: String) -> ScriptedEngineError {
        ScriptedEngineError("The scripted engine cannot \(call): \(String(cString: strerror(errno))).")
    }
}
