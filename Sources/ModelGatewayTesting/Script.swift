// What a scripted engine answers to one request: bytes, pauses and an ending, put together from well-formed parts and
// then spoiled on purpose.

public import ModelGateway

/// The answer to one request, as a list of things to do on the connection.
///
/// Start from a well-formed answer and bend it:
///
/// ```swift
/// Script.events(["{\"a\":1}", "[DONE]"], pace: .milliseconds(5))
///     .delayed(by: .milliseconds(50))
///     .cut(after: 120, by: .reset)
/// ```
public struct Script: Sendable {
    /// One thing to do.
    public enum Step: Sendable {
        /// Write these bytes, in one piece.
        case send([UInt8])
        /// Do nothing for a time. A client that closes meanwhile is noticed at once.
        case pause(Duration)
        /// Do nothing until ``ScriptedEngine/release()`` or until the client closes.
        case stall
    }

    /// What happens to the connection after the last step.
    public enum Ending: Sendable {
        /// The next request is read from it.
        case keepAlive
        /// It is closed in order (FIN).
        case close
        /// It is torn down (RST); bytes that the client has not read yet may be lost.
        case reset
    }

    /// How the end of a body is marked.
    public enum Framing: Sendable {
        /// `Content-Length` with the true length.
        case contentLength
        /// `Content-Length` with this value, whatever the true length is.
        case declaredLength(Int)
        /// `Transfer-Encoding: chunked`, one chunk for each part of the body.
        case chunked
        /// No length; the connection is closed at the end.
        case untilClose
    }

    /// What is done, in this order.
    public var steps: [Step]
    /// What happens to the connection afterwards.
    public var ending: Ending

    /// Creates a script from its steps.
    public init(steps: [Step], ending: Ending = .keepAlive) {
        self.steps = steps
        self.ending = ending
    }

    // MARK: Well-formed answers

    /// An answer with a body in parts.
    /// - Parameters:
    ///   - status: The status code.
    ///   - headers: Header lines besides the ones that the framing needs.
    ///   - parts: The body. Each part is written by itself.
    ///   - framing: How the end of the body is marked.
    ///   - pace: The pause before each part.
    public static func response(
        status: Int = 200,
        headers: [HTTPHeader] = [],
        parts: [[UInt8]] = [],
        framing: Framing = .contentLength,
        pace: Duration = .zero
    ) -> Script {
        var head = "HTTP/1.1 \(status) \(reason(for: status))\r\n"
        for header in headers { head += "\(header.name): \(header.value)\r\n" }
        var ending = Ending.keepAlive
        var isChunked = false
        switch framing {
        case .contentLength: head += "Content-Length: \(parts.reduce(0) { $0 + $1.count })\r\n"
        case .declaredLength(let length): head += "Content-Length: \(length)\r\n"
        case .chunked:
            head += "Transfer-Encoding: chunked\r\n"
            isChunked = true
        case .untilClose: ending = .close
        }
        head += "\r\n"
        var steps: [Step] = []
        var pending = Array(head.utf8)
        for part in parts {
            if pace > .zero {
                steps.append(.send(pending))
                steps.append(.pause(pace))
                pending = []
            }
            pending += isChunked ? chunk(part) : part
            steps.append(.send(pending))
            pending = []
        }
        if isChunked { pending += Array("0\r\n\r\n".utf8) }
        if !pending.isEmpty { steps.append(.send(pending)) }
        return Script(steps: steps, ending: ending)
    }

    /// A JSON answer.
    public static func json(_ text: String, status: Int = 200, headers: [HTTPHeader] = []) -> Script {
        response(
            status: status,
            headers: [HTTPHeader("Content-Type", "application/json")] + headers,
            parts: [Array(text.utf8)]
        )
    }

