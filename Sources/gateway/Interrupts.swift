// Ctrl-C in a chat: the first one stops the answer that is being made, any other one leaves.

import Synchronization
import UnixSignals

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Decides what an interrupt signal does.
final class Interrupts: Sendable {
    /// Stops the answer in progress, if there is one that has not been told yet.
    private let stop = Mutex<(@Sendable () -> Void)?>(nil)

    private init() {}

    /// Takes the interrupt signal over, for the rest of the process.
    static func install() async -> Interrupts {
        let interrupts = Interrupts()
        let signals = await UnixSignalsSequence(trapping: .sigint)
        Task.detached {
            for await _ in signals { interrupts.handle() }
        }
        return interrupts
    }

    /// Does work that an interrupt cancels.
    func cancelling<Result: Sendable>(
        _ work: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        let task = Task { try await work() }
        stop.withLock { $0 = { task.cancel() } }
        defer { stop.withLock { $0 = nil } }
        return try await task.value
    }

    private func handle() {
        let stop = stop.withLock { stop in
            defer { stop = nil }
            return stop
        }
        guard let stop else {
            if StandardStream.error.isTerminal { StandardStream.error.writeNow("\n") }
            // At once: neither a load nor an answer that does not end may delay it.
            _exit(ExitStatus.interrupted.rawValue)
        }
        stop()
    }
}
