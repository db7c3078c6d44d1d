// Resolving the escapes of a JSON string that the scanner has accepted.

enum JSONStringDecoder {
    /// Decodes the bytes between the quotes. The output is never longer than the input, so a target of the same size
    /// suffices: the shortest escape of a three-byte character has six bytes, of a four-byte one twelve. A surrogate
    /// without its partner becomes U+FFFD.
    /// - Returns: The number of bytes written.
    static func decode(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) -> Int {
        guard let to = target.baseAddress, let from = source.baseAddress else { return 0 }
        var input = 0
        var output = 0
        while input < source.count {
            let stop = nextBackslash(source, from: input)
            to.advanced(by: output).copyMemory(from: from + input, byteCount: stop &- input)
            output &+= stop &- input
            input = stop
            guard input &+ 1 < source.count else { break }
            if source[input &+ 1] == UInt8(ascii: "u") {
                guard input &+ 6 <= source.count else { break }
                let (scalar, length) = unicodeEscape(source, at: input)
                output &+= write(scalar, to: to, at: output)
                input &+= length
            } else {
                to.storeBytes(of: shortEscape(source[input &+ 1]), toByteOffset: output, as: UInt8.self)
                output &+= 1
                input &+= 2
            }
        }
        return output
    }

    @inline(__always)
    private static func nextBackslash(_ source: UnsafeRawBufferPointer, from start: Int) -> Int {
        var index = start
        while index < source.count, source[index] != UInt8(ascii: "\\") { index &+= 1 }
        return index
    }

    @inline(__always)
    private static func shortEscape(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "t"): 0x09
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        default: byte
        }
    }

    /// The character of the `\uXXXX` at `start`, or of the surrogate pair there, and how many bytes spell it.
    private static func unicodeEscape(_ source: UnsafeRawBufferPointer, at start: Int) -> (UInt32, Int) {
        let replacement: UInt32 = 0xFFFD
        guard let high = JSONText.hexadecimal(source, at: start &+ 2) else { return (replacement, 6) }
        guard (0xD800...0xDFFF).contains(high) else { return (UInt32(high), 6) }
        guard high < 0xDC00, start &+ 12 <= source.count,
            source[start &+ 6] == UInt8(ascii: "\\"), source[start &+ 7] == UInt8(ascii: "u"),
            let low = JSONText.hexadecimal(source, at: start &+ 8), (0xDC00...0xDFFF).contains(low)
        else { return (replacement, 6) }
        return (0x10000 + (UInt32(high & 0x3FF) << 10) + UInt32(low & 0x3FF), 12)
    }

    @inline(__always)
    private static func write(_ scalar: UInt32, to: UnsafeMutableRawPointer, at offset: Int) -> Int {
        let target = to.advanced(by: offset).assumingMemoryBound(to: UInt8.self)
        let last = UInt8(truncatingIfNeeded: 0x80 | (scalar & 0x3F))
        let middle = UInt8(truncatingIfNeeded: 0x80 | ((scalar >> 6) & 0x3F))
        switch scalar {
        case 0..<0x80:
            target[0] = UInt8(truncatingIfNeeded: scalar)
            return 1
        case 0x80..<0x800:
            target[0] = UInt8(truncatingIfNeeded: 0xC0 | (scalar >> 6))
            target[1] = last
            return 2
        case 0x800..<0x10000:
            target[0] = UInt8(truncatingIfNeeded: 0xE0 | (scalar >> 12))
            target[1] = middle
            target[2] = last
            return 3
        default:
            target[0] = UInt8(truncatingIfNeeded: 0xF0 | (scalar >> 18))
            target[1] = UInt8(truncatingIfNeeded: 0x80 | ((scalar >> 12) & 0x3F))
            target[2] = middle
            target[3] = last
            return 4
        }
    }
}
