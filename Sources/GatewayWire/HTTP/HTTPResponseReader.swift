// An HTTP/1 response out of bytes that arrive in any pieces (RFC 9112): status, header lines as they came, body.
//
// A reader of our own because each event of a stream passes through it: a chunk takes it 51 ns where NIO's decoder takes 584,
// a whole response of 300 bytes 196 ns instead of 2,090 (medians; swift package --package-path Benchmarks benchmark --target
// WireBenchmarks --filter 'HTTP.*'). Tests/Fuzzing holds both against each other.

/// What is wrong with a response.
package enum HTTPResponseError: Error, Equatable, Sendable {
    /// It breaks a rule; the text says which, for a message.
    case malformed(String)
    /// Its head is over the limit.
    case headTooLarge(limit: Int)
}

/// The final head of a response.
package struct HTTPResponseHead: Sendable {
    /// The status code; 1xx only if it is 101, after which there is no other.
    package let status: Int
    /// The header lines as they came, each with its line end.
    package let lines: [UInt8]
    /// Whether the body is compressed.
    package let isEncoded: Bool

    /// Describes a head.
    package init(status: Int, lines: [UInt8], isEncoded: Bool) {
        self.status = status
        self.lines = lines
        self.isEncoded = isEncoded
    }
}

/// Reads one response after the other from a connection. Interim (1xx) responses are passed over.
///
/// It is strict where two readers could disagree about where a body ends: a length that is not a number, two lengths
/// that differ, or a coding it does not know end the connection. After an error nothing more can be read. Where it is
/// stricter than NIO's reader or laxer, and why, is a table in Tests/ModelGatewayServerTests/Differential.
package struct HTTPResponseReader: Sendable {
    private enum State {
        case statusLine
        case headerLine
        /// Bytes of the body that are still to come.
        case body(Int)
        case chunkSize
        /// Bytes of the chunk that are still to come.
        case chunk(Int)
        case chunkEnd
        case trailer
        /// The body ends when the connection does.
        case bodyUntilClose
        case complete
    }

    private var state = State.complete
    private var expectsBody = true
    /// The beginning of a line whose end has not come yet.
    private var partialLine: [UInt8] = []
    private var fields = HTTPResponseFields()
    private let maxHeadSize: Int
    private var headSize = 0

    /// Whether anything of the response has come.
    package private(set) var hasBegun = false
    /// Whether the final head has come.
    package private(set) var hasHead = false
    /// Whether the connection can be used for another request after this response.
    package private(set) var keepsConnection = false
    /// For how many seconds the other side keeps the unused connection after this response, if it says so.
    package var idleSeconds: Int? { fields.idleSeconds }

    /// Creates a reader.
    /// - Parameter maxHeadSize: The most bytes of all lines of a response together, interim ones and trailers included.
    package init(maxHeadSize: Int) {
        self.maxHeadSize = maxHeadSize
    }

    /// Whether the response has been read to its end.
    package var isComplete: Bool {
        if case .complete = state { true } else { false }
    }

    /// Expects the response to a request that is being sent.
    /// - Parameter expectsBody: False after a `HEAD`.
    package mutating func begin(expectsBody: Bool) {
        self.expectsBody = expectsBody
        state = .statusLine
        headSize = 0
        hasBegun = false
        hasHead = false
        keepsConnection = false
    }

    /// Takes the next piece.
    /// - Parameters:
    ///   - onHead: Is given the final head.
    ///   - onBody: Is given bytes of the body, which are valid during the call only.
    /// - Returns: How many bytes belong to this response; fewer than there are only at its end.
    package mutating func read(
        _ bytes: UnsafeRawBufferPointer,
        onHead: (HTTPResponseHead) -> Void,
        onBody: (UnsafeRawBufferPointer) -> Void
    ) throws(HTTPResponseError) -> Int {
        var position = 0
        while position < bytes.count {
            switch state {
            case .complete:
                return position
            case .bodyUntilClose:
                onBody(bytes.clamped(to: position..<bytes.count))
                position = bytes.count
            case .body(let rest):
                let taken = take(rest, of: bytes, at: &position, onBody)
                state = taken < rest ? .body(rest - taken) : .complete
            case .chunk(let rest):
                let taken = take(rest, of: bytes, at: &position, onBody)
                state = taken < rest ? .chunk(rest - taken) : .chunkEnd
            case .statusLine, .headerLine, .chunkSize, .chunkEnd, .trailer:
                try readLine(bytes, at: &position, onHead)
            }
        }
        return position
    }

    /// The connection was closed by its other side.
    /// - Returns: Whether the response is whole: its end is the connection's.
    package mutating func end() -> Bool {
        switch state {
        case .bodyUntilClose, .complete:
            state = .complete
            return true
        default:
            return false
        }
    }

    private func take(
        _ rest: Int,
        of bytes: UnsafeRawBufferPointer,
        at position: inout Int,
        _ onBody: (UnsafeRawBufferPointer) -> Void
    ) -> Int {
        let count = min(rest, bytes.count - position)
        onBody(bytes.clamped(to: position..<(position + count)))
        position += count
        return count
    }
}

