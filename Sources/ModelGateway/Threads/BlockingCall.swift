// Runs a piece of work that blocks on a thread of its own, so that it holds up no cooperative thread.

import GatewaySystem
import GatewayWire
import Synchronization

/// Work that blocks for an unknown time: name resolution, files on a network.
enum BlockingCall {
    /// Runs `body` on a new thread and returns its result; nil if the task is cancelled first or there is no thread.
    /// A body that is under way goes on until its end; nobody waits for it then.
    static func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value? {
        let outcome = Outcome<Value>()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                outcome.wait(continuation)
                let isStarted = !Task.isCancelled && OwnThread.start(name: "gateway-block") { outcome.end(body()) } == 0
                if !isStarted { outcome.end(nil) }
            }
        } onCancel: {
            outcome.end(nil)
        }
    }

    /// The first end counts.
    private final class Outcome<Value: Sendable>: Sendable {
        private struct State {
            var continuation: CheckedContinuation<Value?, Never>?
            var hasEnded = false
        }

        private let state = Lock(State())

        func wait(_ continuation: CheckedContinuation<Value?, Never>) {
            let hasEnded = state.withLock { state in
                if !state.hasEnded { state.continuation = continuation }
                return state.hasEnded
            }
            if hasEnded { continuation.resume(returning: nil) }
        }

        func end(_ value: Value?) {
            let continuation = state.withLock { state in
                state.hasEnded = true
                defer { state.continuation = nil }
                return state.continuation
            }
            continuation?.resume(returning: value)
        }
    }
}
