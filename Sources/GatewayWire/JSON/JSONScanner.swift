// A strict pull scanner over JSON bytes (RFC 8259): it finds values and hands out their byte ranges.

/// Reads one JSON text from a buffer, value by value.
///
/// Everything it passes over is checked against the full grammar: UTF-8, control characters, escapes, numbers, commas.
/// A lone surrogate escape (`"\ud800"`) is legal, as in the grammar and in Python; it decodes to U+FFFD. A leading byte
/// order mark is not legal. Offsets count from the start of the buffer, also when only a part of it is scanned.
///
///     try scanner.beginObject()
///     while let key = try scanner.nextMember() {
///         if key.equals("model", in: bytes) { model = try scanner.nextValue() } else { try scanner.skipValue() }
///     }
///     try scanner.finish()
package struct JSONScanner {
    /// How many containers may be open at once.
    package static let maxDepth = 512

    /// The whole buffer; must outlive the scanner.
    package let bytes: UnsafeRawBufferPointer
    /// Offset of the next byte to read.
    package private(set) var position: Int
    /// Offset behind the last byte to read.
    package let end: Int
    /// How many containers `beginObject` and `beginArray` have opened and not yet left.
    package private(set) var depth = 0
    /// Set between the opening bracket and the first member, where a comma is not allowed.
    private var isAtStart = false

    package init(_ bytes: UnsafeRawBufferPointer) {
        self.init(bytes, range: 0..<bytes.count)
    }

    /// Scans only `range`, cut to the buffer's bounds.
    package init(_ bytes: UnsafeRawBufferPointer, range: Range<Int>) {
        let bounds = range.clamped(to: 0..<bytes.count)
        self.bytes = bytes
        position = bounds.lowerBound
        end = bounds.upperBound
    }

    /// Checks that the buffer holds exactly one JSON value and nothing else but white space.
    /// - Returns: The value.
    @discardableResult
    package static func validate(_ bytes: UnsafeRawBufferPointer) throws(JSONError) -> JSONSlice {
        var scanner = JSONScanner(bytes)
        let root = try scanner.nextValue()
        try scanner.finish()
        return root
    }
}

// MARK: - Pulling values

extension JSONScanner {
    /// The kind of the next value, judged by its first byte; consumes only white space.
    package mutating func peekKind() throws(JSONError) -> JSONKind {
        position = skipWhitespace(from: position)
        guard position < end else { throw JSONError(.unexpectedEnd, at: position) }
        switch bytes[position] {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "t"): return .true
        case UInt8(ascii: "f"): return .false
        case UInt8(ascii: "n"): return .null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
        default: throw JSONError(.expectedValue, at: position)
        }
    }

    /// Passes over the next value, checking it to the bottom, and returns where it is.
    package mutating func nextValue() throws(JSONError) -> JSONSlice {
        let start = skipWhitespace(from: position)
        guard start < end else { throw JSONError(.unexpectedEnd, at: start) }
        let kind: JSONKind
        var isEscaped = false
        switch bytes[start] {
        case UInt8(ascii: "\""):
            (position, isEscaped) = try scanString(at: start)
            kind = .string
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            position = try scanNumber(at: start)
            kind = .number
        case UInt8(ascii: "{"):
            position = try scanContainer(at: start)
            kind = .object
        case UInt8(ascii: "["):
            position = try scanContainer(at: start)
            kind = .array
        case let byte:
            position = try scanLiteral(at: start)
            kind = byte == UInt8(ascii: "n") ? .null : byte == UInt8(ascii: "t") ? .true : .false
        }
        return JSONSlice(kind: kind, start: start, end: position, isEscaped: isEscaped)
    }

    /// Passes over the next value, checking it to the bottom.
    @inline(__always)
    package mutating func skipValue() throws(JSONError) {
        _ = try nextValue()
    }

    /// Enters an object; `nextMember` then reads its members.
    package mutating func beginObject() throws(JSONError) {
        guard try peekKind() == .object else { throw JSONError(.expectedObject, at: position) }
        try open()
    }

    /// Enters an array; `nextElement` then reads its elements.
    package mutating func beginArray() throws(JSONError) {
        guard try peekKind() == .array else { throw JSONError(.expectedArray, at: position) }
        try open()
    }

    /// Moves to the next member of the object that was entered last.
    /// - Returns: The key; the scanner then stands before the value, which must be read or skipped. Nil behind the last
    ///   member: the object is then left.
    package mutating func nextMember() throws(JSONError) -> JSONSlice? {
        guard try advance(closing: UInt8(ascii: "}"), .expectedCommaOrObjectEnd) else { return nil }
        let start = position
        guard start < end else { throw JSONError(.unexpectedEnd, at: start) }
        guard bytes[start] == UInt8(ascii: "\"") else { throw JSONError(.expectedKey, at: start) }
        let (stop, isEscaped) = try scanString(at: start)
        position = try scanColon(from: stop)
        return JSONSlice(kind: .string, start: start, end: stop, isEscaped: isEscaped)
    }

    /// Moves to the next element of the array that was entered last.
    /// - Returns: True when there is one, which must be read or skipped. False behind the last element: the array is
    ///   then left.
    package mutating func nextElement() throws(JSONError) -> Bool {
        guard try advance(closing: UInt8(ascii: "]"), .expectedCommaOrArrayEnd) else { return false }
        guard position < end else { throw JSONError(.unexpectedEnd, at: position) }
        return true
    }

    /// Checks that only white space is left.
    package mutating func finish() throws(JSONError) {
        position = skipWhitespace(from: position)
        guard position == end else { throw JSONError(.trailingData, at: position) }
    }

    private mutating func open() throws(JSONError) {
        guard depth < Self.maxDepth else { throw JSONError(.nestedTooDeep, at: position) }
        depth += 1
        position += 1
        isAtStart = true
    }

    /// Passes the comma before the next item, or the closing bracket.
    @inline(__always)
    private mutating func advance(closing: UInt8, _ reason: JSONError.Reason) throws(JSONError) -> Bool {
        let isFirst = isAtStart
        isAtStart = false
        position = skipWhitespace(from: position)
        guard position < end else { throw JSONError(.unexpectedEnd, at: position) }
        if bytes[position] == closing {
            position += 1
            depth -= 1
            return false
        }
        if !isFirst {
            guard bytes[position] == UInt8(ascii: ",") else { throw JSONError(reason, at: position) }
            position = skipWhitespace(from: position + 1)
        }
        return true
    }
}

