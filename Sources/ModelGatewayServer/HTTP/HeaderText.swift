// Small questions about the text of header lines, answered on their UTF-8 bytes.

import GatewayWire

/// Comparisons and checks of header names and values.
enum HeaderText {
    /// Whether two names are the same.
    static func equals(_ name: String, _ other: StaticString) -> Bool {
        name.equalsIgnoringCase(other)
    }

    /// Whether two names are the same.
    static func equals(_ name: String, _ other: String) -> Bool {
        name.equalsIgnoringCase(other)
    }

    /// Whether a name begins with a prefix.
    static func hasPrefix(_ name: String, _ prefix: StaticString) -> Bool {
        name.startsIgnoringCase(with: prefix)
    }

    /// A value without the white space around it.
    static func trimmed(_ value: Substring) -> Substring {
        var utf8 = value.utf8
        while let first = utf8.first, first == 0x20 || first == 0x09 { utf8.removeFirst() }
        while let last = utf8.last, last == 0x20 || last == 0x09 { utf8.removeLast() }
        return Substring(utf8)
    }

    /// Whether a name or value can be written into a header without starting another line.
    static func isSafe(_ text: String) -> Bool {
        text.withBytes { bytes in
            for byte in bytes where byte < 0x20 && byte != 0x09 || byte == 0x7F { return false }
            return true
        }
    }

    /// A client's value for a message: cut to 100 bytes and without control characters.
    static func printable(_ value: String) -> String {
        String(decoding: value.utf8.prefix(100).filter { $0 >= 0x20 && $0 < 0x7F }, as: UTF8.self)
    }

    /// Whether a client's request id may be used: 1 to 128 of `A-Z a-z 0-9 . _ -`.
    static func isRequestID(_ text: String) -> Bool {
        guard (1...128).contains(text.utf8.count) else { return false }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default:
                false
            }
        }
    }
}
