// The events of a provider on their way to a client of another format, or from a model in this process.

import GatewayWire
import Synchronization

/// Writes a provider's events in the client's format while they arrive.
///
/// Like a relay it waits for the first piece of the answer before anything goes to the client, and ends a broken answer
/// with an error event.
final class TranslatedStream: ByteStream {
    private let source: any ChatEventSource
    private let call: CallSettlement
    private let state: Lock<State>

    private struct State: ~Copyable {
        var encoder: OpenAIStreamEncoder
        var output: [UInt8] = []
        var usage: Usage?
        var hasContent = false
        var hasEnded = false

        init(encoder: OpenAIStreamEncoder) {
            self.encoder = encoder
        }

        mutating func take(_ events: [ChatEvent]) {
            for event in events {
                switch event {
                case .started, .fields(_, at: .answer), .fields(_, at: .choice): break
                case .usage(let usage): self.usage = usage
                default: hasContent = true
                }
                encoder.encode(event, into: &output)
            }
        }

        mutating func takeOutput() -> [UInt8]? {
            guard !output.isEmpty else { return nil }
            var bytes: [UInt8] = []
            swap(&bytes, &output)
            return bytes
        }
    }

    init(source: any ChatEventSource, encoder: OpenAIStreamEncoder, call: CallSettlement) {
        self.source = source
        self.call = call
        state = Lock(State(encoder: encoder))
    }

    deinit {
        cancel()
    }

    /// Reads until the first piece of the answer is there.
    /// - Throws: What the provider reported: nothing has gone to the client yet.
    func prime() async throws(GatewayError) {
        do {
            while state.withLock({ !$0.hasContent && !$0.hasEnded }) { try await pull() }
        } catch {
            call.abandon(error)
            source.cancel()
            throw error
        }
        call.firstToken()
    }

    func next() async throws(GatewayError) -> [UInt8]? {
        while true {
            if let output = state.withLock({ $0.takeOutput() }) { return output }
            if state.withLock({ $0.hasEnded }) { return nil }
            do {
                try await pull()
            } catch {
                if error.code == .cancelled {
                    end(.cancelled)
                    throw error
                }
                end(.failure(error))
                return WireFormat.openAI.errorEvent(for: call.masked(error))
            }
        }
    }

    func cancel() {
        source.cancel()
        call.settle(.cancelled, usage: state.withLock { $0.usage })
    }

    private func pull() async throws(GatewayError) {
        if let events = try await source.next() {
            state.withLock { $0.take(events) }
        } else {
            guard state.withLock({ $0.hasContent }) else { throw .emptyAnswer }
            state.withLock { $0.encoder.finish(into: &$0.output) }
            end(.success)
        }
    }

    private func end(_ outcome: CallSettlement.Outcome) {
        let usage = state.withLock { state in
            state.hasEnded = true
            return state.usage
        }
        call.settle(outcome, usage: usage)
    }
}
