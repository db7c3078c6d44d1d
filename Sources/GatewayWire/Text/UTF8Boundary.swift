// Cutting UTF-8 between characters.

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
