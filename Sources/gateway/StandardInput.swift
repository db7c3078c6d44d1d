// Standard input: all of it when it is piped, line by line when a person types.

import Dispatch

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The process's input stream.
struct StandardInput: Sendable {
    /// The largest text that is read from a pipe.
    static let limit = 64 << 20

    private let queue = DispatchQueue(label: "gateway.stream.0")

    /// Whether a person is likely to be typing.
    var isTerminal: Bool { isatty(STDIN_FILENO) == 1 }

    /// The whole of a pipe or a file, as text.
    func readAll() async throws(CommandFailure) -> String {
        let result = await queue.perform { () -> Result<[UInt8], CommandFailure> in
            var bytes: [UInt8] = []
            while true {
                switch Self.readSome() {
                case .success(let some):
                    if some.isEmpty { return .success(bytes) }
                    bytes += some
                    guard bytes.count <= Self.limit else {
                        return .failure(CommandFailure(.badData, "standard input is larger than 64 MiB"))
                    }
                case .failure(let failure): return .failure(failure)
                }
            }
        }
        guard let text = String(validating: try result.get(), as: UTF8.self) else {
            throw CommandFailure(.badData, "standard input is not text in UTF-8")
        }
        return text
    }

    /// The next line without its end, or nil at the end of the input (Ctrl-D). What is not UTF-8 is replaced.
    func readLine() async -> String? {
        await queue.perform { Swift.readLine(strippingNewline: true) }
    }

    private static func readSome() -> Result<[UInt8], CommandFailure> {
        while true {
            var count = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: 65536) { buffer, initialized in
                count = read(STDIN_FILENO, buffer.baseAddress, buffer.count)
                initialized = max(0, count)
            }
            if count >= 0 { return .success(bytes) }
            // A closed standard input has nothing to say.
            if errno == EBADF { return .success([]) }
            guard errno == EINTR else {
                let reason = String(cString: strerror(errno))
                return .failure(CommandFailure(.noInput, "cannot read standard input: \(reason)"))
            }
        }
    }
}
