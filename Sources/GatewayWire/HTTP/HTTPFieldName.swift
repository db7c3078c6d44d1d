// Names of header lines, which are the same in capital and in small letters (RFC 9110 §5.1): the one comparison of them.

extension UnsafeRawBufferPointer {
    /// Whether the bytes are a text; the case of ASCII letters does not matter.
    package func equalsIgnoringCase(_ text: StaticString) -> Bool {
        // Most names differ in length already.
        count == text.utf8CodeUnitCount && text.withBytes { startsIgnoringCase(with: $0) }
    }

    /// Whether the bytes begin with a text; the case of ASCII letters does not matter.
    package func startsIgnoringCase(with text: UnsafeRawBufferPointer) -> Bool {
        guard count >= text.count else { return false }
        for offset in 0..<text.count where lowercase(self[offset]) != lowercase(text[offset]) { return false }
        return true
    }

    /// Whether the bytes begin with a text; the case of ASCII letters does not matter.
    package func startsIgnoringCase(with text: StaticString) -> Bool {
        text.withBytes { startsIgnoringCase(with: $0) }
    }
}

extension String {
    /// Whether this is the same text; the case of ASCII letters does not matter.
    package func equalsIgnoringCase(_ text: String) -> Bool {
        guard utf8.count == text.utf8.count else { return false }
        return withBytes { own in text.withBytes { own.startsIgnoringCase(with: $0) } }
    }

    /// Whether this is the same text; the case of ASCII letters does not matter.
    package func equalsIgnoringCase(_ text: StaticString) -> Bool {
        guard utf8.count == text.utf8CodeUnitCount else { return false }
        return withBytes { $0.startsIgnoringCase(with: text) }
    }

    /// Whether this begins with a text; the case of ASCII letters does not matter.
    package func startsIgnoringCase(with text: StaticString) -> Bool {
        withBytes { $0.startsIgnoringCase(with: text) }
    }
}

@inline(__always)
private func lowercase(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
}
