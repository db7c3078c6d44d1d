// One value of a JSON text as a byte range, and how to read it from the bytes.

/// The kinds of JSON values.
package enum JSONKind: UInt8, Sendable {
    case object, array, string, number, `true`, `false`, null
}

/// Where a value or a key is in its buffer. Plain data: it is read with the buffer that it was found in. Read with any
/// other bytes it gives a wrong answer, but never an access out of bounds.
package struct JSONSlice: Hashable, Sendable {
    package let start: Int
    package let end: Int
    package let kind: JSONKind
    /// For strings: whether there is a backslash inside. If not, `contents` are the string's bytes as they are.
    package let isEscaped: Bool

    package init(kind: JSONKind, start: Int, end: Int, isEscaped: Bool = false) {
        self.kind = kind
        self.start = start
        self.end = max(start, end)
        self.isEscaped = isEscaped
    }

    /// The value's bytes; of a string with its quotes.
    package var range: Range<Int> { start..<end }

    /// The bytes between a string's quotes, still escaped; for other kinds the same as `range`.
    package var contents: Range<Int> { kind == .string && end - start >= 2 ? start + 1..<end - 1 : range }

    /// True and false for the two literals, nil foreverything else.
    package var bool: Bool? {
        switch kind {
        case .true: true
        case .false: false
        default: nil
        }
    }
}

// MARK: - Reading

extension JSONSlice {
    /// The value's bytes as they are in the buffer.
    package func raw(in bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        bytes.clamped(to: range)
    }

    /// Whether this is a string with exactly the literal's characters, escaped or not.
    @inlinable
    package func equals(_ literal: StaticString, in bytes: UnsafeRawBufferPointer) -> Bool {
        // Most keys differ in length already.
        guard isEscaped || end &- start &- 2 == literal.utf8CodeUnitCount else { return false }
        return literal.withBytes { equals($0, in: bytes) }
    }

    /// Whether this is a string with exactly these UTF-8 bytes, escaped or not.
    package func equals(_ text: UnsafeRawBufferPointer, in bytes: UnsafeRawBufferPointer) -> Bool {
        guard kind == .string else { return false }
        guard isEscaped else { return bytes.clamped(to: contents).equals(text) }
        guard end - start - 2 > text.count else { return false }
        var decoded: [UInt8] = []
        appendString(in: bytes, to: &decoded)
        return decoded.withBytes { $0.equals(text) }
    }

    /// A string's characters; nil for other kinds.
    package func string(in bytes: UnsafeRawBufferPointer) -> String? {
        guard kind == .string else { return nil }
        let source = bytes.clamped(to: contents)
        guard isEscaped else { return String(decoding: source.assumingMemoryBound(to: UInt8.self), as: UTF8.self) }
        return String(unsafeUninitializedCapacity: source.count) { target in
            JSONStringDecoder.decode(source, into: UnsafeMutableRawBufferPointer(target))
        }
    }

    /// Appends a string's characters as UTF-8; appends nothing for other kinds.
    package func appendString(in bytes: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        guard kind == .string else { return }
        let source = bytes.clamped(to: contents)
        guard isEscaped else {
            output.append(bytes: source)
            return
        }
        output.append(
            contentsOf: [UInt8](unsafeUninitializedCapacity: source.count) { target, count in
                count = JSONStringDecoder.decode(source, into: UnsafeMutableRawBufferPointer(target))
            }
        )
    }

    /// A number as an integer: also spelled `1.0` or `1e2`, as long as it is exact. Nil when it is not a number, not
    /// whole, or out of range.
    package func int(in bytes: UnsafeRawBufferPointer) -> Int? {
        guard kind == .number else { return nil }
        return JSONNumberText.int(bytes.clamped(to: range))
    }

    /// A number as the nearest double; nil for other kinds and for numbers too large for one.
    package func double(in bytes: UnsafeRawBufferPointer) -> Double? {
        guard kind == .number else { return nil }
        return JSONNumberText.double(bytes.clamped(to: range))
    }
}
