// A load in progress: what it tells, who waits for it, and how it is given up.

import GatewayWire
import ModelGateway
import Synchronization

/// Connects the thread that loads a model with the tasks that wait for it.
final class LoadProgress: Sendable {
    private let observers = Lock<[@Sendable (Double) -> Void]>([])
    let isCancelled = Atomic(false)

    /// Adds someone who wants to know; called on the loading thread.
    func observe(_ observer: @escaping @Sendable (Double) -> Void) {
        observers.withLock { $0.append(observer) }
    }

    func report(_ fraction: Double) {
        for observer in observers.withLock({ $0 }) { observer(fraction) }
    }
}

/// One load and the tasks that wait for it.
final class Loading: Sendable {
    typealias Outcome = Result<LlamaEngine, GatewayError>

    private struct State {
        var outcome: Outcome?
        var waiters: [Int: UnsafeContinuation<Outcome, Never>] = [:]
        var lastWaiter = 0
        /// Waiters whose task was cancelled before they were in place.
        var cancelledEarly: Set<Int> = []
    }

    let progress = LoadProgress()
    private let state = Lock(State())

    /// Waits for the outcome.
    /// - Parameter onAbandon: Called when the task was cancelled and no other one waits.
    func wait(onAbandon: @escaping @Sendable () -> Void) async throws(GatewayError) -> LlamaEngine {
        let id = state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        let outcome = await withTaskCancellationHandler {
            await withUnsafeContinuation { waiter in
                let ready = state.withLock { state -> Outcome? in
                    if let outcome = state.outcome { return outcome }
                    if state.cancelledEarly.remove(id) != nil { return .failure(Self.cancelled) }
                    state.waiters[id] = waiter
                    return nil
                }
                if let ready { waiter.resume(returning: ready) }
            }
        } onCancel: {
            let (waiter, isLast) = state.withLock { state in
                let waiter = state.waiters.removeValue(forKey: id)
                if waiter == nil { state.cancelledEarly.insert(id) }
                return (waiter, state.waiters.isEmpty && state.outcome == nil)
            }
            if isLast { onAbandon() }
            waiter?.resume(returning: .failure(Self.cancelled))
        }
        return try outcome.get()
    }

    /// Gives the outcome to all who wait, and to those who come later. Only the first one counts.
    func finish(_ outcome: Outcome) {
        let waiters = state.withLock { state in
            if state.outcome == nil { state.outcome = outcome }
            defer { state.waiters = [:] }
            return state.waiters.values
        }
        for waiter in waiters { waiter.resume(returning: outcome) }
    }

    private static let cancelled = GatewayError(.cancelled, "Loading the model was cancelled.")
}
