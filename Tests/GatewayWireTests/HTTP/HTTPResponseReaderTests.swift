// The reader of HTTP responses: every way to cut one in two, and what it must refuse.

import GatewayWire
import Testing

@Suite("HTTP response reader")
struct HTTPResponseReaderTests {
    private struct Outcome: Equatable {
        var status: Int?
        var lines = ""
        var body = ""
        var isComplete = false
        var keepsConnection = false
        var isEncoded = false
        var rest = 0
        var error: HTTPResponseError?
    }

    private func read(
        _ pieces: [[UInt8]],
        expectsBody: Bool = true,
        closes: Bool = false,
        limit: Int = 1024
    ) -> Outcome {
        var outcome = Outcome()
        var body: [UInt8] = []
        var reader = HTTPResponseReader(maxHeadSize: limit)
        reader.begin(expectsBody: expectsBody)
        do throws(HTTPResponseError) {
            for piece in pieces {
                let count = try piece.withBytes { bytes throws(HTTPResponseError) in
                    try reader.read(
                        bytes,
                        onHead: { head in
                            outcome.status = head.status
                            outcome.lines = String(decoding: head.lines, as: UTF8.self)
                            outcome.isEncoded = head.isEncoded
                        },
                        onBody: { body += $0 }
                    )
                }
                outcome.rest += piece.count - count
            }
            if closes { outcome.isComplete = reader.end() }
        } catch {
            outcome.error = error
        }
        outcome.body = String(decoding: body, as: UTF8.self)
        outcome.isComplete = outcome.isComplete || reader.isComplete
        outcome.keepsConnection = reader.keepsConnection
        return outcome
    }

    private func read(_ text: String, expectsBody: Bool = true, closes: Bool = false, limit: Int = 1024) -> Outcome {
        read([Array(text.utf8)], expectsBody: expectsBody, closes: closes, limit: limit)
    }

