// The fields of one complete block of an event stream, as ranges of its bytes.

struct SSEFields {
    private(set) var name = 0..<0
    private(set) var data: Range<Int>?
    /// There are several data lines; they are in the buffer that was passed in.
    private(set) var isJoined = false
    private(set) var id: Range<Int>?
    private(set) var retry: Int?
    private(set) var comment: Range<Int>?

    init(_ block: UnsafeRawBufferPointer, joined: inout [UInt8]) {
        var lineEnds = SSELineEnds(block)
        var start = 0
        while start < block.count {
            let end = lineEnds.next(from: start)
            if end > start { read(block, start..<end, joined: &joined) }
            // A CRLF leaves an empty line behind, which means nothing inside a block.
            start = end &+ 1
        }
    }

    private mutating func read(_ block: UnsafeRawBufferPointer, _ line: Range<Int>, joined: inout [UInt8]) {
        var colon = line.lowerBound
        while colon < line.upperBound, block[colon] != UInt8(ascii: ":") { colon &+= 1 }
        var start = min(colon &+ 1, line.upperBound)
        if start < line.upperBound, block[start] == 0x20 { start &+= 1 }
        let value = start..<line.upperBound
        let field = UnsafeRawBufferPointer(rebasing: block[line.lowerBound..<colon])
        switch field.count {
        case 0 where comment == nil: comment = value
        case 4 where field.equals("data"): addData(block, value, joined: &joined)
        case 5 where field.equals("event"): name = value
        case 2 where field.equals("id"):
            if !block.clamped(to: value).contains(0) { id = value }
        case 5 where field.equals("retry"): setRetry(block.clamped(to: value))
        default: break
        }
    }

    private mutating func addData(_ block: UnsafeRawBufferPointer, _ value: Range<Int>, joined: inout [UInt8]) {
        guard let first = data else {
            data = value
            return
        }
        if !isJoined {
            isJoined = true
            joined.removeAll(keepingCapacity: joined.capacity <= 1 << 16)
            joined.append(bytes: block.clamped(to: first))
        }
        joined.append(0x0A)
        joined.append(bytes: block.clamped(to: value))
    }

    private mutating func setRetry(_ digits: UnsafeRawBufferPointer) {
        guard !digits.isEmpty, digits.count <= 15 else { return }
        var value = 0
        for byte in digits {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return }
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
        }
        retry = value
    }
}
