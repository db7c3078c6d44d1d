// A signal that wakes one waiting task, and is remembered if nobody waits.

import GatewayWire
import Synchronization

/// Wakes the task that waits for it; signals that come before the wait are one signal.
final class Signal: Sendable {
    private struct State {
        var isPending = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Lock(State())

    func send() {
        let waiter = state.withLock { state in
            let waiter = state.waiter
            state.waiter = nil
            state.isPending = waiter == nil
            return waiter
        }
        waiter?.resume()
    }

    /// Returns at the next signal, or when the task is cancelled. Only one task may wait at a time.
    func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let goesOn = state.withLock { state in
                    if state.isPending || Task.isCancelled {
                        state.isPending = false
                        return true
                    }
                    state.waiter = continuation
                    return false
                }
                if goesOn { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume()
        }
    }

    /// Returns at the next signal, after a time, or when the task is cancelled.
    func wait(atMost limit: Duration?, _ time: TimeSource) async {
        guard let limit else { return await wait() }
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await self.wait() }
            tasks.addTask {
                do { try await time.sleep(limit) } catch { return }
            }
            await tasks.next()
            tasks.cancelAll()
        }
    }
}