    private static let responses: [(text: String, body: String, keepsConnection: Bool)] = [
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", true),
        ("HTTP/1.1 200\r\ncontent-length:\t5 \r\nX: y\r\n\r\nhello", "hello", true),
        ("HTTP/1.1 200 OK\nContent-Length: 5, 5\nContent-Length: 5\n\nhello", "hello", true),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nhe\r\n3;x=\"y\"\r\nllo\r\n0\r\n\r\n", "hello",
            true
        ),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0005\r\nhello\r\n000\r\nT: 1\r\n\r\n", "hello", true),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n0\r\n\r\n", "", false),
        ("HTTP/1.1 100 Continue\r\nX: 1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok", true),
        ("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", "", true),
        ("HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", "", true),
        ("HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 0\r\n\r\n", "", false),
        ("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok", false),
        ("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", "ok", true),
    ]

    @Test(arguments: responses)
    func `The reader reads a response cut anywhere`(text: String, body: String, keepsConnection: Bool) {
        let bytes = Array(text.utf8)
        let whole = read([bytes])
        #expect(whole.error == nil)
        #expect(whole.body == body)
        #expect(whole.isComplete)
        #expect(whole.keepsConnection == keepsConnection)
        for cut in 0...bytes.count {
            #expect(read([Array(bytes[..<cut]), Array(bytes[cut...])]) == whole, "cut at \(cut)")
            #expect(!read([Array(bytes[..<cut])]).isComplete || cut == bytes.count, "cut at \(cut)")
        }
        #expect(read(bytes.map { [$0] }) == whole)
    }

    @Test(arguments: [
        ("timeout=5, max=100", 5), ("max=3,  Timeout=60", 60), ("timeout=0", 0), ("timeout=", nil), ("timeout=-1", nil),
        ("timeout=5s", nil), ("timeout=99999999999", nil), ("time=5", nil), ("", nil), (",,", nil),
    ])
    func `The reader reads how long an unused connection is kept`(value: String, seconds: Int?) {
        var reader = HTTPResponseReader(maxHeadSize: 1024)
        for text in ["Keep-Alive: \(value)\r\n", ""] {
            reader.begin(expectsBody: true)
            let bytes = Array("HTTP/1.1 200 OK\r\n\(text)Content-Length: 0\r\n\r\n".utf8)
            let count = try? bytes.withBytes { bytes throws(HTTPResponseError) in
                try reader.read(bytes, onHead: { _ in }, onBody: { _ in })
            }
            #expect(count == bytes.count)
            #expect(reader.isComplete && reader.keepsConnection)
            // What one response says does not hold for the next.
            #expect(reader.idleSeconds == (text.isEmpty ? nil : seconds))
        }
    }

    @Test func `The reader leaves what comes after a response`() {
        let outcome = read("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500")
        #expect(outcome.body == "ok")
        #expect(outcome.rest == "HTTP/1.1 500".utf8.count)
    }

    @Test func `The reader reads no body after HEAD`() {
        let outcome = read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", expectsBody: false)
        #expect(outcome.isComplete)
        #expect(outcome.keepsConnection)
    }

    @Test func `A body without a length ends with its connection`() {
        let text = "HTTP/1.1 200 OK\r\nX: y\r\n\r\nhello"
        #expect(!read(text).isComplete)
        let outcome = read(text, closes: true)
        #expect(outcome.isComplete)
        #expect(outcome.body == "hello")
        #expect(!outcome.keepsConnection)
    }

    @Test(arguments: [
        "", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
    ])
    func `A cut response is not whole`(text: String) {
        let outcome = read(text, closes: true)
        #expect(!outcome.isComplete)
        #expect(outcome.error == nil)
    }

    @Test func `The reader keeps the lines as they came`() {
        let outcome = read("HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nset-cookie:b\nContent-Length: 0\r\n\r\n")
        #expect(outcome.lines == "Set-Cookie: a\r\nset-cookie:b\nContent-Length: 0\r\n")
    }

    @Test(arguments: [("gzip", true), ("identity", false), ("", false), ("br", true)])
    func `The reader recognises a compressed body`(coding: String, isEncoded: Bool) {
        let outcome = read("HTTP/1.1 200 OK\r\nContent-Encoding: \(coding)\r\nContent-Length: 0\r\n\r\n")
        #expect(outcome.isEncoded == isEncoded)
    }

    @Test(arguments: [
        "garbage\r\n", "HTTP/2 200 OK\r\n", "HTTP/1.2 200 OK\r\n", "HTTP/1.1 2x0 OK\r\n", "HTTP/1.1 099 OK\r\n",
        "HTTP/1.1 200OK\r\n", "HTTP/1.1200 OK\r\n", " HTTP/1.1 200 OK\r\n", "\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n", "HTTP/1.1 200 OK\r\n: nameless\r\n", "HTTP/1.1 200 OK\r\nName : x\r\n",
        "HTTP/1.1 200 OK\r\nX: 1\r\n folded\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length:\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1 2\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n",
        "HTTP/1.1 200 OK\rX: 1\r\n", "HTTP/1.1 200 OK\r\nX: 1\r\rY: 2\r\n", "HTTP/1.1 200 OK\r\nX: 1\u{0}2\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n",
    ])
    func `The reader refuses a malformed head`(text: String) {
        guard case .malformed = read(text).error else {
            Issue.record("Not refused: \(text.debugDescription)")
            return
        }
    }

    @Test(arguments: [
        "\r\n", "zz\r\n", "-1\r\n", "0x5\r\n", ";x\r\n", " 5\r\n", "1000000000000000\r\n", "FFFFFFFFFFFFFFFFFFFF\r\n",
        "5\r\nhello__0\r\n", "5\r\nhello6\r\n",
    ])
    func `The reader refuses a malformed chunk`(text: String) {
        let outcome = read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + text)
        guard case .malformed = outcome.error else {
            Issue.record("Not refused: \(text.debugDescription)")
            return
        }
    }

    @Test func `The reader bounds the head`() {
        let line = "X: " + String(repeating: "x", count: 100) + "\r\n"
        #expect(read("HTTP/1.1 200 OK\r\n" + line + line, limit: 200).error == .headTooLarge(limit: 200))
        #expect(read("HTTP/1.1 200 OK\r\n" + String(repeating: "x", count: 300), limit: 200).error != nil)
        let interim = String(repeating: "HTTP/1.1 103 Early\r\n\r\n", count: 10)
        #expect(read(interim, limit: 200).error == .headTooLarge(limit: 200))
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        #expect(read(chunked + "0\r\n" + line + line, limit: 200).error == .headTooLarge(limit: 200))
    }

    @Test func `The reader bounds the line of a chunk however it comes`() {
        let head = Array("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;".utf8)
        let trickle = Array(repeating: [UInt8(ascii: "x")], count: 5000)
        #expect(read([head] + trickle).error != nil)
    }

    @Test func `A long stream of chunks is not a long head`() {
        let chunks = String(repeating: "1\r\nx\r\n", count: 2000)
        let outcome = read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + "0\r\n\r\n", limit: 100)
        #expect(outcome.error == nil)
        #expect(outcome.body.utf8.count == 2000)
        #expect(outcome.isComplete)
    }

    @Test func `The reader reads one response after the other`() throws {
        var reader = HTTPResponseReader(maxHeadSize: 100)
        for round in 0..<10 {
            reader.begin(expectsBody: true)
            #expect(!reader.hasBegun)
            var body: [UInt8] = []
            let text = Array("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\(round)".utf8)
            _ = try text.withBytes { bytes throws(HTTPResponseError) in
                try reader.read(bytes, onHead: { _ in }, onBody: { body += $0 })
            }
            #expect(reader.isComplete)
            #expect(body == Array("\(round)".utf8))
        }
    }
}
