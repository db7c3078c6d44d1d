// Where lines and blocks of an event stream end, also when the stream arrives in pieces.

/// Finds line ends with `memchr`, and remembers the next one of each kind, so that a piece is searched only once for
/// the kind that it does not contain.
struct SSELineEnds {
    let bytes: UnsafeRawBufferPointer
    private var lineFeed = -1
    private var carriageReturn = -1

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// Offset of the first LF or CR at or behind `start`; the number of bytes when there is none.
    @inline(__always)
    mutating func next(from start: Int) -> Int {
        if lineFeed < start { lineFeed = find(0x0A, from: start) }
        if carriageReturn < start { carriageReturn = find(0x0D, from: start) }
        return min(lineFeed, carriageReturn)
    }

    private func find(_ byte: UInt8, from start: Int) -> Int {
        bytes.offset(of: byte, from: start) ?? bytes.count
    }
}

/// Finds the blank lines that end blocks; carries what it knows of an unfinished line from piece to piece.
struct SSEBoundary: Sendable {
    private var isLineEmpty = true
    /// The last byte was a CR that ended a line; an LF right behind it belongs to that line end.
    private var isAfterCarriageReturn = false
    /// The same at the end of a block that has been reported already.
    private var isBlockEndedByCarriageReturn = false

    /// The LF of a CRLF whose CR ended a block at the end of the piece before: it belongs to no later block.
    /// - Returns: How many bytes to leave out at the start of the piece.
    mutating func skipLineFeed(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard isBlockEndedByCarriageReturn, let first = bytes.first else { return 0 }
        isBlockEndedByCarriageReturn = false
        return first == 0x0A ? 1 : 0
    }

    /// Offset behind the blank line that ends the current block; nil when the piece ends first.
    mutating func nextBlockEnd(_ lineEnds: inout SSELineEnds, from start: Int) -> Int? {
        let bytes = lineEnds.bytes
        var index = start
        while index < bytes.count {
            let byte = bytes[index]
            if isAfterCarriageReturn {
                isAfterCarriageReturn = false
                if byte == 0x0A {
                    index &+= 1
                    continue
                }
            }
            if isLineEmpty, byte == 0x0A { return index &+ 1 }
            if isLineEmpty, byte == 0x0D {
                if index &+ 1 == bytes.count {
                    isBlockEndedByCarriageReturn = true
                    return index &+ 1
                }
                return bytes[index &+ 1] == 0x0A ? index &+ 2 : index &+ 1
            }
            let lineEnd = lineEnds.next(from: index)
            guard lineEnd < bytes.count else {
                isLineEmpty = false
                return nil
            }
            isLineEmpty = true
            isAfterCarriageReturn = bytes[lineEnd] == 0x0D
            index = lineEnd &+ 1
        }
        return nil
    }
}
