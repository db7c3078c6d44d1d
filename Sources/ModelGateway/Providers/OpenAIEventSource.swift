// The events of a remote chat completion, decoded while they arrive.

import Synchronization

/// Decodes a provider's event stream of OpenAI's format.
final class OpenAIEventSource: ChatEventSource {
    private let body: any ByteStream
    private let decoder = Mutex<OpenAIStreamDecoder?>(OpenAIStreamDecoder())

    init(body: any ByteStream) {
        self.body = body
    }

    func next() async throws(GatewayError) -> [ChatEvent]? {
        while let decoder = decoder.withLock({ $0 }) {
            guard let bytes = try await body.next() else {
                self.decoder.withLock { $0 = nil }
                guard decoder.isDone || decoder.isComplete else { throw .truncatedStream }
                return nil
            }
            let events = try self.decoder.withLock { state throws(GatewayError) -> [ChatEvent] in
                guard var decoder = state.take() else { return [] }
                let events = try decoder.feed(bytes)
                if decoder.isDone { body.discard() } else { state = decoder }
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
    private let events: Mutex<[ChatEvent]?>

    init(_ response: ChatResponse) {
        events = Mutex(response.events)
    }

    func next() async throws(GatewayError) -> [ChatEvent]? {
        events.withLock { $0.take() }
    }

    func cancel() {}
}

extension ChatResponse {
    /// The events that a streamed answer of the same content has.
    package var events: [ChatEvent] {
        var events: [ChatEvent] = [.started(id: id, model: model)]
        for choice in choices {
            if let reasoning = choice.message.reasoning { events.append(.reasoning(reasoning, choice: choice.index)) }
            if !choice.message.text.isEmpty { events.append(.text(choice.message.text, choice: choice.index)) }
            if let refusal = choice.refusal { events.append(.refusal(refusal, choice: choice.index)) }
            for (index, call) in choice.message.toolCalls.enumerated() {
                let delta = ToolCallDelta(index: index, id: call.id, name: call.name, arguments: call.arguments)
                events.append(.toolCall(delta, choice: choice.index))
            }
            events.append(.finished(choice.finishReason, choice: choice.index))
        }
        if let usage { events.append(.usage(usage)) }
        return events
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
