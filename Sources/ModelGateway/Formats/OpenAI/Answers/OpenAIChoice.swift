// Whether a choice of an answer, whole or in a stream, carries anything: a piece of the answer, or its end.

import GatewayWire

/// What a choice carries, found without building anything.
struct OpenAIChoiceFacts {
    /// Whether it carries a piece of the answer, or its end.
    var hasContent = false
    /// Whether it says why the answer ended.
    var hasFinished = false

    /// Reads the choice that the scanner stands before.
    init(_ scanner: inout JSONScanner) throws(JSONError) {
        guard try scanner.peekKind() == .object else {
            try scanner.skipValue()
            return
        }
        try scanner.beginObject()
        while let key = try scanner.nextMember() {
            let isMessage = key.equals("delta", in: scanner.bytes) || key.equals("message", in: scanner.bytes)
            if isMessage, try scanner.peekKind() == .object {
                if try Self.scanMessage(&scanner) { hasContent = true }
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
    }

    private static func scanMessage(_ scanner: inout JSONScanner) throws(JSONError) -> Bool {
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
    var isEmptyJSON: Bool {
        switch kind {
        case .null: true
        case .string, .array, .object: end - start == 2
        default: false
        }
    }
}

extension JSONValue {
    /// Whether the value is a choice that carries a piece of the answer, or its end.
    var carriesAnswer: Bool {
        if let reason = self["finish_reason"]?.string, !reason.isEmpty { return true }
        if let text = self["text"], !text.isEmpty { return true }
        let message = self["message"]?.object ?? self["delta"]?.object ?? []
        return message.contains { $0.name != "role" && !$0.value.isEmpty }
    }

    private var isEmpty: Bool {
        switch self {
        case .null: true
        case .string(let text): text.isEmpty
        case .array(let elements): elements.isEmpty
        case .object(let members): members.isEmpty
        default: false
        }
    }
}
