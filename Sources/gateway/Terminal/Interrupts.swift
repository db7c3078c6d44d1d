// Ctrl-C in a chat: it stops the answer that is being made, or does what the reader of a question asks for, or leaves.

import GatewaySystem
import GatewayWire
import Synchronization
import UnixSignals

/// Decides what an interrupt signal does.
final class Interrupts: Sendable {
    private enum State {
        case idle
        /// An answer is being made, which this stops.
        case answering(@Sendable () -> Void)
        /// It was told to stop and has not done so yet.
        case stopping
    }

    private let state = Lock(State.idle)
    private let idleAction = Lock<@Sendable () -> Bool>({ true })

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

    /// Says what an interrupt does while there is nothing to stop; without it, and when it returns true, it leaves.
    func whenIdle(_ action: @escaping @Sendable () -> Bool) {
        idleAction.withLock { $0 = action }
    }

    /// Does work that an interrupt cancels.
    func cancelling<Result: Sendable>(
        _ work: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        let task = Task { try await work() }
        state.withLock { $0 = .answering { task.cancel() } }
        defer { state.withLock { $0 = .idle } }
        return try await task.value
    }

    private func handle() {
        let before = state.withLock { state in
            defer { if case .answering = state { state = .stopping } }
            return state
        }
        switch before {
        case .answering(let stop): stop()
        case .idle: if idleAction.withLock({ $0 })() { leave() }
        // At once: neither a load nor an answer that does not end may delay it.
        case .stopping: leave()
        }
    }

    private func leave() -> Never {
        TerminalMode.leave()
        if StandardStream.error.isTerminal { StandardStream.error.control("\n") }
        ThisProcess.exit(ExitStatus.interrupted.rawValue)
    }
}
