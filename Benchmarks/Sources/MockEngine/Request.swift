// Reads the little that the mock engine needs from an HTTP/1.1 request.

internal import Loopback

/// What a request asks the engine for.
package enum Wanted {
    case chat
    case stream(StreamShape, usage: Bool)
    case models
    case health
    case info
    case statistics
    case other(path: String)
    case malformed
}

/// The length and pace of a stream.
package struct StreamShape {
    package var events: Int
    /// Nanoseconds from one event to the next.
    package var interval: UInt64

    /// `events` content events at `rate` a second.
    package init(events: Int, rate: Int) {
        self.events = events
        interval = 1_000_000_000 / UInt64(rate)
    }
}

/// One request, as far as the engine looks at it.
package struct Request {
    package let wanted: Wanted
    /// The bytes it takes, head and body.
    package let length: Int
    /// Where its body begins.
    private let body: Int

    /// The first request in `bytes`, or nil while it is incomplete.
    package init?(_ bytes: UnsafeRawBufferPointer, defaults: StreamShape) {
        guard let blank = bytes.firstOffset(of: "\r\n\r\n") else { return nil }
        let body = blank + 4
        if bytes.headerValue("transfer-encoding:", within: body) != nil {
            // No contender sends one here; saying so is better than measuring a wrong thing.
            self.init(wanted: .malformed, length: bytes.count, body: body)
            return
        }
        let bodyLength = bytes.headerValue("content-length:", within: body).flatMap { bytes.decimal(at: $0) } ?? 0
        let length = body + Int(bodyLength)
        guard bytes.count >= length else { return nil }
        self.init(
            wanted: Self.wanted(
                bytes,
                body: UnsafeRawBufferPointer(rebasing: bytes[body..<length]),
                defaults: defaults
            ),
            length: length,
            body: body
        )
    }

    private init(wanted: Wanted, length: Int, body: Int) {
        self.wanted = wanted
        self.length = length
        self.body = body
    }

    /// The prompt as the engine reads it: the value of `messages`, byte for byte. A longer conversation begins with the
    /// bytes of the shorter one, except for the bracket at its end.
    package func prompt(in bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        guard let key = bytes.firstOffset(of: "\"messages\"", from: body), key < length else {
            return UnsafeRawBufferPointer(start: nil, count: 0)
        }
        var index = key + 10
        while index < length, bytes[index] != 0x5B { index += 1 }
        let start = index
        var depth = 0
        var isInString = false
        while index < length {
            let byte = bytes[index]
            index += 1
            if isInString {
                if byte == 0x5C { index += 1 } else if byte == 0x22 { isInString = false }
                continue
            }
            switch byte {
            case 0x22: isInString = true
            case 0x5B, 0x7B: depth += 1
            case 0x5D, 0x7D: depth -= 1
            default: break
            }
            if depth == 0 { break }
        }
        return UnsafeRawBufferPointer(rebasing: bytes[min(start, length)..<min(index, length)])
    }

    private static func wanted(
        _ bytes: UnsafeRawBufferPointer,
        body: UnsafeRawBufferPointer,
        defaults: StreamShape
    ) -> Wanted {
        guard let space = bytes.firstOffset(of: 0x20, from: 0) else { return .malformed }
        let path = space + 1
        if bytes.matches("/v1/chat/completions ", at: path) {
            guard asksForStream(body) else { return .chat }
            return .stream(shape(body, defaults: defaults), usage: body.firstOffset(of: "\"include_usage\"") != nil)
        }
        guard let end = bytes.firstOffset(of: 0x20, from: path) else { return .malformed }
        switch String(decoding: bytes[path..<end], as: UTF8.self) {
        case "/v1/models": return .models
        case "/health", "/health/", "/ping", "/": return .health
        case "/get_server_info", "/server_info", "/get_model_info", "/model_info", "/version": return .info
        case "/mock/statistics": return .statistics
        case let path: return .other(path: path)
        }
    }

    /// `"stream"` and after it a colon and `true`; `stream_options` has its quote elsewhere.
    private static func asksForStream(_ body: UnsafeRawBufferPointer) -> Bool {
        guard let key = body.firstOffset(of: "\"stream\"") else { return false }
        var index = key + 8
        while index < body.count, body[index] == 0x3A || body[index] == 0x20 { index += 1 }
        return body.matches("true", at: index)
    }

    private static func shape(_ body: UnsafeRawBufferPointer, defaults: StreamShape) -> StreamShape {
        var shape = defaults
        if let key = body.firstOffset(of: "\"max_tokens\""),
            let events = number(in: body, from: key + 12), events > 0
        {
            shape.events = Int(min(events, 99_999))
        }
        if let key = body.firstOffset(of: "\"rate="), let rate = body.decimal(at: key + 6), rate > 0 {
            shape.interval = 1_000_000_000 / rate
        }
        return shape
    }

    private static func number(in body: UnsafeRawBufferPointer, from start: Int) -> UInt64? {
        var index = start
        while index < body.count, body[index] == 0x3A || body[index] == 0x20 { index += 1 }
        return body.decimal(at: index)
    }
}
