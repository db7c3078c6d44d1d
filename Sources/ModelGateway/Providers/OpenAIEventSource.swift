// The events of a remote chat completion, decoded while they arrive.

import GatewayWire
import Synchronization

/// Decodes a provider's event stream of OpenAI's format.
final class OpenAIEventSource: ChatEventSource {
    private let body: any ByteStream
    private let state: Lock<State?>

    private struct State {
        var decoder = OpenAIStreamDecoder()
        /// What was read before the stream was known to be one.
        var unread: [UInt8]?
    }

    init(_ answer: OpenedAnswer) {
        body = answer.body
        state = Lock(State(unread: answer.first))
    }

    func next() async throws(GatewayError) -> [ChatEvent]? {
        while let (decoder, unread) = state.withLock({ $0.map { ($0.decoder, $0.unread) } }) {
            guard let bytes = if let unread { unread } else { try await body.next() } else {
                state.withLock { $0 = nil }
                guard decoder.isDone || decoder.isComplete else {
                    var cut = decoder
                    throw cut.truncation()
                }
                return nil
            }
            let events = try state.withLock { state throws(GatewayError) -> [ChatEvent] in
                guard var next = state.take() else { return [] }
                next.unread = nil
                let events = try next.decoder.feed(bytes)
                if next.decoder.isDone { body.discard() } else { state = next }
                return events
            }
            if !events.isEmpty { return events }
        }
        return nil
    }

    func cancel() {
        body.cancel()
    }
}

/// Hands out a whole answer as the events of a stream.
final class ChatEventReplay: ChatEventSource {
    private let events: Lock<[ChatEvent]?>

    init(_ response: ChatResponse) {
        events = Lock(response.events)
    }

    func next() async throws(GatewayError) -> [ChatEvent]? {
        events.withLock { $0.take() }
    }

    func cancel() {}
}

extension ChatResponse {
    /// The events that a streamed answer of the same content has.
    package var events: [ChatEvent] {
        var events: [ChatEvent] = [.started(id: id, model: model, created: created)]
        if !extra.isEmpty { events.append(.fields(extra, at: .answer)) }
        for choice in choices {
            if !choice.extra.isEmpty { events.append(.fields(choice.extra, at: .choice(choice.index))) }
            let fields = choice.message.fieldsBesideText
            if !fields.isEmpty { events.append(.fields(fields, at: .message(choice: choice.index))) }
            if let reasoning = choice.message.reasoning { events.append(.reasoning(reasoning, choice: choice.index)) }
            if !choice.message.text.isEmpty { events.append(.text(choice.message.text, choice: choice.index)) }
            if let refusal = choice.refusal { events.append(.refusal(refusal, choice: choice.index)) }
            for (index, call) in choice.message.toolCalls.enumerated() {
                let delta = ToolCallDelta(
                    index: index,
                    id: call.id,
                    name: call.name,
                    arguments: call.arguments,
                    extra: call.extra
                )
                events.append(.toolCall(delta, choice: choice.index))
            }
            events.append(.finished(choice.finishReason, choice: choice.index))
        }
        if let usage { events.append(.usage(usage)) }
        return events
    }
}

extension ChatMessage {
    /// What no event for text has a place for.
    fileprivate var fieldsBesideText: [JSONMember] {
        let others = content.filter { if case .text = $0 { false } else { true } }
        return others.isEmpty ? extra : extra + [JSONMember("content", .array(others.map(\.openAI)))]
    }
}

extension GatewayError {
    /// A stream that ended before its format's end mark.
    package static var truncatedStream: GatewayError {
        GatewayError(
            .truncatedResponse,
            "The provider's stream ended before the answer was complete.",
            requestWasSent: true
        )
    }
}
