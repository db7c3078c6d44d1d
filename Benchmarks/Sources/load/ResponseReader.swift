// An incremental reader of HTTP/1.1 responses: the head, then a body by length or by chunks.

import Loopback

/// Takes the pieces of a body as they come.
protocol BodySink {
    mutating func take(_ bytes: UnsafeRawBufferPointer)
}

/// Where a response stands after the bytes read so far.
enum ResponseProgress {
    case incomplete
    case complete(status: Int, closes: Bool)
    /// It is not HTTP/1.1 as it should be.
    case broken
}

struct ResponseReader {
    private enum State {
        case head
        case body(remaining: Int)
        case chunkSize
        case chunk(remaining: Int)
        case chunkEnd
        case trailer
    }

    private var state = State.head
    private var status = 0
    private var closes = false

    /// Consumes what it can from `queue`; body bytes go to `sink`.
    mutating func read<Sink: BodySink>(_ queue: ByteQueue, into sink: inout Sink) -> ResponseProgress {
        while true {
            let bytes = queue.bytes
            switch state {
            case .head:
                guard let blank = bytes.firstOffset(of: "\r\n\r\n") else { return .incomplete }
                guard readHead(bytes, length: blank + 4) else { return .broken }
                queue.consume(blank + 4)
            case .body(0):
                return complete()
            case .body(let remaining):
                guard !bytes.isEmpty else { return .incomplete }
                state = .body(remaining: remaining - deliver(bytes, atMost: remaining, from: queue, into: &sink))
            case .chunkSize:
                guard let newline = bytes.firstOffset(of: 0x0A, from: 0) else { return .incomplete }
                guard let size = hexadecimal(bytes) else { return .broken }
                queue.consume(newline + 1)
                state = size == 0 ? .trailer : .chunk(remaining: size)
            case .chunk(0):
                state = .chunkEnd
            case .chunk(let remaining):
                guard !bytes.isEmpty else { return .incomplete }
                state = .chunk(remaining: remaining - deliver(bytes, atMost: remaining, from: queue, into: &sink))
            case .chunkEnd:
                guard bytes.count >= 2 else { return .incomplete }
                guard bytes[0] == 0x0D, bytes[1] == 0x0A else { return .broken }
                queue.consume(2)
                state = .chunkSize
            case .trailer:
                return endsTrailer(queue) ? complete() : .incomplete
            }
        }
    }

    private mutating func complete() -> ResponseProgress {
        state = .head
        return .complete(status: status, closes: closes)
    }

    private mutating func readHead(_ bytes: UnsafeRawBufferPointer, length: Int) -> Bool {
        guard bytes.matches("http/1.1 ", at: 0), let code = bytes.decimal(at: 9) else { return false }
        status = Int(code)
        closes = bytes.headerValue("connection:", within: length).map { bytes.matches("close", at: $0) } ?? false
        if let coding = bytes.headerValue("transfer-encoding:", within: length), bytes.matches("chunked", at: coding) {
            state = .chunkSize
        } else if let value = bytes.headerValue("content-length:", within: length), let size = bytes.decimal(at: value)
        {
            state = .body(remaining: Int(size))
        } else {
            return false
        }
        return true
    }

    private func deliver<Sink: BodySink>(
        _ bytes: UnsafeRawBufferPointer,
        atMost limit: Int,
        from queue: ByteQueue,
        into sink: inout Sink
    ) -> Int {
        let count = min(limit, bytes.count)
        sink.take(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        queue.consume(count)
        return count
    }

    /// Drops trailer lines; true once the empty line that ends them is there.
    private func endsTrailer(_ queue: ByteQueue) -> Bool {
        while let newline = queue.bytes.firstOffset(of: 0x0A, from: 0) {
            queue.consume(newline + 1)
            if newline <= 1 { return true }
        }
        return false
    }

    private func hexadecimal(_ bytes: UnsafeRawBufferPointer) -> Int? {
        var value = 0
        for (index, byte) in bytes.enumerated() {
            switch byte {
            case 0x30...0x39: value = value << 4 | Int(byte - 0x30)
            case 0x61...0x66: value = value << 4 | Int(byte - 0x61 + 10)
            case 0x41...0x46: value = value << 4 | Int(byte - 0x41 + 10)
            default: return index > 0 && index <= 8 ? value : nil
            }
        }
        return nil
    }
}
