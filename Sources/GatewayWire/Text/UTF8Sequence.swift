// Well-formed UTF-8, one character at a time (Unicode Standard, table 3-7).

/// What the bytes at some place of a buffer are, seen as UTF-8.
package enum UTF8Sequence: Equatable, Sendable {
    /// A well-formed character of this many bytes.
    case valid(Int)
    /// This many bytes can never be part of a well-formed character: the "maximal subpart" that one U+FFFD replaces.
    case invalid(Int)
    /// The buffer ends inside a character that is well-formed as far as it goes; this many bytes of it are there.
    case incomplete(Int)

    /// Classifies the bytes at `offset`, which must be inside `bytes`.
    package init(_ bytes: UnsafeRawBufferPointer, at offset: Int, end: Int) {
        let lead = bytes[offset]
        let length: Int
        var lowest: UInt8 = 0x80
        var highest: UInt8 = 0xBF
        switch lead {
        case 0..<0x80:
            self = .valid(1)
            return
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, lowest) = (3, 0xA0)
        case 0xED: (length, highest) = (3, 0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, lowest) = (4, 0x90)
        case 0xF4: (length, highest) = (4, 0x8F)
        case 0xF1...0xF3: length = 4
        default:
            self = .invalid(1)
            return
        }
        for index in 1..<length {
            guard offset + index < end else {
                self = .incomplete(index)
                return
            }
            let byte = bytes[offset + index]
            guard byte >= lowest, byte <= highest else {
                self = .invalid(index)
                return
            }
            (lowest, highest) = (0x80, 0xBF)
        }
        self = .valid(length)
    }

    /// The length of the well-formed character at `offset`, or 0.
    @inline(__always)
    static func validLength(_ bytes: UnsafeRawBufferPointer, at offset: Int, end: Int) -> Int {
        let lead = bytes[offset]
        // Three-byte characters that need no special range (most of CJK) take one test.
        if lead &- 0xE1 < 0x0C, end &- offset >= 3,
            bytes[offset &+ 1] & 0xC0 == 0x80, bytes[offset &+ 2] & 0xC0 == 0x80
        {
            return 3
        }
        guard case .valid(let length) = UTF8Sequence(bytes, at: offset, end: end) else { return 0 }
        return length
    }
}
