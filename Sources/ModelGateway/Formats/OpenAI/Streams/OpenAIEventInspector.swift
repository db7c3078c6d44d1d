// What a relay must know of each event of an OpenAI-shaped stream that passes through: found without building anything.

import GatewayWire

/// Looks at the events of one stream, in order.
package struct OpenAIEventInspector: EventInspector {
    /// Whether a choice carried a piece of the answer, or its end.
    package private(set) var hasContent = false
    /// Whether a choice said why it ended.
    package private(set) var hasFinished = false
    /// Whether the end mark came.
    package private(set) var isDone = false
    /// Whether the event that was looked at last carries usage.
    package private(set) var carriesUsage = false
    /// The last usage that an event carried.
    package private(set) var usage: Usage?

    package init() {}

    /// Whether the stream may end here: the end mark came, or at least a finish reason.
    package var isComplete: Bool { isDone || hasFinished }

    /// Looks at the data of the next event.
    package mutating func inspect(_ data: UnsafeRawBufferPointer) -> EventKind {
        carriesUsage = false
        if data.equals("[DONE]") {
            isDone = true
            return .done
        }
        var scanner = JSONScanner(data)
        do {
            return try scan(&scanner)
        } catch {
            // Some providers put a list around their errors.
            return data.first == UInt8(ascii: "[") ? .suspect : .broken
        }
    }

    package func withoutUsage(_ data: [UInt8]) -> [UInt8]? { OpenAIUsageChunk.withoutUsage(data) }

    private mutating func scan(_ scanner: inout JSONScanner) throws(JSONError) -> EventKind {
        var choices: Choices?
        var hasError = false
        var usageSlice: JSONSlice?
        try scanner.beginObject()
        while let key = try scanner.nextMember() {
            if key.equals("choices", in: scanner.bytes), try scanner.peekKind() == .array {
                choices = try scanChoices(&scanner)
            } else {
                let value = try scanner.nextValue()
                if value.kind == .null { continue }
                if key.equals("usage", in: scanner.bytes) { usageSlice = value }
                if key.equals("error", in: scanner.bytes) { hasError = true }
            }
        }
        if let usageSlice {
            carriesUsage = true
            usage = Usage(openAI: usageSlice, in: scanner.bytes) ?? usage
        }
        if choices == .content { hasContent = true }
        if hasError || choices == nil && usageSlice == nil { return .suspect }
        if choices == .content { return .content }
        return usageSlice != nil && choices != .empty ? .usage : .preamble
    }

    /// What the choices of an event are.
    private enum Choices {
        /// There is none.
        case absent
        /// There are some, but nothing is in them.
        case empty
        /// At least one carries a piece of the answer, or its end.
        case content
    }

    private mutating func scanChoices(_ scanner: inout JSONScanner) throws(JSONError) -> Choices {
        var choices = Choices.absent
        try scanner.beginArray()
        while try scanner.nextElement() {
            let choice = try OpenAIChoiceFacts(&scanner)
            if choice.hasFinished { hasFinished = true }
            if choice.hasContent { choices = .content } else if choices == .absent { choices = .empty }
        }
        return choices
    }
}