// MARK: - Lines

extension HTTPResponseReader {
    private mutating func readLine(
        _ bytes: UnsafeRawBufferPointer,
        at position: inout Int,
        _ onHead: (HTTPResponseHead) -> Void
    ) throws(HTTPResponseError) {
        hasBegun = true
        let rest = bytes.clamped(to: position..<bytes.count)
        let end = rest.offset(of: 0x0A).map { $0 + 1 }
        let piece = rest.clamped(to: 0..<(end ?? rest.count))
        position += piece.count
        try count(piece.count)
        guard end != nil else {
            partialLine.append(bytes: piece)
            return
        }
        if partialLine.isEmpty {
            try take(line: piece, onHead)
        } else {
            partialLine.append(bytes: piece)
            let line = partialLine
            partialLine.removeAll(keepingCapacity: line.count <= 256)
            try line.withBytes { line throws(HTTPResponseError) in try take(line: line, onHead) }
        }
    }

    /// Counts bytes of a line against the limits.
    private mutating func count(_ bytes: Int) throws(HTTPResponseError) {
        switch state {
        case .chunkSize, .chunkEnd:
            guard partialLine.count + bytes <= Self.maxChunkLine else { throw .malformed("a chunk has no size") }
        default:
            headSize += bytes
            guard headSize <= maxHeadSize else { throw .headTooLarge(limit: maxHeadSize) }
        }
    }

    private static let maxChunkLine = 4096

    /// - Parameter line: With its line end, LF or CR LF.
    private mutating func take(
        line: UnsafeRawBufferPointer,
        _ onHead: (HTTPResponseHead) -> Void
    ) throws(HTTPResponseError) {
        let text = line.withoutLineEnd
        // To some readers a lone CR ends a line and a NUL ends a text (RFC 9112 §2.2, RFC 9110 §5.5).
        guard text.offset(of: 0x0D) == nil, text.offset(of: 0) == nil else {
            throw .malformed("a line of its head has a control character in it")
        }
        switch state {
        case .statusLine:
            fields = HTTPResponseFields()
            try fields.readStatus(text)
            state = .headerLine
        case .headerLine where text.isEmpty:
            try headComplete(onHead)
        case .headerLine:
            try fields.read(text)
            fields.lines.append(bytes: line)
        case .chunkSize:
            let size = try Self.chunkSize(text)
            state = size == 0 ? .trailer : .chunk(size)
        case .chunkEnd:
            guard text.isEmpty else { throw .malformed("a chunk is longer than its size") }
            state = .chunkSize
        case .trailer:
            if text.isEmpty { state = .complete }
        case .body, .chunk, .bodyUntilClose, .complete:
            break
        }
    }

    private mutating func headComplete(_ onHead: (HTTPResponseHead) -> Void) throws(HTTPResponseError) {
        let status = fields.status
        if (100..<200).contains(status), status != 101 {
            state = .statusLine
            return
        }
        if status == 101 {
            state = .bodyUntilClose
        } else if !expectsBody || status == 204 || status == 304 {
            state = .complete
        } else if fields.isChunked {
            state = .chunkSize
        } else if let length = fields.length {
            state = length == 0 ? .complete : .body(length)
        } else {
            state = .bodyUntilClose
        }
        // A length beside chunks is how requests are smuggled past a proxy (RFC 9112 §6.3): read, and not trusted again.
        keepsConnection = fields.keepsConnection && !(fields.isChunked && fields.length != nil)
        if case .bodyUntilClose = state { keepsConnection = false }
        hasHead = true
        var lines: [UInt8] = []
        swap(&lines, &fields.lines)
        onHead(HTTPResponseHead(status: status, lines: lines, isEncoded: fields.isEncoded))
    }

    /// RFC 9112 §7.1: hexadecimal digits, then maybe extensions, which mean nothing here.
    private static func chunkSize(_ text: UnsafeRawBufferPointer) throws(HTTPResponseError) -> Int {
        var size = 0
        var digits = 0
        for byte in text {
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte - 0x30
            case 0x41...0x46, 0x61...0x66: digit = (byte | 0x20) - 0x61 + 10
            case UInt8(ascii: ";"), UInt8(ascii: " "), UInt8(ascii: "\t"):
                guard digits > 0 else { throw .malformed("a chunk has no size") }
                return size
            default: throw .malformed("the size of a chunk is not a number")
            }
            guard digits < 15 else { throw .malformed("the size of a chunk is out of range") }
            size = size << 4 | Int(digit)
            // Leading zeros are not digits that count against the range.
            if size > 0 || digits == 0 { digits += 1 }
        }
        guard digits > 0 else { throw .malformed("a chunk has no size") }
        return size
    }
}

extension UnsafeRawBufferPointer {
    /// The line without LF or CR LF at its end.
    fileprivate var withoutLineEnd: UnsafeRawBufferPointer {
        var end = count
        if end > 0, self[end - 1] == 0x0A { end -= 1 }
        if end > 0, self[end - 1] == 0x0D { end -= 1 }
        return clamped(to: 0..<end)
    }
}
