// The events of a provider on their way to a client of another format, or from a model in this process.

import GatewayWire
import Synchronization

/// Writes the events of an attempt in the client's format while they arrive, and ends a broken answer with an error.
final class TranslatedStream: ByteStream {
    private let events: SettledEvents
    private let format: any Format
    private let state: Lock<State>

    private struct State {
        var encoder: any StreamEncoder
        var hasEnded = false

        /// What tells the client of these events; of the end, if there are none.
        mutating func write(_ events: [ChatEvent]?) -> [UInt8] {
            var output: [UInt8] = []
            if let events {
                for event in events { encoder.encode(event, into: &output) }
            } else {
                encoder.finish(into: &output)
                hasEnded = true
            }
            return output
        }
    }

    /// Creates a stream.
    /// - Parameters:
    ///   - events: What the provider says, of which a first piece is there.
    ///   - encoder: What writes it for the client.
    ///   - format: The client's.
    init(_ events: SettledEvents, encoder: any StreamEncoder, _ format: any Format) {
        self.events = events
        self.format = format
        state = Lock(State(encoder: encoder))
    }

    func next() async throws(GatewayError) -> [UInt8]? {
        while !state.withLock(\.hasEnded) {
            let output: [UInt8]
            do {
                let events = try await events.next()
                output = state.withLock { $0.write(events) }
            } catch {
                state.withLock { $0.hasEnded = true }
                if error.code == .cancelled { throw error }
                return format.event(of: error)
            }
            if !output.isEmpty { return output }
        }
        return nil
    }

    func cancel() {
        events.cancel()
    }
}
