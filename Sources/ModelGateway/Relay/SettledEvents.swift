// The events of an attempt on their way to the embedding program, and the settlement of the call at their end.

import GatewayWire
import Synchronization

/// Passes a provider's events on and settles the call when they end.
final class SettledEvents: ChatEventSource {
    private let source: any ChatEventSource
    private let call: CallSettlement
    private let state: Lock<State>

    private struct State {
        /// What was read while waiting for the first piece of the answer.
        var held: [ChatEvent]
        var usage: Usage?
        var hasEnded = false
    }

    private init(source: any ChatEventSource, held: [ChatEvent], call: CallSettlement) {
        self.source = source
        self.call = call
        state = Lock(State(held: held, usage: held.lastUsage))
    }

    deinit {
        cancel()
    }

    /// Reads until the first piece of the answer is there, so that until then another deployment can take over.
    /// - Throws: What the provider reported; ``GatewayError/Code/malformedResponse`` if its answer ends without any piece.
    static func primed(
        _ source: any ChatEventSource,
        call: CallSettlement
    ) async throws(GatewayError) -> SettledEvents {
        var held: [ChatEvent] = []
        while !held.contains(where: \.isContent) {
            let events: [ChatEvent]?
            do {
                events = try await source.next()
            } catch {
                source.cancel()
                throw error
            }
            guard let events else { throw .emptyAnswer }
            held += events
        }
        call.firstToken()
        return SettledEvents(source: source, held: held, call: call)
    }

    func next() async throws(GatewayError) -> [ChatEvent]? {
        let (held, hasEnded) = state.withLock { state in
            let held = state.held
            state.held = []
            return (held, state.hasEnded)
        }
        if !held.isEmpty { return held }
        guard !hasEnded else { return nil }
        do {
            guard let events = try await source.next() else {
                end(.success)
                return nil
            }
            if let usage = events.lastUsage { state.withLock { $0.usage = usage } }
            return events
        } catch {
            end(error.code == .cancelled ? .cancelled : .failure(error))
            throw call.masked(error)
        }
    }

    func cancel() {
        source.cancel()
        end(.cancelled)
    }

    private func end(_ outcome: CallSettlement.Outcome) {
        let usage = state.withLock { state in
            state.hasEnded = true
            return state.usage
        }
        call.settle(outcome, usage: usage)
    }
}

/// A call that is made when its events are first asked for.
final class DeferredCall: ChatEventSource {
    private let open: @Sendable () async throws(GatewayError) -> any ChatEventSource
    private let state = Lock(State.idle)

    private enum State {
        case idle
        case open(any ChatEventSource)
        case cancelled
    }

    init(_ open: @escaping @Sendable () async throws(GatewayError) -> any ChatEventSource) {
        self.open = open
    }

    func next() async throws(GatewayError) -> [ChatEvent]? {
        let source: any ChatEventSource
        switch state.withLock({ $0 }) {
        case .open(let opened): source = opened
        case .cancelled: throw GatewayError(.cancelled, "The call was cancelled.")
        case .idle:
            source = try await open()
            let isCancelled = state.withLock { state in
                if case .cancelled = state { return true }
                state = .open(source)
                return false
            }
            if isCancelled {
                source.cancel()
                throw GatewayError(.cancelled, "The call was cancelled.")
            }
        }
        return try await source.next()
    }

    func cancel() {
        let previous = state.withLock { state in
            let previous = state
            state = .cancelled
            return previous
        }
        if case .open(let source) = previous { source.cancel() }
    }
}

extension [ChatEvent] {
    fileprivate var lastUsage: Usage? {
        for case .usage(let usage) in reversed() { return usage }
        return nil
    }
}

extension ChatEvent {
    fileprivate var isContent: Bool {
        switch self {
        case .started, .usage, .fields(_, at: .answer), .fields(_, at: .choice): false
        default: true
        }
    }
}
