// Server-sent events out of a byte stream that arrives in any pieces (WHATWG HTML, section 9.2.6).

/// One block of the stream, up to and with the blank line that ends it. All buffers are valid only inside the closure
/// that is handed the event.
package struct SSEEvent {
    /// The bytes as they came, line ends and blank line included.
    package let raw: UnsafeRawBufferPointer
    /// The `event` field; empty when there is none, which means `message`.
    package let name: UnsafeRawBufferPointer
    /// The `data` lines joined by LF; nil for a block without any, which dispatches nothing.
    package let data: UnsafeRawBufferPointer?
    /// The block's own `id` field; nil when there is none. Remembering the last one is the caller's part.
    package let id: UnsafeRawBufferPointer?
    /// The `retry` field in milliseconds.
    package let retry: Int?
    /// The text of the block's first comment line.
    package let comment: UnsafeRawBufferPointer?
}

/// What can be wrong with an event stream.
package enum SSEError: Error, Equatable, Sendable, CustomStringConvertible {
    /// An event has more bytes than the parser accepts.
    case eventTooLarge(limit: Int)

    package var description: String {
        switch self {
        case .eventTooLarge(let limit): "an event of the stream is larger than \(limit) bytes"
        }
    }
}

/// Cuts a byte stream into events. LF, CR and CRLF end lines, a byte order mark at the start is dropped.
///
/// An event that is inside one piece is handed out without a copy. The bytes of an unfinished event are kept until
/// its blank line comes; if the stream ends first, the event is not dispatched, and ``pendingByteCount`` tells.
package struct SSEParser: Sendable {
    /// The default bound on one event's bytes: 8 MiB.
    package static let defaultMaxEventSize = 8 << 20

    /// The most bytes of one event, line ends included.
    package let maxEventSize: Int
    /// Whether blocks without data (comments, lone `id` or `retry` fields) are reported, with `data` nil.
    package let reportsBlocksWithoutData: Bool

    /// The unfinished block.
    private var pending: [UInt8] = []
    private var joined: [UInt8] = []
    private var boundary = SSEBoundary()
    private var isFirstBlock = true
    private var failure: SSEError?

    package init(maxEventSize: Int = defaultMaxEventSize, reportsBlocksWithoutData: Bool = false) {
        self.maxEventSize = maxEventSize
        self.reportsBlocksWithoutData = reportsBlocksWithoutData
    }

    /// How many of the fed bytes belong to an event that has not ended. A relay that forwards whole events only holds
    /// back this many bytes from the end of what it was fed.
    package var pendingByteCount: Int { pending.count }

    /// Takes the next piece of the stream and reports each event that ends in it.
    /// - Parameter onEvent: Must not keep the event's buffers.
    /// - Throws: `SSEError` for an event beyond the bound, now and on every later call; and what `onEvent` throws,
    ///   after which the rest of the piece is lost and the parser should not be used further.
    package mutating func feed(
        _ bytes: UnsafeRawBufferPointer,
        onEvent: (SSEEvent) throws -> Void
    ) throws {
        if let failure { throw failure }
        var lineEnds = SSELineEnds(bytes)
        var start = boundary.skipLineFeed(bytes)
        while let end = boundary.nextBlockEnd(&lineEnds, from: start) {
            let piece = bytes.clamped(to: start..<end)
            start = end
            try checkSize(pending.count + piece.count)
            if pending.isEmpty {
                try report(piece, onEvent)
            } else {
                // Taken out for the call, and put back empty, so that its memory is used again.
                pending.append(bytes: piece)
                var block: [UInt8] = []
                swap(&block, &pending)
                try block.withUnsafeBytes { try report($0, onEvent) }
                block.removeAll(keepingCapacity: block.capacity <= 1 << 16)
                swap(&block, &pending)
            }
        }
        guard start < bytes.count else { return }
        try checkSize(pending.count + bytes.count - start)
        pending.append(bytes: bytes.clamped(to: start..<bytes.count))
    }

    /// Takes the next piece of the stream as an array.
    package mutating func feed(_ bytes: [UInt8], onEvent: (SSEEvent) throws -> Void) throws {
        try bytes.withUnsafeBytes { try feed($0, onEvent: onEvent) }
    }

    /// Ends the stream and reports the unfinished block, if there is one, although the specification drops it: for
    /// senders that leave out the last blank line. Whoever follows the specification looks at
    /// ``pendingByteCount`` only.
    package mutating func finish(onEvent: (SSEEvent) throws -> Void) throws {
        var block: [UInt8] = []
        swap(&block, &pending)
        boundary = SSEBoundary()
        guard !block.isEmpty else { return }
        try block.withUnsafeBytes { try report($0, onEvent) }
    }

    private mutating func checkSize(_ size: Int) throws {
        guard size > maxEventSize else { return }
        let error = SSEError.eventTooLarge(limit: maxEventSize)
        failure = error
        pending = []
        throw error
    }

    private mutating func report(
        _ block: UnsafeRawBufferPointer,
        _ onEvent: (SSEEvent) throws -> Void
    ) throws {
        var text = block
        if isFirstBlock {
            isFirstBlock = false
            let mark = block.clamped(to: 0..<3)
            if mark.elementsEqual([0xEF, 0xBB, 0xBF]) { text = block.clamped(to: 3..<block.count) }
        }
        let fields = SSEFields(text, joined: &joined)
        guard fields.data != nil || reportsBlocksWithoutData else { return }
        try joined.withUnsafeBytes { joined in
            let data = fields.isJoined ? UnsafeRawBufferPointer(joined) : fields.data.map { text.clamped(to: $0) }
            let event = SSEEvent(
                raw: block,
                name: text.clamped(to: fields.name),
                data: data,
                id: fields.id.map { text.clamped(to: $0) },
                retry: fields.retry,
                comment: fields.comment.map { text.clamped(to: $0) }
            )
            try onEvent(event)
        }
    }
}
