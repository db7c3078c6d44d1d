// A stream of bytes that the system has a number for: standard input and output, the ends of a pipe.

import CGatewaySystem
import SystemPackage

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A descriptor, and how it is read and written. It is closed by nobody but ``close()``. All calls may block.
package struct StreamDescriptor: Sendable {
    package static let standardInput = StreamDescriptor(descriptor: STDIN_FILENO)
    package static let standardOutput = StreamDescriptor(descriptor: STDOUT_FILENO)
    package static let standardError = StreamDescriptor(descriptor: STDERR_FILENO)

    package let descriptor: Int32

    package init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// Whether a person is likely to be at the other end.
    package var isTerminal: Bool { isatty(descriptor) == 1 }

    /// What has come, as soon as there is anything; empty at the end.
    package func read(atMost limit: Int = 64 << 10) throws(SystemError) -> [UInt8] {
        try SystemError.catching {
            try [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
                count = try FileDescriptor(rawValue: descriptor).read(into: UnsafeMutableRawBufferPointer(buffer))
            }
        }
    }

    /// Writes all bytes, in one call if the system takes them.
    /// - Parameter patience: How long a stream that does not block is waited for each time that it takes nothing; nil is
    ///   for as long as it takes.
    package func write(_ bytes: UnsafeRawBufferPointer, patience: Duration? = nil) throws(SystemError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            do throws(SystemError) {
                let count = try SystemError.catching {
                    try FileDescriptor(rawValue: descriptor).write(UnsafeRawBufferPointer(rebasing: rest))
                }
                rest = rest.dropFirst(count)
            } catch {
                guard error == .wouldBlock, isReady(for: POLLOUT, within: patience) else { throw error }
            }
        }
    }

    /// Whether there is something to read, or the end, before a time is over.
    package func hasInput(within limit: Duration) -> Bool {
        isReady(for: POLLIN, within: limit)
    }

    package func close() {
        try? FileDescriptor(rawValue: descriptor).close()
    }

    /// Fills the places of the standard streams that whoever started the program has closed: the next file or socket would
    /// get one of them, and be read as input or written to. As with a closed one, reading or writing there fails.
    package static func fillClosedStandardStreams() {
        let streams = [(standardInput, O_WRONLY), (standardOutput, O_RDONLY), (standardError, O_WRONLY)]
        for (stream, mode) in streams where fcntl(stream.descriptor, F_GETFD) == -1 {
            _ = open("/dev/null", mode)
        }
    }

    private func isReady(for events: some BinaryInteger, within limit: Duration?) -> Bool {
        let end = limit.map { ContinuousClock.now + $0 }
        while true {
            var wait = pollfd(fd: descriptor, events: Int16(events), revents: 0)
            let left = end.map { Int32((max(.zero, $0 - .now) / .milliseconds(1)).rounded(.up)) }
            let count = poll(&wait, 1, left ?? -1)
            if count >= 0 || errno != EINTR { return count > 0 }
        }
    }
}

/// The two ends of a pipe; programs that this one starts do not get them.
package struct Pipe: Sendable {
    package let readEnd: StreamDescriptor
    package let writeEnd: StreamDescriptor

    package init() throws(SystemError) {
        let ends = try SystemError.catching { try FileDescriptor.pipe() }
        readEnd = StreamDescriptor(descriptor: ends.readEnd.rawValue)
        writeEnd = StreamDescriptor(descriptor: ends.writeEnd.rawValue)
        for end in [readEnd, writeEnd] { _ = fcntl(end.descriptor, F_SETFD, FD_CLOEXEC) }
    }
}
