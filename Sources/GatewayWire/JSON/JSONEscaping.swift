// Quoting text for JSON: only what the grammar demands is escaped.

enum JSONEscaping {
    /// Appends the text in quotes.
    /// - Parameter isValid: The text is known to be UTF-8; otherwise ill-formed bytes become U+FFFD.
    static func appendQuoted(_ text: UnsafeRawBufferPointer, isValid: Bool, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        var start = 0
        var index = 0
        while true {
            index = JSONText.plainEnd(text, from: index, to: text.count)
            guard index < text.count else { break }
            let byte = text[index]
            if byte >= 0x80 {
                if isValid {
                    repeat { index &+= 1 } while index < text.count && text[index] >= 0x80
                    continue
                }
                switch UTF8Sequence(text, at: index, end: text.count) {
                case .valid(let length):
                    index &+= length
                case .invalid(let length), .incomplete(let length):
                    output.append(contentsOf: text.clamped(to: start..<index))
                    output.append(contentsOf: "\u{FFFD}".utf8)
                    index &+= length
                    start = index
                }
            } else {
                output.append(contentsOf: text.clamped(to: start..<index))
                appendEscape(byte, to: &output)
                index &+= 1
                start = index
            }
        }
        output.append(contentsOf: text.clamped(to: start..<text.count))
        output.append(UInt8(ascii: "\""))
    }

    private static func appendEscape(_ byte: UInt8, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): output.append(byte)
        case 0x0A: output.append(UInt8(ascii: "n"))
        case 0x0D: output.append(UInt8(ascii: "r"))
        case 0x09: output.append(UInt8(ascii: "t"))
        case 0x08: output.append(UInt8(ascii: "b"))
        case 0x0C: output.append(UInt8(ascii: "f"))
        default:
            output.append(contentsOf: "u00".utf8)
            output.append(UInt8(ascii: "0") + (byte >> 4))
            let digit = byte & 0x0F
            output.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }
}
