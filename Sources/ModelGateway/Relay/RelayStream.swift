// A provider's event stream on its way through to a client of the same format: whole events only, bytes as they came.

import GatewayWire
import Synchronization

/// Passes a provider's events on as they come in.
///
/// It holds events back until the first piece of the answer is there, so that until then another deployment can take
/// over; takes out the usage that the client did not ask for; and never lets a cut stream end like
/// a whole one.
final class RelayStream: ByteStream {
    private let upstream: any ByteStream
    /// What was read already.
    private let first: [UInt8]
    private let format: any Format
    private let call: CallSettlement
    private let state: Lock<State>

    private struct State: ~Copyable {
        var parser = SSEParser(reportsBlocksWithoutData: true)
        var filter: EventFilter
        var hasEnded = false

        /// What is wrong with a stream that ended too early: what an event says that was not ended, if it says something.
        mutating func truncation() -> GatewayError {
            var error: GatewayError?
            try? parser.finish { error = $0.upstreamError }
            return error ?? .truncatedStream
        }

        /// Takes in more of the provider's stream.
        mutating func feed(_ bytes: [UInt8]) {
            do {
                try parser.feed(bytes) { filter.take($0) }
            } catch {
                filter.failure = GatewayError(
                    .malformedResponse,
                    "The provider's event stream cannot be read: \(error).",
                    requestWasSent: true
                )
            }
        }
    }

    /// Creates a relay.
    /// - Parameters:
    ///   - answer: The provider's body.
    ///   - endpoint: What the client called, in the format of the answer.
    ///   - stripsUsage: Whether the client did not ask for the usage event.
    ///   - call: What to settle at the end.
    init(
        _ answer: OpenedAnswer,
        _ format: any Format,
        at endpoint: Endpoint,
        stripsUsage: Bool,
        call: CallSettlement
    ) {
        upstream = answer.body
        first = answer.first
        self.format = format
        self.call = call
        let inspector = format.inspector(at: endpoint)
        state = Lock(State(filter: EventFilter(inspector: inspector, stripsUsage: stripsUsage)))
    }

    deinit {
        cancel()
    }

    /// Reads until the first piece of the answer is there.
    /// - Throws: What the provider reported, or how its stream broke: nothing has gone to the client yet.
    func prime() async throws(GatewayError) {
        do {
            try await readToFirstContent()
        } catch {
            call.abandon(error)
            upstream.cancel()
            throw error
        }
        call.firstToken()
    }

    private func readToFirstContent() async throws(GatewayError) {
        try feed(first)
        while state.withLock({ !$0.filter.isCommitted }) {
            guard let bytes = try await upstream.next() else {
                try state.withLock { state throws(GatewayError) in
                    guard state.filter.inspector.isComplete else { throw state.truncation() }
                }
                return
            }
            try feed(bytes)
        }
    }

    /// - Throws: What is wrong with the stream, if nothing of it may go to the client yet.
    private func feed(_ bytes: [UInt8]) throws(GatewayError) {
        try state.withLock { state throws(GatewayError) in
            state.feed(bytes)
            if let failure = state.filter.failure, !state.filter.isCommitted { throw failure }
        }
    }

    func next() async throws(GatewayError) -> [UInt8]? {
        while true {
            let (output, isOver) = advance()
            if let output { return output }
            if isOver { return nil }
            do {
                if let bytes = try await upstream.next() {
                    state.withLock { $0.feed(bytes) }
                } else {
                    endOfUpstream()
                }
            } catch {
                try upstreamFailed(error)
            }
        }
    }

    func forward(to receive: @escaping BodyReceiver) async throws(GatewayError) -> Bool {
        while true {
            let (output, isOver) = advance()
            if let output, !receive(output, isOver) { return isOver }
            if isOver { return true }
            do {
                let isWhole = try await upstream.forward { [self] bytes, _ in
                    let (output, isOver) = advance(with: bytes)
                    guard let output else { return !isOver }
                    return receive(output, isOver) && !isOver
                }
                guard isWhole else { return hasEnded }
                endOfUpstream()
            } catch {
                try upstreamFailed(error)
            }
        }
    }

    private var hasEnded: Bool { state.withLock { $0.hasEnded } }

    /// - Throws: The error, if it is that the call was given up; any other is told to the client in the stream.
    private func upstreamFailed(_ error: GatewayError) throws(GatewayError) {
        state.withLock { $0.filter.failure = error }
        guard error.code == .cancelled else { return }
        end(.cancelled)
        throw error
    }

