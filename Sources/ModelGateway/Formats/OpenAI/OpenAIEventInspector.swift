// What a relay must know of each event of an OpenAI-shaped stream that passes through: found without building anything.

import GatewayWire

/// Looks at the events of one stream, in order.
package struct OpenAIEventInspector: Sendable {
    /// What an event is to a relay.
    package enum Kind: Sendable {
        /// Nothing of the answer yet: who speaks, an empty delta.
        case preamble
        /// A piece of the answer, or its end.
        case content
        /// The usage of the call and nothing else.
        case usage
        /// The end mark.
        case done
        /// An error object.
        case error
        /// Not JSON.
        case broken
    }

    /// Whether a choice said why it ended.
    package private(set) var hasFinished = false
    /// Whether the end mark came.
    package private(set) var isDone = false
    /// The last usage that an event carried.
    package private(set) var usage: Usage?

    package init() {}

    /// Whether the stream may end here: the end mark came, or at least a finish reason.
    package var isComplete: Bool { isDone || hasFinished }

    /// Looks at the data of the next event.
    package mutating func inspect(_ data: UnsafeRawBufferPointer) -> Kind {
        if data.equals("[DONE]") {
            isDone = true
            return .done
        }
        var scanner = JSONScanner(data)
        do {
            return try scan(&scanner)
        } catch {
            return .broken
        }
    }

    private mutating func scan(_ scanner: inout JSONScanner) throws(JSONError) -> Kind {
        var hasContent = false
        var hasChoices = false
        var hasError = false
        var usageSlice: JSONSlice?
        try scanner.beginObject()
        while let key = try scanner.nextMember() {
            if key.equals("choices", in: scanner.bytes), try scanner.peekKind() == .array {
                try scanner.beginArray()
                while try scanner.nextElement() {
                    hasChoices = true
                    if try scanChoice(&scanner) { hasContent = true }
                }
            } else {
                let value = try scanner.nextValue()
                if value.kind == .null { continue }
                if key.equals("usage", in: scanner.bytes) { usageSlice = value }
                if key.equals("error", in: scanner.bytes) { hasError = true }
            }
        }
        if let usageSlice { usage = Usage(openAI: usageSlice, in: scanner.bytes) ?? usage }
        if hasError { return .error }
        if hasContent { return .content }
        return usageSlice != nil && !hasChoices ? .usage : .preamble
    }

    /// Whether a choice carries a piece of the answer, or its end.
    private mutating func scanChoice(_ scanner: inout JSONScanner) throws(JSONError) -> Bool {
        guard try scanner.peekKind() == .object else {
            try scanner.skipValue()
            return false
        }
        var hasContent = false
        try scanner.beginObject()
        while let key = try scanner.nextMember() {
            let isDelta = key.equals("delta", in: scanner.bytes)
            if isDelta, try scanner.peekKind() == .object {
                if try scanDelta(&scanner) { hasContent = true }
                continue
            }
            let value = try scanner.nextValue()
            if key.equals("finish_reason", in: scanner.bytes) {
                if value.kind == .string, !value.contents.isEmpty {
                    hasFinished = true
                    hasContent = true
                }
            } else if key.equals("text", in: scanner.bytes), !value.isEmptyJSON {
                hasContent = true
            }
        }
        return hasContent
    }

    private func scanDelta(_ scanner: inout JSONScanner) throws(JSONError) -> Bool {
        var hasContent = false
        try scanner.beginObject()
        while let key = try scanner.nextMember() {
            let value = try scanner.nextValue()
            if !value.isEmptyJSON, !key.equals("role", in: scanner.bytes) { hasContent = true }
        }
        return hasContent
    }
}

extension JSONSlice {
    /// Whether the value is null, an empty string, or an empty container without white space in it.
    fileprivate var isEmptyJSON: Bool {
        switch kind {
        case .null: true
        case .string, .array, .object: end - start == 2
        default: false
        }
    }
}
