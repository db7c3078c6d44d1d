// Standard output and standard error: whole texts, written off the threads that tasks share.

import Dispatch
import GatewaySystem

/// The reader of standard output went away. The program then ends quietly, as one in a pipe should.
struct OutputClosed: Error {}

/// One of the process's output streams.
struct StandardStream: Sendable {
    static let output = StandardStream(.standardOutput)
    static let error = StandardStream(.standardError)

    private let stream: StreamDescriptor
    private let queue: DispatchQueue

    /// Whether a person is likely to be looking.
    let isTerminal: Bool

    private init(_ stream: StreamDescriptor) {
        self.stream = stream
        isTerminal = stream.isTerminal
        queue = DispatchQueue(label: "gateway.stream.\(stream.descriptor)")
    }

    /// Writes a text; returns when the system has taken all of it. A terminal is shown control characters as escapes.
    /// - Throws: ``OutputClosed`` when the reader has closed its end.
    func write(_ text: String) async throws {
        guard !text.isEmpty else { return }
        let shown = isTerminal ? TerminalText.escaped(text) : text
        let failure = await queue.perform { put(shown) }
        switch failure {
        case nil: return
        case .brokenPipe: throw OutputClosed()
        case .some(let reason):
            throw CommandFailure(
                .outputFailed,
                "cannot write the output: \(reason); free some space, or redirect it elsewhere"
            )
        }
    }

    /// Writes a text at once, from any thread. Failures are ignored: there is nowhere left to report them.
    func writeNow(_ text: String) {
        control(isTerminal ? TerminalText.escaped(text) : text)
    }

    /// Writes a text at once and as it is, for the program's own control of a terminal. What others wrote is escaped first.
    func control(_ text: String) {
        _ = put(text)
    }

    /// Returns why it could not be written, nil if it was.
    private func put(_ text: String) -> SystemError? {
        var text = text
        return text.withUTF8 { bytes in
            do throws(SystemError) {
                try stream.write(UnsafeRawBufferPointer(bytes))
                return nil
            } catch {
                return error
            }
        }
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
