// Text in readable log lines, such that it cannot be made to look like another line or another value.

internal import GatewayWire

/// Text in readable lines.
enum LogText {
    /// The longest text of one value in bytes; what is longer is cut.
    static let limit = 8192

    /// Appends a message, in which line breaks and other control characters are question marks.
    static func append(_ text: String, to output: inout [UInt8]) {
        let text = bounded(text)
        guard hasInvisible(text) else { return output.append(text: text) }
        for scalar in text.unicodeScalars { output.append(text: isInvisible(scalar) ? "?" : String(scalar)) }
    }

    /// Appends the value of a key: as it is if it is one word, else in quotes with escapes as JSON has them.
    static func appendValue(_ text: String, to output: inout [UInt8]) {
        let text = bounded(text)
        guard needsQuotes(text) else { return output.append(text: text) }
        output.append(UInt8(ascii: "\""))
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": output.append(text: "\\\(scalar)")
            case "\n": output.append(literal: "\\n")
            case "\r": output.append(literal: "\\r")
            case "\t": output.append(literal: "\\t")
            case _ where isInvisible(scalar):
                let digits = String(scalar.value, radix: 16)
                output.append(text: "\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits)
            default: output.append(text: String(scalar))
            }
        }
        output.append(UInt8(ascii: "\""))
    }

    /// Appends a key, in which what could end it is an underscore.
    static func appendKey(_ text: String, to output: inout [UInt8]) {
        guard needsQuotes(text) else { return output.append(text: text) }
        for scalar in text.unicodeScalars {
            let isSafe = !isInvisible(scalar) && ![" ", "=", "\"", "\\"].contains(scalar)
            output.append(text: isSafe ? String(scalar) : "_")
        }
    }

    /// The text, cut at the limit.
    static func bounded(_ text: String) -> String {
        guard text.utf8.count > limit else { return text }
        return String(decoding: text.utf8.prefix(limit), as: UTF8.self) + "…"
    }

    private static func needsQuotes(_ text: String) -> Bool {
        let isWord = text.withBytes { bytes in
            for byte in bytes
            where byte <= 0x20 || byte >= 0x7F || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "=")
                || byte == UInt8(ascii: "\\")
            {
                return false
            }
            return true
        }
        if isWord { return text.isEmpty }
        return text.unicodeScalars.contains { scalar in
            isInvisible(scalar) || [" ", "=", "\"", "\\"].contains(scalar)
        }
    }

    private static func hasInvisible(_ text: String) -> Bool {
        // Most text is plain, and its bytes are looked at faster than its characters.
        let isPlain = text.withBytes { bytes in
            for byte in bytes where byte < 0x20 || byte >= 0x7F { return false }
            return true
        }
        if isPlain { return false }
        return text.unicodeScalars.contains(where: isInvisible)
    }

    /// Whether a character moves the text around it or breaks its line, instead of being seen.
    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}
