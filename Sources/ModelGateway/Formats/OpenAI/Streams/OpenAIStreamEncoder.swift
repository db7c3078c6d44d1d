// Writes a streamed chat completion or completion in OpenAI's format: events in, bytes out.

import GatewayWire

/// Turns ``ChatEvent``s into the bytes of an event stream for a client of OpenAI's API.
package struct OpenAIStreamEncoder: StreamEncoder {
    /// Which of the two streaming endpoints the client called.
    package enum Kind: Sendable {
        /// `/v1/chat/completions`.
        case chat
        /// `/v1/completions`.
        case completion
    }

    private let kind: Kind
    private let includeUsage: Bool
    private var head: AnswerHead
    private var usage: Usage?
    private var announcedRoles: Set<Int> = []
    /// Fields of the answer that are in each chunk from now on.
    private var answerScalars: [JSONMember] = []
    /// Fields of the answer that go out with the next chunk, because they come once.
    private var answerFields: [JSONMember] = []
    /// Fields of choices that go out with their next chunks.
    private var choiceFields: [Int: [JSONMember]] = [:]

    /// Creates an encoder for one answer.
    /// - Parameters:
    ///   - head: Used for what the events do not bring.
    ///   - includeUsage: Whether the client asked for a chunk with the usage.
    package init(kind: Kind, head: AnswerHead, includeUsage: Bool) {
        self.kind = kind
        self.head = head
        self.includeUsage = includeUsage
    }

    /// Appends the chunks of an event.
    package mutating func encode(_ event: ChatEvent, into bytes: inout [UInt8]) {
        switch event {
        case .started(let id, let model, let created):
            if !id.isEmpty { head.id = id }
            if !model.isEmpty { head.model = model }
            if created != 0 { head.created = created }
        case .text(let text, let choice):
            content("content", text, choice, &bytes)
        case .reasoning(let text, let choice):
            if kind == .chat { content("reasoning_content", text, choice, &bytes) }
        case .refusal(let text, let choice):
            if kind == .chat { content("refusal", text, choice, &bytes) }
        case .toolCall(let delta, let choice):
            if kind == .chat { toolCall(delta, choice, &bytes) }
        case .finished(let reason, let choice):
            announceRole(choice, &bytes)
            silentChunk(choice, finishReason: reason, &bytes)
        case .usage(let usage):
            self.usage = usage
        case .fields(let fields, at: .answer):
            take(fields)
        case .fields(let fields, at: .choice(let choice)):
            choiceFields[choice, default: []].merge(fields, by: .joinLists)
        case .fields(let fields, at: .message(let choice)):
            if kind == .chat { message(fields, choice, &bytes) }
        }
    }

    /// Appends what has found no chunk to go with, the usage if it was asked for, and the end mark.
    package mutating func finish(into bytes: inout [UInt8]) {
        for choice in choiceFields.keys.sorted() { silentChunk(choice, finishReason: nil, &bytes) }
        let usage = includeUsage ? usage : nil
        if usage != nil || !answerFields.isEmpty {
            var json = JSONWriter()
            beginChunk(&json)
            json.key("choices")
            json.beginArray()
            json.endArray()
            if let usage {
                json.key("usage")
                usage.openAI.write(to: &json)
            }
            endChunk(&json)
            SSEWriter.append(data: json.bytes, to: &bytes)
        }
        SSEWriter.appendDone(to: &bytes)
    }

    private mutating func take(_ fields: [JSONMember]) {
        for field in fields {
            if field.value.object == nil, field.value.array == nil { answerScalars.merge(field, by: .latest) }
            // Also a scalar, so that it goes out even if no other chunk follows.
            answerFields.merge(field, by: .latest)
        }
    }

    private mutating func message(_ fields: [JSONMember], _ choice: Int, _ bytes: inout [UInt8]) {
        announceRole(choice, &bytes)
        chunk(choice, finishReason: nil, &bytes) { json in
            for field in fields { json.member(field) }
        }
    }

    private mutating func content(_ name: StaticString, _ text: String, _ choice: Int, _ bytes: inout [UInt8]) {
        announceRole(choice, &bytes)
        let name = kind == .chat ? name : "text"
        chunk(choice, finishReason: nil, &bytes) { json in json.member(name, text) }
    }

    /// A chunk without anything of the answer's text.
    private mutating func silentChunk(_ choice: Int, finishReason: FinishReason?, _ bytes: inout [UInt8]) {
        let isCompletion = kind == .completion
        chunk(choice, finishReason: finishReason, &bytes) { json in
            if isCompletion { json.member("text", "") }
        }
    }

    private mutating func toolCall(_ delta: ToolCallDelta, _ choice: Int, _ bytes: inout [UInt8]) {
        announceRole(choice, &bytes)
        chunk(choice, finishReason: nil, &bytes) { json in
            json.key("tool_calls")
            json.beginArray()
            json.beginObject()
            json.member("index", delta.index)
            if let id = delta.id {
                json.member("id", id)
                json.member("type", literal: "function")
            }
            json.key("function")
            json.beginObject()
            if let name = delta.name { json.member("name", name) }
            json.member("arguments", delta.arguments)
            for field in delta.extra.last(where: { $0.name == "function" })?.value.object ?? [] { json.member(field) }
            json.endObject()
            for field in delta.extra where field.name != "function" { json.member(field) }
            json.endObject()
            json.endArray()
        }
    }

    /// The first chunk of a conversation's choice says who speaks.
    private mutating func announceRole(_ choice: Int, _ bytes: inout [UInt8]) {
        guard kind == .chat, announcedRoles.insert(choice).inserted else { return }
        chunk(choice, finishReason: nil, &bytes) { json in
            json.member("role", literal: "assistant")
            json.member("content", "")
        }
    }

    /// One chunk with one choice; `content` writes the members of the delta, or of the choice in a completion.
    private mutating func chunk(
        _ choice: Int,
        finishReason: FinishReason?,
        _ bytes: inout [UInt8],
        content: (inout JSONWriter) -> Void
    ) {
        var json = JSONWriter()
        beginChunk(&json)
        json.key("choices")
        json.beginArray()
        json.beginObject()
        json.member("index", choice)
        if kind == .chat {
            json.key("delta")
            json.beginObject()
            content(&json)
            json.endObject()
        } else {
            content(&json)
        }
        let fields = choiceFields.removeValue(forKey: choice) ?? []
        json.key("logprobs")
        (fields.last { $0.name == "logprobs" }?.value ?? .null).write(to: &json)
        json.key("finish_reason")
        if let finishReason { json.string(finishReason.rawValue) } else { json.null() }
        for field in fields where field.name != "logprobs" { json.member(field) }
        json.endObject()
        json.endArray()
        endChunk(&json)
        SSEWriter.append(data: json.bytes, to: &bytes)
    }

    private func beginChunk(_ json: inout JSONWriter) {
        json.beginObject()
        json.member("id", head.id)
        json.member("object", literal: kind == .chat ? "chat.completion.chunk" : "text_completion")
        json.member("created", head.created)
        json.member("model", head.model)
        for field in answerScalars { json.member(field) }
    }

    private mutating func endChunk(_ json: inout JSONWriter) {
        for field in answerFields where field.value.object != nil || field.value.array != nil { json.member(field) }
        answerFields = []
        json.endObject()
    }
}

extension JSONWriter {
    fileprivate mutating func member(_ field: JSONMember) {
        key(field.name)
        field.value.write(to: &self)
    }
}