    /// A stream of server-sent events, chunked, each event one `data:` line and one chunk.
    /// - Parameters:
    ///   - events: The data of each event. A final `[DONE]` is not added.
    ///   - pace: The pause before each event.
    ///   - status: The status of the answer. Default 200.
    ///   - headers: Header lines besides the content type.
    public static func events(
        _ events: [String],
        pace: Duration = .zero,
        status: Int = 200,
        headers: [HTTPHeader] = []
    ) -> Script {
        response(
            status: status,
            headers: [HTTPHeader("Content-Type", "text/event-stream")] + headers,
            parts: events.map { Array("data: \($0)\n\n".utf8) },
            framing: .chunked,
            pace: pace
        )
    }

    /// These bytes as they are, then the ending. For everything that no server should send.
    public static func raw(_ text: String, ending: Ending = .close) -> Script {
        Script(steps: [.send(Array(text.utf8))], ending: ending)
    }

    /// The connection is closed or reset without a byte.
    public static func hangUp(_ ending: Ending = .close) -> Script {
        Script(steps: [], ending: ending)
    }

    // MARK: Changes

    /// The same after a pause.
    public func delayed(by pause: Duration) -> Script {
        Script(steps: [.pause(pause)] + steps, ending: ending)
    }

    /// The same after an interim (1xx) response.
    public func preceded(byInterim status: Int, headers: [HTTPHeader] = []) -> Script {
        var head = "HTTP/1.1 \(status) Interim\r\n"
        for header in headers { head += "\(header.name): \(header.value)\r\n" }
        return Script(steps: [.send(Array((head + "\r\n").utf8))] + steps, ending: ending)
    }

    /// Only the first so many bytes of the answer, head included; then the connection ends.
    public func cut(after bytes: Int, by ending: Ending = .close) -> Script {
        Script(steps: split(at: bytes).before, ending: ending)
    }

    /// The first so many bytes, head included; then nothing until ``ScriptedEngine/release()``; then the rest.
    public func stalled(after bytes: Int) -> Script {
        let (before, after) = split(at: bytes)
        return Script(steps: before + [.stall] + after, ending: self.ending)
    }

    /// All but the last so many bytes; then nothing until ``ScriptedEngine/release()``; then the rest.
    public func stalled(beforeLast bytes: Int) -> Script {
        stalled(after: byteCount - bytes)
    }

    /// The same bytes, each write no longer than `count`, with a pause after each.
    public func inPieces(of count: Int, pace: Duration = .zero) -> Script {
        var pieces: [Step] = []
        for step in steps {
            guard case .send(let bytes) = step else {
                pieces.append(step)
                continue
            }
            for start in stride(from: 0, to: bytes.count, by: max(1, count)) {
                pieces.append(.send(Array(bytes[start..<min(bytes.count, start + max(1, count))])))
                if pace > .zero { pieces.append(.pause(pace)) }
            }
        }
        return Script(steps: pieces, ending: ending)
    }

    /// The same, and the connection is closed afterwards. The header line `Connection: close` is the caller's to add.
    public func thenClose() -> Script {
        Script(steps: steps, ending: .close)
    }

    /// How many bytes the script sends in all.
    public var byteCount: Int {
        steps.reduce(0) { count, step in
            if case .send(let bytes) = step { return count + bytes.count }
            return count
        }
    }

    private func split(at limit: Int) -> (before: [Step], after: [Step]) {
        var before: [Step] = []
        var left = max(0, limit)
        for (index, step) in steps.enumerated() {
            guard case .send(let bytes) = step else {
                before.append(step)
                continue
            }
            if bytes.count > left {
                if left > 0 { before.append(.send(Array(bytes[..<left]))) }
                return (before, [.send(Array(bytes[left...]))] + steps[(index + 1)...])
            }
            left -= bytes.count
            before.append(step)
        }
        return (before, [])
    }

    private static func chunk(_ bytes: [UInt8]) -> [UInt8] {
        if bytes.isEmpty { return [] }
        return Array((String(bytes.count, radix: 16) + "\r\n").utf8) + bytes + Array("\r\n".utf8)
    }

    private static func reason(for status: Int) -> String {
        switch status {
        case 200: "OK"
        case 204: "No Content"
        case 302: "Found"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 404: "Not Found"
        case 429: "Too Many Requests"
        case 500: "Internal Server Error"
        case 503: "Service Unavailable"
        default: "Status"
        }
    }
}
