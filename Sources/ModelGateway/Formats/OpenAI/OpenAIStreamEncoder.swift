// Writes a streamed chat completion or completion in OpenAI's format: events in, bytes out.

import GatewayWire

/// Turns ``ChatEvent``s into the bytes of an event stream for a client of OpenAI's API.
package struct OpenAIStreamEncoder {
    /// Which of the two streaming endpoints the client called.
    package enum Kind: Sendable {
        /// `/v1/chat/completions`.
        case chat
        /// `/v1/completions`.
        case completion
    }

    private let kind: Kind
    private let includeUsage: Bool
    private let created: Int
    private var id: String
    private var model: String
    private var usage: Usage?
    private var announcedRoles: Set<Int> = []

    /// Creates an encoder for one answer.
    /// - Parameters:
    ///   - id: The answer's id, used if the events bring none.
    ///   - model: The model's name, used if the events bring none.
    ///   - created: Seconds since 1970 at which the answer was begun.
    ///   - includeUsage: Whether the client asked for a chunk with the usage.
    package init(kind: Kind, id: String, model: String, created: Int, includeUsage: Bool) {
        self.kind = kind
        self.id = id
        self.model = model
        self.created = created
        self.includeUsage = includeUsage
    }

    /// Appends the chunks of an event.
    package mutating func encode(_ event: ChatEvent, into bytes: inout [UInt8]) {
        switch event {
        case .started(let id, let model):
            if !id.isEmpty { self.id = id }
            if !model.isEmpty { self.model = model }
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
            chunk(choice, finishReason: reason, &bytes) { json in
                if kind == .completion { json.member("text", "") }
            }
        case .usage(let usage):
            self.usage = usage
        }
    }

    /// Appends the usage chunk, if it was asked for, and the end mark.
    package func finish(into bytes: inout [UInt8]) {
        if includeUsage, let usage {
            var json = JSONWriter()
            beginChunk(&json)
            json.key("choices")
            json.beginArray()
            json.endArray()
            json.key("usage")
            usage.openAI.write(to: &json)
            json.endObject()
            SSEWriter.append(data: json.bytes, to: &bytes)
        }
        SSEWriter.append(data: Array("[DONE]".utf8), to: &bytes)
    }

    private mutating func content(_ name: StaticString, _ text: String, _ choice: Int, _ bytes: inout [UInt8]) {
        announceRole(choice, &bytes)
        chunk(choice, finishReason: nil, &bytes) { json in
            json.member(kind == .chat ? name : "text", text)
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
            json.endObject()
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
    private func chunk(
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
        json.key("logprobs")
        json.null()
        json.key("finish_reason")
        if let finishReason { json.string(finishReason.rawValue) } else { json.null() }
        json.endObject()
        json.endArray()
        json.endObject()
        SSEWriter.append(data: json.bytes, to: &bytes)
    }

    private func beginChunk(_ json: inout JSONWriter) {
        json.beginObject()
        json.member("id", id)
        json.member("object", literal: kind == .chat ? "chat.completion.chunk" : "text_completion")
        json.member("created", created)
        json.member("model", model)
    }
}
