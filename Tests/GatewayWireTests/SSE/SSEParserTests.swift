// The event stream parser: every way to cut short streams, random ways to cut long ones.

import GatewayWire
import Testing

private struct Seen: Equatable {
    var name: String
    var data: String?
    var id: String?
    var retry: Int?
    var comment: String?

    init(name: String = "", data: String? = nil, id: String? = nil, retry: Int? = nil, comment: String? = nil) {
        (self.name, self.data, self.id, self.retry, self.comment) = (name, data, id, retry, comment)
    }

    init(_ event: SSEEvent) {
        name = String(decoding: event.name, as: UTF8.self)
        data = event.data.map { String(decoding: $0, as: UTF8.self) }
        id = event.id.map { String(decoding: $0, as: UTF8.self) }
        retry = event.retry
        comment = event.comment.map { String(decoding: $0, as: UTF8.self) }
    }
}

@Suite("SSE parser")
struct SSEParserTests {
    private struct Run: Equatable {
        var events: [Seen] = []
        var raw: [UInt8] = []
        var pending = 0
        var isIncomplete = false
    }

    private func run(_ pieces: [ArraySlice<UInt8>], all: Bool = false) throws -> Run {
        var run = Run()
        var parser = SSEParser(reportsBlocksWithoutData: all)
        for piece in pieces {
            try parser.feed(Array(piece)) { event in
                run.events.append(Seen(event))
                run.raw += event.raw
            }
        }
        run.pending = parser.pendingByteCount
        run.isIncomplete = parser.pendingByteCount > 0
        return run
    }

    private static let streams: [(String, [Seen])] = [
        ("data: a\n\n", [Seen(data: "a")]),
        ("data:a\r\n\r\ndata: b\r\n\r\n", [Seen(data: "a"), Seen(data: "b")]),
        ("data: a\r\rdata: b\r\r", [Seen(data: "a"), Seen(data: "b")]),
        ("data: a\r\n\ndata: b\n\r\n", [Seen(data: "a"), Seen(data: "b")]),
        ("\u{FEFF}data: a\n\ndata: \u{FEFF}\n\n", [Seen(data: "a"), Seen(data: "\u{FEFF}")]),
        ("\u{FEFF}\ndata: a\n\n", [Seen(data: "a")]),
        ("data: a\ndata:b\ndata\n\n", [Seen(data: "a\nb\n")]),
        ("data\n\n", [Seen(data: "")]), ("data:  x \n\n", [Seen(data: " x ")]),
        ("event: ping\ndata: 1\nid: 7\nretry: 250\n\n", [Seen(name: "ping", data: "1", id: "7", retry: 250)]),
        ("event: ping\n\ndata: 1\n\n", [Seen(data: "1")]), (": hi\n\ndata: 1\n\n", [Seen(data: "1")]),
        (":c\ndata: 1\nretry: 2x\nid: a\u{0}b\nDATA: n\nother: x\n\n", [Seen(data: "1", comment: "c")]),
        ("\n\n\ndata: é日😀\n\n\n\n", [Seen(data: "é日😀")]),
        ("data: {\"a:b\": \"\u{2028}\"}\n\n", [Seen(data: "{\"a:b\": \"\u{2028}\"}")]),
        ("data: a\n\ndata: cut", [Seen(data: "a")]), ("data: cut\n", []),
    ]

    @Test(arguments: streams)
    private func `Each stream gives its events whole and for every cut in three`(text: String, events: [Seen]) throws {
        let bytes = Array(text.utf8)
        let whole = try run([bytes[...]])
        #expect(whole.events == events)
        for first in 0...bytes.count {
            for second in first...bytes.count {
                let cut = try run([bytes[..<first], bytes[first..<second], bytes[second...]])
                #expect(cut.events == events, "\(first) \(second)")
                #expect(cut.pending == whole.pending, "\(first) \(second)")
            }
        }
        let single = try run(bytes.indices.map { bytes[$0...$0] })
        #expect(single.events == events)
        #expect(single.isIncomplete == whole.isIncomplete)
    }

    @Test func `An event cut off by the end is known`() throws {
        #expect(try run([Array("data: a\n\ndata: b\n".utf8)[...]]).isIncomplete)
        #expect(try !run([Array("data: a\r\n\r\n".utf8)[...]]).isIncomplete)
        #expect(try !run([Array("data: a\r\n\r".utf8)[...], [0x0A]]).isIncomplete)
    }

    @Test(
        arguments: ["", "\n", "\r"]
    )
    func `The unfinished event can be had at the end, for senders without a last blank line`(end: String) throws {
        var parser = SSEParser()
        var events: [Seen] = []
        try parser.feed(Array("data: a\n\nevent: e\ndata: [DONE]\(end)".utf8)) { events.append(Seen($0)) }
        try parser.finish { events.append(Seen($0)) }
        #expect(events == [Seen(data: "a"), Seen(name: "e", data: "[DONE]")])
        #expect(parser.pendingByteCount == 0)
        try parser.finish { _ in Issue.record("reported twice") }
    }