    /// Takes in more of the provider's stream, and the end of the stream if that is reached with it.
    /// - Returns: What is ready for the client, and whether nothing will follow it.
    private func advance(with bytes: [UInt8] = []) -> (output: [UInt8]?, isOver: Bool) {
        var (output, failure, isDone, wasOver) = state.withLock { state in
            if !bytes.isEmpty { state.feed(bytes) }
            var output: [UInt8] = []
            swap(&output, &state.filter.output)
            return (output, state.filter.failure, state.filter.inspector.isDone, state.hasEnded)
        }
        if wasOver {
            isDone = true
        } else if let failure {
            isDone = true
            upstream.cancel()
            end(.failure(failure))
            output += format.event(of: call.masked(failure))
        } else if isDone {
            upstream.discard()
            end(.success)
        }
        return (output.isEmpty ? nil : output, isDone)
    }

    func cancel() {
        upstream.cancel()
        call.settle(.cancelled, usage: nil)
    }

    /// Some servers leave out the end mark; a stream without even a finish reason was cut.
    private func endOfUpstream() {
        state.withLock { state in
            if state.filter.inspector.isComplete {
                state.filter.output += format.framing.endMark
            } else {
                state.filter.failure = state.truncation()
            }
        }
        if state.withLock({ $0.filter.failure == nil }) { end(.success) }
    }

    private func end(_ outcome: CallSettlement.Outcome) {
        let usage = state.withLock { state in
            state.hasEnded = true
            return state.filter.inspector.usage
        }
        call.settle(outcome, usage: usage)
    }
}

/// What has come of the events so far.
private struct EventFilter {
    let stripsUsage: Bool
    var inspector: any EventInspector
    /// What is ready for the client.
    var output: [UInt8] = []
    /// What ends the stream once the output is gone.
    var failure: GatewayError?
    /// Whether a piece of the answer came, so that the output may go to the client.
    var isCommitted = false
    private var events = 0

    /// The most that is held back before the first piece of the answer.
    private static let mostHeldEvents = 16
    private static let mostHeldBytes = 64 << 10

    init(inspector: any EventInspector, stripsUsage: Bool) {
        self.inspector = inspector
        self.stripsUsage = stripsUsage
    }

    /// Looks at one event and appends it to the output if it goes to the client.
    mutating func take(_ event: SSEEvent) {
        guard failure == nil, !inspector.isDone else { return }
        events += 1
        if passes(event) { append(event) }
        if failure == nil, events > Self.mostHeldEvents || output.count > Self.mostHeldBytes { isCommitted = true }
    }

    private mutating func append(_ event: SSEEvent) {
        guard stripsUsage, inspector.carriesUsage, let data = event.data else {
            return output.append(contentsOf: event.raw)
        }
        guard let rest = inspector.withoutUsage(Array(data)) else { return }
        guard let range = data.range(in: event.raw) else { return SSEWriter.append(data: rest, to: &output) }
        output.append(bytes: event.raw.clamped(to: 0..<range.lowerBound))
        output += rest
        output.append(bytes: event.raw.clamped(to: range.upperBound..<event.raw.count))
    }

    private mutating func passes(_ event: SSEEvent) -> Bool {
        guard let data = event.data, !event.name.equals("error") else {
            return event.upstreamError.map { fail($0) } ?? true
        }
        switch inspector.inspect(data) {
        case .content:
            isCommitted = true
            return true
        case .done:
            guard inspector.hasContent else { return fail(.emptyAnswer) }
            isCommitted = true
            return true
        case .preamble, .usage: return true
        case .broken: return !takesMended(event)
        case .suspect:
            if let error = event.upstreamError { return fail(error) }
            if inspector.hasContent { isCommitted = true }
            return true
        }
    }

    /// Takes an event that is not all UTF-8 with what stands for the ill-formed pieces.
    /// - Returns: Whether it was such an event.
    private mutating func takesMended(_ event: SSEEvent) -> Bool {
        guard let mended = MendedText.mended(event.raw) else { return false }
        events -= 1
        // As large as it has become, so that there is no bound to exceed.
        var parser = SSEParser(maxEventSize: mended.count, reportsBlocksWithoutData: true)
        try? parser.feed(mended) { take($0) }
        return true
    }

    private mutating func fail(_ error: GatewayError) -> Bool {
        failure = error
        return false
    }
}

extension UnsafeRawBufferPointer {
    /// Where these bytes lie in others; nil if they are a copy, as the joined lines of an event are.
    fileprivate func range(in whole: UnsafeRawBufferPointer) -> Range<Int>? {
        guard let start = baseAddress, let first = whole.baseAddress else { return nil }
        let offset = start - first
        return offset >= 0 && offset + count <= whole.count ? offset..<offset + count : nil
    }
}
