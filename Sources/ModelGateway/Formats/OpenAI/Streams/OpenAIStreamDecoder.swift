// Reads a streamed chat completion or completion of OpenAI's format: bytes in at any partition, events out.

/// Turns the bytes of a provider's event stream into ``ChatEvent``s.
package struct OpenAIStreamDecoder: StreamDecoder {
    private var reader = OpenAIChunkReader()
    private var started = false
    private var toolCallsSeen: Set<Int> = []
    private var finished: Set<Int> = []
    private var choicesSeen: Set<Int> = []
    /// The fields of the answer that were reported, as they were last.
    private var answerFields: [String: JSONValue] = [:]

    package init() {}

    /// Whether the stream said `[DONE]`; what follows is ignored.
    package var isDone: Bool { reader.isDone }

    /// Whether the answer is complete: every choice that began has finished.
    package var isComplete: Bool { !finished.isEmpty && choicesSeen.isSubset(of: finished) }

    /// Takes in more bytes and returns the events that they complete.
    /// - Throws: What ``OpenAIChunkReader/feed(_:)`` throws.
    package mutating func feed(_ bytes: [UInt8]) throws(GatewayError) -> [ChatEvent] {
        var events: [ChatEvent] = []
        for chunk in try reader.feed(bytes) { decode(chunk, into: &events) }
        return events
    }

    /// What is wrong with a stream that ended too early.
    package mutating func truncation() -> GatewayError { reader.truncation() }

    private mutating func decode(_ json: JSONValue, into events: inout [ChatEvent]) {
        if !started {
            started = true
            events.append(
                .started(
                    id: json["id"]?.string ?? "",
                    model: json["model"]?.string ?? "",
                    created: json["created"]?.int ?? 0
                )
            )
        }
        // Most are the same in each chunk.
        let fields = OpenAIAnswerFields.beside(OpenAIAnswerFields.answer, in: json)
            .filter { answerFields.updateValue($0.value, forKey: $0.name) != $0.value }
        if !fields.isEmpty { events.append(.fields(fields, at: .answer)) }
        for choice in json["choices"]?.array ?? [] { decode(choice: choice, into: &events) }
        if let usage = json["usage"].flatMap(Usage.init(openAI:)) { events.append(.usage(usage)) }
    }

    private mutating func decode(choice json: JSONValue, into events: inout [ChatEvent]) {
        let choice = json["index"]?.int ?? 0
        choicesSeen.insert(choice)
        let delta = json["delta"] ?? .null
        let content = OpenAIAnswerContent(delta["content"] ?? json["text"] ?? .null)
        let ofChoice = OpenAIAnswerFields.beside(OpenAIAnswerFields.choice, in: json)
        if !ofChoice.isEmpty { events.append(.fields(ofChoice, at: .choice(choice))) }
        var ofMessage = OpenAIAnswerFields.beside(OpenAIAnswerFields.message, in: delta)
        if !content.others.isEmpty { ofMessage.append(JSONMember("content", .array(content.others))) }
        if !ofMessage.isEmpty { events.append(.fields(ofMessage, at: .message(choice: choice))) }
        func text(_ value: JSONValue?) -> String? { value?.string.flatMap { $0.isEmpty ? nil : $0 } }
        if let text = text(delta["reasoning_content"]) ?? text(delta["reasoning"]) ?? content.reasoning {
            events.append(.reasoning(text, choice: choice))
        }
        if !content.text.isEmpty { events.append(.text(content.text, choice: choice)) }
        if let text = text(delta["refusal"]) { events.append(.refusal(text, choice: choice)) }
        for (position, call) in (delta["tool_calls"]?.array ?? []).enumerated() {
            toolCallsSeen.insert(choice)
            events.append(.toolCall(ToolCallDelta(openAI: call, position: position), choice: choice))
        }
        if let reason = text(json["finish_reason"]), finished.insert(choice).inserted {
            let reason = FinishReason(openAI: reason, hasToolCalls: toolCallsSeen.contains(choice))
            events.append(.finished(reason, choice: choice))
        }
    }
}

extension ToolCallDelta {
    fileprivate init(openAI json: JSONValue, position: Int) {
        let arguments = json["function"]?["arguments"]
        let text =
            arguments?.string
            ?? arguments?.object.map { String(decoding: JSONValue.object($0).serialized(), as: UTF8.self) }
        self.init(
            index: json["index"]?.int ?? position,
            id: json["id"]?.string,
            name: json["function"]?["name"]?.string,
            arguments: text ?? "",
            extra: FunctionExtra(of: json, known: FunctionExtra.knownOfCall).members
        )
    }
}
