// Names of header lines, which are the same in capital and in small letters (RFC 9110 §5.1).

extension UnsafeRawBufferPointer {
    /// Whether the bytes are a text; the case of ASCII letters does not matter.
    package func equalsIgnoringCase(_ text: UnsafeRawBufferPointer) -> Bool {
        count == text.count && startsIgnoringCase(with: text)
    }

    /// Whether the bytes begin with a text; the case of ASCII letters does not matter.
    package func startsIgnoringCase(with text: UnsafeRawBufferPointer) -> Bool {
        guard count >= text.count else { return false }
        for offset in 0..<text.count where lowercase(self[offset]) != lowercase(text[offset]) { return false }
        return true
    }
}

@inline(__always)
private func lowercase(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
}
