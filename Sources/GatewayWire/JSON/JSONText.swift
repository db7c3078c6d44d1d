// Finding the bytes of JSON strings that need attention, eight at a time; for the scanner and the writer.

enum JSONText {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highBits: UInt64 = 0x8080_8080_8080_8080

    /// Offset of the first byte from `start` on that is a quote, a backslash, a control character or not ASCII.
    ///
    /// A borrow of the subtractions can only mark bytes behind a true hit, so the lowest mark is always exact.
    @inline(__always)
    static func plainEnd(_ bytes: UnsafeRawBufferPointer, from start: Int, to end: Int) -> Int {
        var index = start
        while end &- index >= 8 {
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            let quote = (word ^ (ones &* 0x22)) &- ones
            let backslash = (word ^ (ones &* 0x5C)) &- ones
            let control = word &- (ones &* 0x20)
            let marks = (quote | backslash | control | word) & highBits
            if marks != 0 { return index &+ (marks.trailingZeroBitCount >> 3) }
            index &+= 8
        }
        while index < end, isPlain(bytes[index]) { index &+= 1 }
        return index
    }

    @inline(__always)
    private static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte < 0x80 && byte != 0x22 && byte != 0x5C
    }

    /// The value of the four hexadecimal digits at `offset`; the caller has checked that they are inside the buffer.
    @inline(__always)
    static func hexadecimal(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> UInt16? {
        var value: UInt16 = 0
        for index in offset..<(offset &+ 4) {
            let byte = bytes[index]
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte &- UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte &- UInt8(ascii: "a") &+ 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte &- UInt8(ascii: "A") &+ 10
            default: return nil
            }
            value = value << 4 | UInt16(digit)
        }
        return value
    }
}