// MARK: - Passing over tokens

extension JSONScanner {
    @inline(__always)
    private func skipWhitespace(from start: Int) -> Int {
        var index = start
        while index < end {
            let byte = bytes[index]
            guard byte <= 0x20, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { break }
            index &+= 1
        }
        return index
    }

    @inline(__always)
    private func scanColon(from start: Int) throws(JSONError) -> Int {
        let index = skipWhitespace(from: start)
        guard index < end else { throw JSONError(.unexpectedEnd, at: index) }
        guard bytes[index] == UInt8(ascii: ":") else { throw JSONError(.expectedColon, at: index) }
        return index &+ 1
    }

    /// Passes over the string whose opening quote is at `start`.
    private func scanString(at start: Int) throws(JSONError) -> (end: Int, isEscaped: Bool) {
        var index = start &+ 1
        var isEscaped = false
        while true {
            index = JSONText.plainEnd(bytes, from: index, to: end)
            guard index < end else { throw JSONError(.unexpectedEnd, at: index) }
            let byte = bytes[index]
            if byte == UInt8(ascii: "\"") { return (index &+ 1, isEscaped) }
            if byte >= 0x80 {
                repeat {
                    let length = UTF8Sequence.validLength(bytes, at: index, end: end)
                    guard length > 0 else { throw JSONError(.invalidUTF8, at: index) }
                    index &+= length
                } while index < end && bytes[index] >= 0x80
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
                index = try scanEscape(at: index)
            } else {
                throw JSONError(.controlCharacter, at: index)
            }
        }
    }

