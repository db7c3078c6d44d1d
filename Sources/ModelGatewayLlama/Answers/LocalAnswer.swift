// The answer of a local model on its way from the decode thread to the task that reads it.

#if LlamaCpp

import Synchronization
import GatewayWire
import ModelGateway

/// One call's events: the decode thread puts them in after each step, the reader takes all at once.
///
/// A slow reader does not slow the other answers down: text that it has not taken is joined, and its length is bounded
/// by the context.
final class LocalAnswer: ChatEventSource {
    /// What a reader gets: events, nil at the end, or what went wrong.
    private typealias Batch = Result<[ChatEvent]?, GatewayError>
    private typealias Reader = UnsafeContinuation<Batch, Never>

    private struct State {
        var events: [ChatEvent] = []
        var reader: Reader?
        var unfinishedChoices: Int
        var usage = Usage(promptTokens: 0, completionTokens: 0)
        var failure: GatewayError?
        var isCancelled = false

        /// What a reader gets now, if there is something for it.
        mutating func ready() -> Batch? {
            if isCancelled, let failure { return .failure(failure) }
            if !events.isEmpty {
                defer { events.removeAll(keepingCapacity: true) }
                return .success(events)
            }
            if let failure { return .failure(failure) }
            return unfinishedChoices == 0 ? .success(nil) : nil
        }

        mutating func take(
            for reader: Reader
        ) -> Batch? {
            if let ready = ready() { return ready }
            if let earlier = self.reader {
                // A second pending call is a mistake of the caller; the first one must not hang.
                earlier.resume(returning: .failure(GatewayError(.internalError, "The answer was read twice at once.")))
            }
            self.reader = reader
            return nil
        }
    }

    private let state: Lock<State>
    private let onCancel: @Sendable () -> Void

    /// - Parameters:
    ///   - choices: After how many finished choices the answer is complete.
    ///   - onCancel: Called once, from any thread, when the reader gives up.
    init(id: String, model: String, choices: Int, onCancel: @escaping @Sendable () -> Void) {
        self.onCancel = onCancel
        state = Lock(State(events: [.started(id: id, model: model)], unfinishedChoices: choices))
    }

    // MARK: Reader

    func next() async throws(GatewayError) -> [ChatEvent]? {
        let result = await withTaskCancellationHandler {
            await withUnsafeContinuation { (reader: Reader) in
                if let ready = state.withLock({ $0.take(for: reader) }) { reader.resume(returning: ready) }
            }
        } onCancel: {
            cancel()
        }
        return try result.get()
    }

    func cancel() {
        let (first, reader) = state.withLock { state in
            let first = !state.isCancelled && state.unfinishedChoices > 0 && state.failure == nil
            state.isCancelled = true
            if first { state.failure = GatewayError(.cancelled, "The call was cancelled.") }
            defer { state.reader = nil }
            return (first, state.reader)
        }
        reader?.resume(returning: .failure(GatewayError(.cancelled, "The call was cancelled.")))
        if first { onCancel() }
    }

    // MARK: Decode thread

    /// Whether nobody waits for the rest.
    var isAbandoned: Bool { state.withLock { $0.failure != nil } }

    /// Adds text without waking the reader: that happens once per step, with ``wake()``.
    func add(_ text: String, choice: Int) {
        state.withLock { state in
            if case .text(var last, choice)? = state.events.last {
                // Taken out first, so that appending does not copy.
                state.events.removeLast()
                last += text
                state.events.append(.text(last, choice: choice))
            } else {
                state.events.append(.text(text, choice: choice))
            }
        }
    }

    /// Ends a choice; after the last one the usage follows.
    func finish(_ reason: FinishReason, choice: Int, usage: Usage) {
        state.withLock { state in
            state.events.append(.finished(reason, choice: choice))
            state.usage.promptTokens += usage.promptTokens
            state.usage.cachedPromptTokens += usage.cachedPromptTokens
            state.usage.completionTokens += usage.completionTokens
            state.unfinishedChoices -= 1
            if state.unfinishedChoices == 0 { state.events.append(.usage(state.usage)) }
        }
    }

    /// Ends the answer with an error; events that came before it are still delivered.
    func fail(_ error: GatewayError) {
        state.withLock { state in
            if state.failure == nil, state.unfinishedChoices > 0 { state.failure = error }
        }
        wake()
    }

    /// Hands the reader what has come, if it waits.
    func wake() {
        let ready = state.withLock { state -> (Reader, Batch)? in
            guard let reader = state.reader, let ready = state.ready() else { return nil }
            state.reader = nil
            return (reader, ready)
        }
        if let (reader, result) = ready { reader.resume(returning: result) }
    }
}

#endif
