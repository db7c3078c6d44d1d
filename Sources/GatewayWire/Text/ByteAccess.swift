// Reading an array's bytes in a closure with a typed error, and cutting a raw buffer without ever trapping.

// The C library itself: it searches and compares many bytes at once, and this module depends on nothing.
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

extension Array where Element == UInt8 {
    /// Calls `body` with the array's bytes. Unlike `withUnsafeBytes` it passes a typed error on.
    /// - Parameter body: The pointer is valid only during the call.
    @inlinable
    package func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try span.bytes.withUnsafeBytes(body)
    }

    /// Appends by copying memory; `append(contentsOf:)` of a raw buffer would go byte by byte.
    @inlinable
    package mutating func append(bytes: UnsafeRawBufferPointer) {
        append(contentsOf: bytes.assumingMemoryBound(to: UInt8.self))
    }

    /// Appends a literal's UTF-8.
    @inlinable
    package mutating func append(literal: StaticString) {
        literal.withBytes { append(bytes: $0) }
    }

    /// Appends a text's UTF-8 by copying memory; `append(contentsOf: text.utf8)` goes byte by byte.
    @inlinable
    package mutating func append(text: String) {
        text.withBytes { append(bytes: $0) }
    }
}

extension UnsafeRawBufferPointer {
    /// The bytes of `range`, cut to what the buffer really has; never traps.
    package func clamped(to range: Range<Int>) -> UnsafeRawBufferPointer {
        let bounds = range.clamped(to: 0..<count)
        return UnsafeRawBufferPointer(rebasing: self[bounds])
    }

    /// The place of the first byte of a value at or behind `start`; nil if there is none.
    @inline(__always)
    package func offset(of byte: UInt8, from start: Int = 0) -> Int? {
        guard start < count, let base = baseAddress, let hit = memchr(base + start, Int32(byte), count - start) else {
            return nil
        }
        return UnsafeRawPointer(hit) - base
    }

    /// Whether both buffers hold the same bytes.
    package func equals(_ other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        guard let left = baseAddress, let right = other.baseAddress else { return true }
        return memcmp(left, right, count) == 0
    }

    /// Whether the bytes are exactly those of a literal.
    @inline(__always)
    package func equals(_ literal: StaticString) -> Bool {
        literal.withBytes { equals($0) }
    }
}

extension String {
    /// Calls `body` with the text's UTF-8 bytes, which are where they were for a text that Swift made.
    @inlinable
    package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        var text = self
        return text.withUTF8 { body(UnsafeRawBufferPointer($0)) }
    }
}

extension StaticString {
    /// Calls `body` with the literal's UTF-8 bytes.
    @inlinable
    @inline(__always)
    package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        guard hasPointerRepresentation else {
            return withUTF8Buffer { body(UnsafeRawBufferPointer($0)) }
        }
        return body(UnsafeRawBufferPointer(start: utf8Start, count: utf8CodeUnitCount))
    }
}
