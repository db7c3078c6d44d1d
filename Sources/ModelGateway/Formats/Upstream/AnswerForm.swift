// Whether an upstream answers with one JSON text or with a stream of events, by what it sends rather than by its label.

import GatewayWire

/// The form of an answer's body.
package enum AnswerForm: Sendable {
    /// One JSON text.
    case json
    /// Server-sent events.
    case events

    /// The form that a `content-type` names; everything that is not an event stream counts as JSON.
    package init(contentType: String?) {
        // Parameters follow a semicolon; upper and lower case are the same (RFC 9110, section 8.3.1).
        let essence = (contentType ?? "").prefix { $0 != ";" && $0 != "," }.filter { $0 != " " && $0 != "\t" }
        self = essence.equalsIgnoringCase("text/event-stream") ? .events : .json
    }

    /// The form that a body's first bytes show; nil if they are like neither, or too few.
    package init?(firstBytes bytes: [UInt8]) {
        guard case .form(let form) = Self.look(at: bytes).finding else { return nil }
        self = form
    }

    /// What the first bytes of a body show.
    package enum Finding: Equatable, Sendable {
        case form(AnswerForm)
        /// More bytes will tell.
        case needsMore
        /// Neither form begins like this.
        case neither
    }

    /// The names that a line of an event stream begins with; the last one is llama.cpp's.
    private static let fields: [StaticString] = ["data", "event", "id", "retry", "error"]

    /// Looks at the first bytes of a body.
    /// - Returns: What they show, and how many of them are a byte order mark and white space, which say nothing.
    package static func look(at bytes: [UInt8]) -> (finding: Finding, blank: Int) {
        bytes.withBytes { bytes in
            var start = 0
            if bytes.first == 0xEF {
                guard bytes.count >= 3 else { return (.needsMore, 0) }
                if bytes[1] == 0xBB, bytes[2] == 0xBF { start = 3 }
            }
            while start < bytes.count, isBlank(bytes[start]) { start += 1 }
            return (finding(bytes.clamped(to: start..<bytes.count)), start)
        }
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }

    private static func finding(_ bytes: UnsafeRawBufferPointer) -> Finding {
        guard let first = bytes.first else { return .needsMore }
        if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") { return .form(.json) }
        let end = bytes.firstIndex { $0 == UInt8(ascii: ":") || $0 == 0x0A || $0 == 0x0D }
        let name = bytes.clamped(to: 0..<(end ?? bytes.count))
        // A comment has no name.
        if end != nil { return name.isEmpty || fields.contains { name.equals($0) } ? .form(.events) : .neither }
        return fields.contains { $0.withBytes { $0.starts(with: name) } } ? .needsMore : .neither
    }
}
