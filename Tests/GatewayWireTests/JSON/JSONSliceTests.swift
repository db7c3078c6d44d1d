// Decoding of single values, the index and the document.

import GatewayWire
import Testing

@Suite("JSON values and index")
struct JSONSliceTests {
    private func read<Value>(_ text: String, _ body: (JSONSlice, UnsafeRawBufferPointer) -> Value) throws -> Value {
        try Array(text.utf8).withBytes { buffer throws(JSONError) in body(try JSONScanner.validate(buffer), buffer) }
    }

    @Test(
        arguments: [
            (#""plain""#, "plain"), (#""""#, ""), (#""a\n\t\r\b\f\/\\\"z""#, "a\n\t\r\u{8}\u{C}/\\\"z"),
            (#""\u00e9""#, "é"),
            (#""\uD83D\uDE00""#, "😀"), (#""\ud83d""#, "\u{FFFD}"), (#""\ude00\ud83d""#, "\u{FFFD}\u{FFFD}"),
            (#""\ud83dx""#, "\u{FFFD}x"), (#""\ud83d\n""#, "\u{FFFD}\n"), (#""\ud83d\u0041""#, "\u{FFFD}A"),
            (#""\ud83d\ud83d\ude00""#, "\u{FFFD}😀"), (#""\u0000""#, "\0"), (#""日\u672c語""#, "日本語"),
            (#""\uffff\u0800\u07ff""#, "\u{FFFF}\u{800}\u{7FF}"),
        ]
    )
    func `Strings decode with escapes, pairs and lone surrogates`(text: String, expected: String) throws {
        let decoded = try read(text) { $0.string(in: $1) }
        #expect(decoded.map { Array($0.utf8) } == Array(expected.utf8))
        let bytes = try read(text) { slice, buffer in
            var output: [UInt8] = [1]
            slice.appendString(in: buffer, to: &output)
            return output
        }
        #expect(bytes == [1] + Array(expected.utf8))
        #expect(try read(text) { slice, buffer in Array(expected.utf8).withBytes { slice.equals($0, in: buffer) } })
        #expect(
            try !read(text) { slice, buffer in Array((expected + "!").utf8).withBytes { slice.equals($0, in: buffer) } }
        )
    }

    @Test(
        arguments: [
            ("0", 0), ("-0", 0), ("42", 42), ("-7", -7), ("1.0", 1), ("1e3", 1000), ("12.50e1", 125), ("100e-2", 1),
            ("0.0", 0), ("0e99", 0),
            ("9223372036854775807", Int.max), ("-9223372036854775808", Int.min), ("9223372036854775808", nil),
            ("1.5", nil), ("1e-1", nil), ("1e30", nil), ("99999999999999999999", nil), ("\"1\"", nil),
            ("1e999999", nil),
        ] as [(String, Int?)]
    )
    func `Integers are exact or nil`(text: String, expected: Int?) throws {
        #expect(try read(text) { $0.int(in: $1) } == expected)
    }

    @Test(
        arguments: [
            "0", "-0", "0.1", "0.3", "1e22", "1e23", "-1e-22", "9007199254740993", "123456789.123456789",
            "2.2250738585072014e-308", "5e-324",
            "1.7976931348623157e308", "0.000001", "3.14159265358979323846264338327950288", "1e-400",
        ]
    )
    func `Doubles are the nearest ones`(text: String) throws {
        let value = try #require(try read(text) { $0.double(in: $1) })
        #expect(value.bitPattern == Double(text)?.bitPattern)
    }

    @Test func `A number too large for a double is nil`() throws {
        #expect(try read("1e400") { $0.double(in: $1) } == nil)
        #expect(try read("\"1\"") { $0.double(in: $1) } == nil)
    }

    @Test func `The document finds members, the last of duplicates, escaped keys and nested ones`() throws {
        let text = #" {"model":"a","n":3,"stream":true,"t":0.5,"mod\u0065l":"b","o":{"x":{"y":1},"x":2},"l":[1,2]} "#
        let document = try JSONDocument(Array(text.utf8))
        #expect(document.index.members.count == 7)
        let model = try #require(document["model"])
        #expect(document.bytes.withBytes { model.string(in: $0) } == "b")
        #expect(document["missing"] == nil)
        let list = try #require(document["l"])
        let sum = try document.scan(list) { scanner throws(JSONError) in
            var sum = 0
            try scanner.beginArray()
            while try scanner.nextElement() { sum += try scanner.nextValue().int(in: scanner.bytes) ?? 0 }
            return sum
        }
        #expect(sum == 3)
        #expect(document.index(of: list) == nil)
    }

    @Test(arguments: ["[]", "1", "\"a\"", "null"])
    func `The document must be one object`(text: String) {
        #expect(throws: JSONError(.expectedObject, at: 0)) { try JSONDocument(Array(text.utf8)) }
        #expect(throws: JSONError(.trailingData, at: 3)) { try JSONDocument(Array("{} 1".utf8)) }
    }

    @Test func `A slice read with foreign bytes never reads outside them`() {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<5_000 {
            let bytes = (0..<Int.random(in: 0..<20, using: &generator)).map { _ in
                Bool.random(using: &generator)
                    ? UInt8(ascii: "\\") : [117, 100, 56, 48].randomElement(using: &generator) ?? 0
            }
            let start = Int.random(in: 0..<20, using: &generator)
            let end = Int.random(in: 0..<40, using: &generator)
            for kind in [JSONKind.string, .number] {
                let slice = JSONSlice(kind: kind, start: start, end: end, isEscaped: true)
                bytes.withBytes { buffer in
                    #expect((slice.string(in: buffer)?.utf8.count ?? 0) <= buffer.count * 3)
                    _ = slice.int(in: buffer)
                    _ = slice.double(in: buffer)
                }
            }
        }
    }
}