    @Test func `Random cuts of a long stream give the same events, and their raw bytes are the stream`() throws {
        var generator = SeededGenerator(seed: 6)
        var bytes: [UInt8] = []
        let ends = ["\n", "\r\n"]
        for index in 0..<400 {
            let end = ends[index % 2]
            if index % 7 == 0 { bytes += Array(": keep\(end)\(end)".utf8) }
            if index % 5 == 0 { bytes += Array("event: e\(index)\(end)".utf8) }
            let text = String(repeating: "日本😀x", count: Int.random(in: 0..<40, using: &generator))
            bytes += Array("data: \(text)\(end)".utf8)
            if index % 11 == 0 { bytes += Array("data: more\(end)".utf8) }
            bytes += Array(end.utf8)
        }
        let whole = try run([bytes[...]], all: true)
        #expect(whole.raw == bytes)
        #expect(whole.events.filter { $0.data != nil }.count == 400)
        for _ in 0..<60 {
            var pieces: [ArraySlice<UInt8>] = []
            var start = 0
            while start < bytes.count {
                let end = min(
                    bytes.count,
                    start + Int.random(in: 1...(Bool.random(using: &generator) ? 5 : 900), using: &generator)
                )
                pieces.append(bytes[start..<end])
                start = end
            }
            let cut = try run(pieces, all: true)
            #expect(cut.events == whole.events)
        }
    }

    @Test func `Forwarding only complete events by the pending count gives whole events`() throws {
        let bytes = Array("data: one\n\ndata: two\n\ndata: three".utf8)
        var parser = SSEParser()
        var held: [UInt8] = []
        var sent: [UInt8] = []
        for byte in bytes {
            try parser.feed([byte]) { _ in }
            held.append(byte)
            sent += held.prefix(held.count - parser.pendingByteCount)
            held = Array(held.suffix(parser.pendingByteCount))
        }
        #expect(sent == Array("data: one\n\ndata: two\n\n".utf8))
        #expect(held == Array("data: three".utf8))
    }

    @Test func `An event inside one piece is handed out from that piece, without a copy`() throws {
        let bytes = Array("data: a\n\ndata: bc\n\n".utf8)
        try bytes.withUnsafeBytes { buffer in
            let base = try #require(buffer.baseAddress)
            var offsets: [Int] = []
            var parser = SSEParser()
            try parser.feed(buffer) { event in
                if let data = event.data?.baseAddress { offsets.append(data - base) }
                if let raw = event.raw.baseAddress { offsets.append(raw - base) }
            }
            #expect(offsets == [6, 0, 15, 9])
        }
    }

    @Test(arguments: [1, 3, 16, 1000])
    func `The bound holds however the event arrives`(pieceSize: Int) throws {
        let bytes = Array(("data: ok\n\ndata: " + String(repeating: "x", count: 100) + "\n\n").utf8)
        var parser = SSEParser(maxEventSize: 50)
        var events = 0
        var caught: SSEError?
        do {
            for start in stride(from: 0, to: bytes.count, by: pieceSize) {
                try parser.feed(Array(bytes[start..<min(start + pieceSize, bytes.count)])) { _ in events += 1 }
            }
        } catch let error as SSEError { caught = error }
        #expect(events == 1)
        #expect(caught == .eventTooLarge(limit: 50))
        #expect(throws: SSEError.eventTooLarge(limit: 50)) { try parser.feed([0x0A, 0x0A]) { _ in } }
    }

    @Test func `An event exactly at the bound passes`() throws {
        let bytes = Array(("data: " + String(repeating: "x", count: 42) + "\n\n").utf8)
        for size in [1, 7, 50] {
            var parser = SSEParser(maxEventSize: 50)
            var events = 0
            for start in stride(from: 0, to: bytes.count, by: size) {
                try parser.feed(Array(bytes[start..<min(start + size, bytes.count)])) { _ in events += 1 }
            }
            #expect(events == 1)
        }
    }

    @Test func `Any bytes, any cuts: the same events`() throws {
        var generator = SeededGenerator(seed: 7)
        let alphabet = Array("data: \n\r:evntid\u{FEFF}7".utf8)
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0..<40, using: &generator)).map { _ in
                alphabet.randomElement(using: &generator) ?? 0
            }
            let cut = Int.random(in: 0...bytes.count, using: &generator)
            let whole = try run([bytes[...]], all: true)
            let parts = try run([bytes[..<cut], bytes[cut...]], all: true)
            #expect(whole.events == parts.events, "\(bytes) \(cut)")
            #expect(whole.isIncomplete == parts.isIncomplete, "\(bytes) \(cut)")
        }
    }

    @Test func `What the writer frames, the parser reads`() throws {
        var output: [UInt8] = []
        SSEWriter.append(event: "e", data: Array("a\nb\r\nc\rd".utf8), to: &output)
        SSEWriter.append(data: [], to: &output)
        var writer = JSONWriter(appendingTo: output)
        SSEWriter.beginData(to: &writer.bytes)
        writer.beginObject()
        writer.endObject()
        SSEWriter.endEvent(to: &writer.bytes)
        SSEWriter.appendDone(to: &writer.bytes)
        let expected =
            "event: e\ndata: a\ndata: b\ndata: c\ndata: d\n\ndata: \n\ndata: {}\n\ndata: [DONE]\n\n"
        #expect(String(decoding: writer.bytes, as: UTF8.self) == expected)
        let events = try run([writer.bytes[...]]).events
        #expect(
            events == [Seen(name: "e", data: "a\nb\nc\nd"), Seen(data: ""), Seen(data: "{}"), Seen(data: "[DONE]")]
        )
    }
}
