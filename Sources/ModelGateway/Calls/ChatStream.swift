// A streamed answer as an asynchronous sequence, and the pull source behind it.

/// A producer of chat events that is pulled, so that a slow consumer slows it down.
public protocol ChatEventSource: AnyObject, Sendable {
    /// The next batch of events, never empty, or nil after the answer is complete.
    ///
    /// Must not be called again while a call is pending. Ends with nil only after every choice has finished; an answer
    /// that was cut throws ``GatewayError/Code/truncatedResponse``.
    func next() async throws(GatewayError) -> [ChatEvent]?

    /// Gives the answer up: the upstream call is closed, or the local model stops at the next token. Idempotent.
    func cancel()
}

/// A streamed answer.
///
/// Iterate it once. Leaving the loop, dropping the iterator or cancelling the task ends the call upstream.
public struct ChatStream: AsyncSequence, Sendable {
    public typealias Element = ChatEvent
    public typealias Failure = GatewayError

    private let source: any ChatEventSource

    /// Wraps a source of events.
    public init(_ source: any ChatEventSource) {
        self.source = source
    }

    public func makeAsyncIterator() -> Iterator {
        Iterator(source: source)
    }

    /// Takes the events one by one, out of the batches in which they arrive.
    public struct Iterator: AsyncIteratorProtocol {
        private let guardian: Guardian
        private var batch: ArraySlice<ChatEvent> = []

        fileprivate init(source: any ChatEventSource) {
            guardian = Guardian(source: source)
        }

        public mutating func next() async throws(GatewayError) -> ChatEvent? {
            if let event = batch.popFirst() { return event }
            guard let events = try await guardian.source.next() else { return nil }
            batch = events[...]
            return batch.popFirst()
        }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws(GatewayError) -> ChatEvent? {
            if let event = batch.popFirst() { return event }
            guard let events = try await guardian.source.next() else { return nil }
            batch = events[...]
            return batch.popFirst()
        }
    }

    /// Cancels the source when the iterator goes away.
    private final class Guardian: Sendable {
        let source: any ChatEventSource

        init(source: any ChatEventSource) {
            self.source = source
        }

        deinit {
            source.cancel()
        }
    }

    /// The text of the first answer, in the pieces in which it comes.
    ///
    /// ```swift
    /// for try await text in gateway.stream(request).text { print(text, terminator: "") }
    /// ```
    /// Reasoning, refusals, tool calls and further choices are left out; iterate the stream itself for those.
    public var text: some AsyncSequence<String, GatewayError> & Sendable {
        compactMap { event in
            if case .text(let text, choice: 0) = event { text } else { nil }
        }
    }

    /// The rest of the answer, put together.
    /// - Throws: What iterating would throw.
    public func collect() async throws(GatewayError) -> ChatResponse {
        var collector = ChatCollector()
        while let events = try await source.next() {
            for event in events { collector.add(event) }
        }
        return collector.response
    }
}

/// Puts the events of a streamed answer together into a whole one.
public struct ChatCollector: Sendable {
    private var id = ""
    private var model = ""
    private var choices: [Int: ChatResponse.Choice] = [:]
    private var usage: Usage?
    private var created: Int
    private var extra: [JSONMember] = []

    /// Creates a collector.
    /// - Parameter created: Seconds since 1970 at which the answer was begun, if the events do not say. Default 0.
    public init(created: Int = 0) {
        self.created = created
    }

    /// Takes in one event.
    public mutating func add(_ event: ChatEvent) {
        switch event {
        case .started(let id, let model, let created):
            self.id = id
            self.model = model
            if created != 0 { self.created = created }
        case .text(let text, let choice):
            withChoice(choice) { $0.message.append(text) }
        case .reasoning(let text, let choice):
            withChoice(choice) { $0.message.reasoning = ($0.message.reasoning ?? "") + text }
        case .refusal(let text, let choice):
            withChoice(choice) { $0.refusal = ($0.refusal ?? "") + text }
        case .toolCall(let delta, let choice):
            withChoice(choice) { $0.message.append(delta) }
        case .finished(let reason, let choice):
            withChoice(choice) { $0.finishReason = reason }
        case .usage(let usage):
            self.usage = usage
        case .fields(let fields, at: .answer):
            extra.merge(fields, by: .latest)
        case .fields(let fields, at: .choice(let choice)):
            withChoice(choice) { $0.extra.merge(fields, by: .joinLists) }
        case .fields(let fields, at: .message(let choice)):
            withChoice(choice) { $0.message.append(fields) }
        }
    }

    /// The answer as far as it has come.
    public var response: ChatResponse {
        ChatResponse(
            id: id,
            model: model,
            created: created,
            choices: choices.values.sorted { $0.index < $1.index },
            usage: usage,
            extra: extra
        )
    }

    private mutating func withChoice(_ index: Int, _ change: (inout ChatResponse.Choice) -> Void) {
        var choice =
            choices.removeValue(forKey: index)
            ?? ChatResponse.Choice(
                index: index,
                message: ChatMessage(role: .assistant, content: []),
                finishReason: FinishReason(rawValue: "")
            )
        change(&choice)
        choices[index] = choice
    }
}

extension ChatMessage {
    fileprivate mutating func append(_ text: String) {
        if case .text(var last) = content.last {
            content.removeLast()
            last += text
            content.append(.text(last))
        } else {
            content.append(.text(text))
        }
    }

    fileprivate mutating func append(_ delta: ToolCallDelta) {
        while toolCalls.count <= delta.index, toolCalls.count < 1024 {
            toolCalls.append(ToolCall(id: "", name: "", arguments: ""))
        }
        guard toolCalls.indices.contains(delta.index) else { return }
        if let id = delta.id { toolCalls[delta.index].id = id }
        if let name = delta.name { toolCalls[delta.index].name = name }
        toolCalls[delta.index].arguments += delta.arguments
        toolCalls[delta.index].extra.merge(delta.extra, by: .joinTexts)
    }

    fileprivate mutating func append(_ fields: [JSONMember]) {
        for field in fields {
            if field.name == "content", let parts = field.value.array {
                content += parts.map(Part.other)
            } else {
                extra.merge(field, by: .joinTexts)
            }
        }
    }
}
