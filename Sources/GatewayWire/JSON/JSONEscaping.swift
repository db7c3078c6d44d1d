// Quoting text for JSON: only what the grammar demands is escaped.

enum JSONEscaping {
    /// Appends the text in quotes, with a comma before it or a colon behind it if wanted.
    /// - Parameter isValid: The text is known to be UTF-8; otherwise ill-formed bytes become U+FFFD.
    static func appendQuoted(
        _ text: UnsafeRawBufferPointer,
        isValid: Bool,
        comma: Bool,
        colon: Bool = false,
        to output: inout [UInt8]
    ) {
        if JSONText.plainEnd(text, from: 0, to: text.count) == text.count {
            appendPlain(text, comma: comma, colon: colon, to: &output)
        } else {
            if comma { output.append(UInt8(ascii: ",")) }
            appendEscaped(text, isValid: isValid, to: &output)
            if colon { output.append(UInt8(ascii: ":")) }
        }
    }

    /// Text that needs no escapes goes into the buffer in one step.
    @inline(__always)
    private static func appendPlain(
        _ text: UnsafeRawBufferPointer,
        comma: Bool,
        colon: Bool,
        to output: inout [UInt8]
    ) {
        output.append(addingCapacity: text.count &+ 4) { span in
            span.withUnsafeMutableBufferPointer { buffer, initialized in
                var place = 0
                if comma {
                    buffer[place] = UInt8(ascii: ",")
                    place &+= 1
                }
                buffer[place] = UInt8(ascii: "\"")
                place &+= 1
                UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[place...])
                    .copyMemory(from: text)
                place &+= text.count
                buffer[place] = UInt8(ascii: "\"")
                place &+= 1
                if colon {
                    buffer[place] = UInt8(ascii: ":")
                    place &+= 1
                }
                initialized = place
            }
        }
    }

    private static func appendEscaped(_ text: UnsafeRawBufferPointer, isValid: Bool, to output: inout [UInt8]) {
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
                    output.append(bytes: text.clamped(to: start..<index))
                    output.append(literal: "\u{FFFD}")
                    index &+= length
                    start = index
                }
            } else {
                output.append(bytes: text.clamped(to: start..<index))
                appendEscape(byte, to: &output)
                index &+= 1
                start = index
            }
        }
        output.append(bytes: text.clamped(to: start..<text.count))
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
            output.append(literal: "u00")
            output.append(UInt8(ascii: "0") + (byte >> 4))
            let digit = byte & 0x0F
            output.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }
}