    private func scanEscape(at start: Int) throws(JSONError) -> Int {
        guard start &+ 1 < end else { throw JSONError(.unexpectedEnd, at: end) }
        switch bytes[start &+ 1] {
        case UInt8(ascii: "n"), UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "t"),
            UInt8(ascii: "r"), UInt8(ascii: "b"), UInt8(ascii: "f"):
            return start &+ 2
        case UInt8(ascii: "u"):
            guard start &+ 6 <= end else { throw JSONError(.invalidEscape, at: start) }
            guard JSONText.hexadecimal(bytes, at: start &+ 2) != nil else { throw JSONError(.invalidEscape, at: start) }
            return start &+ 6
        default:
            throw JSONError(.invalidEscape, at: start)
        }
    }

    private func scanLiteral(at start: Int) throws(JSONError) -> Int {
        switch bytes[start] {
        case UInt8(ascii: "t"): return try scanWord(at: start, 0x65_75_72_74)
        case UInt8(ascii: "n"): return try scanWord(at: start, 0x6C_6C_75_6E)
        case UInt8(ascii: "f"):
            let stop = try scanWord(at: start, 0x73_6C_61_66)
            guard stop < end, bytes[stop] == UInt8(ascii: "e") else { throw JSONError(.invalidLiteral, at: start) }
            return stop &+ 1
        default: throw JSONError(.expectedValue, at: start)
        }
    }

    /// Passes over four letters, given as a little-endian word.
    @inline(__always)
    private func scanWord(at start: Int, _ letters: UInt32) throws(JSONError) -> Int {
        guard end &- start >= 4,
            UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self)) == letters
        else { throw JSONError(.invalidLiteral, at: start) }
        return start &+ 4
    }

    private func scanNumber(at start: Int) throws(JSONError) -> Int {
        var index = start
        if bytes[index] == UInt8(ascii: "-") { index &+= 1 }
        let integer = index
        index = try scanDigits(from: index, number: start)
        guard bytes[integer] != UInt8(ascii: "0") || index == integer &+ 1 else {
            throw JSONError(.invalidNumber, at: start)
        }
        if index < end, bytes[index] == UInt8(ascii: ".") {
            index = try scanDigits(from: index &+ 1, number: start)
        }
        if index < end, bytes[index] | 0x20 == UInt8(ascii: "e") {
            index &+= 1
            if index < end, bytes[index] == UInt8(ascii: "+") || bytes[index] == UInt8(ascii: "-") { index &+= 1 }
            index = try scanDigits(from: index, number: start)
        }
        return index
    }

    @inline(__always)
    private func scanDigits(from first: Int, number start: Int) throws(JSONError) -> Int {
        var index = first
        while index < end, bytes[index] &- UInt8(ascii: "0") < 10 { index &+= 1 }
        guard index > first else { throw JSONError(.invalidNumber, at: start) }
        return index
    }

    /// Passes over the container whose opening bracket is at `start`, without recursion.
    private func scanContainer(at start: Int) throws(JSONError) -> Int {
        var nesting = JSONNesting(open: depth)
        var index = start
        while true {
            // Here `index` is at an opening bracket.
            var isObject = bytes[index] == UInt8(ascii: "{")
            guard nesting.push(isObject) else { throw JSONError(.nestedTooDeep, at: index) }
            index = skipWhitespace(from: index &+ 1)
            guard index < end else { throw JSONError(.unexpectedEnd, at: index) }
            var isAfterValue = bytes[index] == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]"))
            items: while true {
                if isAfterValue {
                    index = skipWhitespace(from: index)
                    guard index < end else { throw JSONError(.unexpectedEnd, at: index) }
                    let byte = bytes[index]
                    if byte == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
                        index &+= 1
                        guard nesting.pop() else { return index }
                        isObject = nesting.isObject
                        continue items
                    }
                    guard byte == UInt8(ascii: ",") else {
                        throw JSONError(isObject ? .expectedCommaOrObjectEnd : .expectedCommaOrArrayEnd, at: index)
                    }
                    index = skipWhitespace(from: index &+ 1)
                    guard index < end else { throw JSONError(.unexpectedEnd, at: index) }
                }
                if isObject {
                    guard bytes[index] == UInt8(ascii: "\"") else { throw JSONError(.expectedKey, at: index) }
                    index = skipWhitespace(from: try scanColon(from: try scanString(at: index).end))
                    guard index < end else { throw JSONError(.unexpectedEnd, at: index) }
                }
                let byte = bytes[index]
                if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") { break items }
                index = try scanScalar(byte, at: index)
                isAfterValue = true
            }
        }
    }

    @inline(__always)
    private func scanScalar(_ byte: UInt8, at index: Int) throws(JSONError) -> Int {
        switch byte {
        case UInt8(ascii: "\""): return try scanString(at: index).end
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try scanNumber(at: index)
        default: return try scanLiteral(at: index)
        }
    }
}

/// The kinds of the containers that are open, one bit each.
private struct JSONNesting {
    private var kinds = SIMD8<UInt64>()
    private var count = 0
    private let limit: Int
    private(set) var isObject = false

    init(open: Int) {
        limit = JSONScanner.maxDepth - open
    }

    @inline(__always)
    mutating func push(_ isObject: Bool) -> Bool {
        guard count < limit else { return false }
        let bit: UInt64 = 1 << UInt64(count & 63)
        if isObject { kinds[count >> 6] |= bit } else { kinds[count >> 6] &= ~bit }
        count &+= 1
        self.isObject = isObject
        return true
    }

    /// Leaves the innermost container; false when it was the outermost.
    @inline(__always)
    mutating func pop() -> Bool {
        count &-= 1
        guard count > 0 else { return false }
        isObject = kinds[(count &- 1) >> 6] & (1 << UInt64((count &- 1) & 63)) != 0
        return true
    }
}
