// Where this library's reader of HTTP responses and NIO's part ways, and why. The fuzz target has it, too.

/// A kind of response that one of the readers reads and the other one refuses, or that they read as different things.
struct ResponseDifference: Sendable {
    enum Kind: Sendable, Equatable {
        /// Refused here with these words, and read by NIO.
        case stricter(String)
        /// Read here, and refused by NIO with these words.
        case laxer(String)
        /// Read by both, and not as the same.
        case unlike(status: Int)
    }

    let kind: Kind
    let reason: String
    /// Responses of that kind.
    let examples: [String]

    init(_ kind: Kind, _ reason: String, _ examples: String...) {
        self.kind = kind
        self.reason = reason
        self.examples = examples
    }

    /// Whether this is why two verdicts on the same bytes differ.
    func explains(_ ours: ResponseVerdict, _ theirs: ResponseVerdict) -> Bool {
        switch (ours, theirs) {
        case (.refused(let words), .read): kind == .stricter(words)
        case (.read, .refused(let words)): kind == .laxer(words)
        case (.read(let reading), .read): kind == .unlike(status: reading.status)
        default: false
        }
    }

    /// Whether two verdicts come to the same: the same response, or none.
    static func areAlike(_ ours: ResponseVerdict, _ theirs: ResponseVerdict) -> Bool {
        switch (ours, theirs) {
        case (.read(let ours), .read(let theirs)): ours == theirs
        case (.read, _), (_, .read): false
        default: true
        }
    }

    /// All there are. A difference that is not among them is a mistake of one of the readers.
    static let all = [
        ResponseDifference(
            .stricter("its transfer coding is not known"),
            "Who does not know a coding cannot know where the body ends (RFC 9112 §6.1). NIO takes the body to end with the "
                + "connection.",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhi",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"
        ),
        ResponseDifference(
            .stricter("a line of its head has a control character in it"),
            "To some readers a lone CR ends a line and a NUL ends a text. NIO reads them as a part of the reason.",
            "HTTP/1.1 200 O\r\rX: y\r\nContent-Length: 2\r\n\r\nhi"
        ),
        ResponseDifference(
            .stricter("its status is not a number"),
            "No status is below 100 (RFC 9110 §15).",
            "HTTP/1.1 099 OK\r\nContent-Length: 2\r\n\r\nhi"
        ),
        ResponseDifference(
            .stricter("it does not begin with a status line of HTTP/1"),
            "Blank lines may stand before a request (RFC 9112 §2.2), not before a response.",
            "\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
        ),
        ResponseDifference(
            .laxer("unknown (http_parser error)"),
            "LF alone may end a line (RFC 9112 §2.2), as old servers have it.",
            "HTTP/1.1 200 OK\r\nX: y\nContent-Length: 2\r\n\r\nhi"
        ),
        ResponseDifference(
            .laxer("invalid HTTP status code"),
            "The same, right behind the status.",
            "HTTP/1.1 200\nContent-Length: 2\r\n\r\nhi"
        ),
        ResponseDifference(
            .laxer("invalid character in header"),
            "The same before the body; and names that are no tokens: without white space in them no reader takes them for "
                + "something else.",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\nhi",
            "HTTP/1.1 200 OK\r\nX(y): z\r\nContent-Length: 2\r\n\r\nhi"
        ),
        ResponseDifference(
            .laxer("invalid character in content-length header"),
            "A list of one length is that length (RFC 9110 §8.6). Of chunks and a length the chunks hold (RFC 9112 §6.3), "
                + "and the connection is not used again.",
            "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nhi",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
        ),
        ResponseDifference(
            .laxer("unexpected content-length header"),
            "The same length in two lines is one length (RFC 9110 §8.6).",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi"
        ),
        ResponseDifference(
            .laxer("invalid character in chunk size header"),
            "White space behind the size of a chunk is bad, and to be read (RFC 9112 §7.1.1).",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\t\r\nhi\r\n0\r\n\r\n"
        ),
        ResponseDifference(
            .laxer("strict mode assertion"),
            "Extensions of chunks are passed over, whatever they are made of (RFC 9112 §7.1.1).",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;\u{1F}\r\nhi\r\n0\r\n\r\n"
        ),
        ResponseDifference(
            .unlike(status: 101),
            "What follows 101 is not HTTP: here it is the body, while NIO waits for another response or ends this one.",
            "HTTP/1.1 101 Switching Protocols\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"
        ),
    ]
}
