// Header values that are lists (RFC 9110 §5.6.1): the one parser for all of them, of clients and of servers.

/// Lists with commas in between.
package enum HTTPList {
    /// Calls `body` with each element as it is written, without the white space around it. A comma inside a quoted
    /// string is part of its element.
    /// - Parameter skipsEmpty: Whether elements without anything in them are passed over, as the standard wants it.
    package static func forEach<Failure: Error>(
        in list: UnsafeRawBufferPointer,
        skipsEmpty: Bool = true,
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        var start = 0
        var index = 0
        // A quote that is never closed is a character like others: what others append must not vanish behind it.
        var mayQuote = true
        while index <= list.count {
            if index < list.count, list[index] == UInt8(ascii: "\""), mayQuote {
                if let end = endOfQuoted(list, from: index) { index = end } else { mayQuote = false }
            } else if index == list.count || list[index] == UInt8(ascii: ",") {
                let element = list.clamped(to: start..<index).trimmingBlanks
                if !element.isEmpty || !skipsEmpty { try body(element) }
                start = index + 1
            }
            index += 1
        }
    }

    /// The place of the quote that closes the quoted string which begins at a place.
    private static func endOfQuoted(_ list: UnsafeRawBufferPointer, from start: Int) -> Int? {
        var index = start + 1
        while index < list.count {
            switch list[index] {
            case UInt8(ascii: "\\"): index += 2
            case UInt8(ascii: "\""): return index
            default: index += 1
            }
        }
        return nil
    }

    /// The elements as they are written. Empty ones are left out.
    package static func elements(_ list: String) -> [String] {
        list.withBytes { bytes in
            var elements: [String] = []
            forEach(in: bytes) { elements.append(String(decoding: $0, as: UTF8.self)) }
            return elements
        }
    }

    /// The elements as texts; quoted strings without their quotes (RFC 9110 §5.6.4). Empty ones are left out.
    package static func values(_ list: String) -> [String] {
        list.withBytes { bytes in
            var values: [String] = []
            forEach(in: bytes) { element in
                let value = unquoted(element)
                if !value.isEmpty { values.append(value) }
            }
            return values
        }
    }

    private static func unquoted(_ element: UnsafeRawBufferPointer) -> String {
        guard element.count >= 2, element[0] == UInt8(ascii: "\""), element[element.count - 1] == UInt8(ascii: "\"")
        else { return String(decoding: element, as: UTF8.self) }
        var bytes: [UInt8] = []
        var isEscaped = false
        for byte in element.dropFirst().dropLast() {
            if byte == UInt8(ascii: "\\"), !isEscaped {
                isEscaped = true
            } else {
                bytes.append(byte)
                isEscaped = false
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension UnsafeRawBufferPointer {
    /// Without blanks and tabs at both ends.
    package var trimmingBlanks: UnsafeRawBufferPointer {
        var start = 0
        var end = count
        while start < end, self[start] == 0x20 || self[start] == 0x09 { start += 1 }
        while end > start, self[end - 1] == 0x20 || self[end - 1] == 0x09 { end -= 1 }
        return clamped(to: start..<end)
    }
}
