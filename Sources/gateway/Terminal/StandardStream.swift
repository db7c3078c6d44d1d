// Standard output and standard error: whole texts, written off the threads that tasks share.

import Dispatch

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The reader of standard output went away. The program then ends quietly, as one in a pipe should.
struct OutputClosed: Error {}

/// One of the process's output streams.
struct StandardStream: Sendable {
    static let output = StandardStream(descriptor: STDOUT_FILENO)
    static let error = StandardStream(descriptor: STDERR_FILENO)

    let descriptor: Int32
    private let queue: DispatchQueue

    /// Whether a person is likely to be looking.
    let isTerminal: Bool

    private init(descriptor: Int32) {
        self.descriptor = descriptor
        isTerminal = isatty(descriptor) == 1
        queue = DispatchQueue(label: "gateway.stream.\(descriptor)")
    }

    /// Writes a text; returns when the system has taken all of it. A terminal is shown control characters as escapes.
    /// - Throws: ``OutputClosed`` when nobody reads any more.
    func write(_ text: String) async throws {
        guard !text.isEmpty else { return }
        let shown = isTerminal ? TerminalText.escaped(text) : text
        let failure = await queue.perform { put(shown) }
        switch failure {
        case 0: return
        case EPIPE: throw OutputClosed()
        default:
            let reason = String(cString: strerror(failure))
            throw CommandFailure(
                .outputFailed,
                "cannot write the output: \(reason); make room for it, or redirect it elsewhere"
            )
        }
    }

    /// Writes a text at once, from wherever. A failure is of no interest: there is nowhere left to report it.
    func writeNow(_ text: String) {
        control(isTerminal ? TerminalText.escaped(text) : text)
    }

    /// Writes a text at once and as it is, for the program's own control of a terminal. What others wrote is escaped first.
    func control(_ text: String) {
        _ = put(text)
    }

    /// Fills the places of the standard streams that whoever started the program has closed: the next file or socket would
    /// get one of them, and be read as input or written to. As with a closed one, reading or writing there fails.
    static func fillClosed() {
        for (descriptor, mode) in [(STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_WRONLY)]
        where fcntl(descriptor, F_GETFD) == -1 {
            _ = open("/dev/null", mode)
        }
    }

    /// Returns the error number, 0 for none.
    private func put(_ text: String) -> Int32 {
        var text = text
        return text.withUTF8 { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = writeSome(UnsafeBufferPointer(rebasing: rest))
                if count >= 0 {
                    rest = rest.dropFirst(count)
                } else if errno == EAGAIN {
                    var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    poll(&wait, 1, -1)
                } else if errno != EINTR {
                    return errno
                }
            }
            return 0
        }
    }

    private func writeSome(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
        #if canImport(Glibc)
        Glibc.write(descriptor, bytes.baseAddress, bytes.count)
        #elseif canImport(Musl)
        Musl.write(descriptor, bytes.baseAddress, bytes.count)
        #else
        Darwin.write(descriptor, bytes.baseAddress, bytes.count)
        #endif
    }
}

extension DispatchQueue {
    /// Runs work that may block for long, off the few threads that Swift's tasks share.
    func perform<Result: Sendable>(_ work: @escaping @Sendable () -> Result) async -> Result {
        await withCheckedContinuation { continuation in
            async { continuation.resume(returning: work()) }
        }
    }
}
