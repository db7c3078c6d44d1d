// Finding things in raw bytes: substrings, numbers, header fields.

internal import CLoopback

extension UnsafeRawBufferPointer {
    /// The offset of the first occurrence of `needle` at or after `from`.
    package func firstOffset(of needle: StaticString, from: Int = 0) -> Int? {
        guard let base = baseAddress, from <= count else { return nil }
        guard let found = loopback_find(base + from, count - from, needle.utf8Start, needle.utf8CodeUnitCount) else {
            return nil
        }
        return found - base
    }

    /// The offset of the first `byte` at or after `from`.
    package func firstOffset(of byte: UInt8, from: Int) -> Int? {
        guard let base = baseAddress, from < count else { return nil }
        guard let found = memchr(base + from, Int32(byte), count - from) else { return nil }
        return UnsafeRawPointer(found) - base
    }

    /// The decimal number that begins at `offset`, if a digit is there.
    package func decimal(at offset: Int) -> UInt64? {
        var value: UInt64 = 0
        var index = offset
        while index < count, self[index] &- 0x30 < 10 {
            value = value &* 10 &+ UInt64(self[index] &- 0x30)
            index += 1
        }
        return index > offset ? value : nil
    }

    /// Whether the bytes at `offset` are `text`, letters compared without case; `text` is in lower case.
    package func matches(_ text: StaticString, at offset: Int) -> Bool {
        let length = text.utf8CodeUnitCount
        guard offset + length <= count else { return false }
        for index in 0..<length {
            let byte = self[offset + index]
            let lowered = byte &- 0x41 < 26 ? byte | 0x20 : byte
            if lowered != text.utf8Start[index] { return false }
        }
        return true
    }

    /// The offset of the value of a header field in an HTTP head; `name` is in lower case with its colon.
    package func headerValue(_ name: StaticString, within head: Int) -> Int? {
        var line = 0
        while let newline = firstOffset(of: 0x0A, from: line), newline < head {
            line = newline + 1
            guard line < head, matches(name, at: line) else { continue }
            var value = line + name.utf8CodeUnitCount
            while value < head, self[value] == 0x20 { value += 1 }
            return value
        }
        return nil
    }
}
