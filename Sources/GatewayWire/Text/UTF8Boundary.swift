// Cutting UTF-8 between characters, and repairing UTF-8 that arrives in pieces.

package enum UTF8Boundary {
    /// The longest prefix of at most `limit` bytes that does not cut a character; ill-formed bytes count one each.
    package static func prefixCount(of bytes: UnsafeRawBufferPointer, limit: Int) -> Int {
        guard limit < bytes.count else { return bytes.count }
        guard limit > 0 else { return 0 }
        // Only a character that starts in the last three bytes can reach over the limit.
        for start in stride(from: limit - 1, through: max(0, limit - 3), by: -1) where bytes[start] & 0xC0 != 0x80 {
            if case .valid(let length) = UTF8Sequence(bytes, at: start, end: bytes.count), start + length > limit {
                return start
            }
            break
        }
        return limit
    }
}

/// Makes well-formed UTF-8 of a byte stream: a character cut by the end of a piece waits for the next one, and each
/// maximal ill-formed subpart becomes one U+FFFD, as `String(decoding:as:)` does for the whole stream at once.
package struct UTF8StreamDecoder: Sendable {
    private var pending: [UInt8] = []

    package init() {}

    /// How many bytes of an unfinished character are held back.
    package var pendingByteCount: Int { pending.count }

    /// Takes the next piece and appends the characters that are complete.
    package mutating func feed(_ bytes: UnsafeRawBufferPointer, into output: inout [UInt8]) {
        guard !pending.isEmpty else {
            decode(bytes, into: &output)
            return
        }
        // Only a few bytes decide a pending character; the rest is decoded where it is.
        let head = min(3, bytes.count)
        let known = pending.count
        var joined = pending
        joined.append(bytes: bytes.clamped(to: 0..<head))
        pending = []
        let taken = joined.withBytes { joined -> Int? in
            switch UTF8Sequence(joined, at: 0, end: joined.count) {
            case .valid(let length):
                output.append(bytes: joined.clamped(to: 0..<length))
                return length - known
            case .invalid(let length):
                Self.replace(&output)
                return length - known
            case .incomplete:
                pending = [UInt8](joined)
                return nil
            }
        }
        guard let taken else { return }
        decode(bytes.clamped(to: taken..<bytes.count), into: &output)
    }

    /// Ends the stream: an unfinished character becomes one U+FFFD.
    package mutating func finish(into output: inout [UInt8]) {
        guard !pending.isEmpty else { return }
        pending = []
        Self.replace(&output)
    }

    private mutating func decode(_ bytes: UnsafeRawBufferPointer, into output: inout [UInt8]) {
        var start = 0
        var index = 0
        while index < bytes.count {
            if bytes[index] < 0x80 {
                index &+= 1
                continue
            }
            switch UTF8Sequence(bytes, at: index, end: bytes.count) {
            case .valid(let length):
                index &+= length
            case .invalid(let length):
                output.append(bytes: bytes.clamped(to: start..<index))
                Self.replace(&output)
                index &+= length
                start = index
            case .incomplete:
                output.append(bytes: bytes.clamped(to: start..<index))
                pending = [UInt8](bytes.clamped(to: index..<bytes.count))
                return
            }
        }
        output.append(bytes: bytes.clamped(to: start..<bytes.count))
    }

    private static func replace(_ output: inout [UInt8]) {
        output.append(literal: "\u{FFFD}")
    }
}
