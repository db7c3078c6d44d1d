// The writer: commas, escapes, numbers, and that Foundation reads back what was written.

import Foundation
import GatewayWire
import Testing

@Suite("JSON writer")
struct JSONWriterTests {
    private func written(_ body: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        body(&writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    @Test func `Objects and arrays nest with their commas`() {
        let text = written { writer in
            writer.beginObject()
            writer.member("a", 1)
            writer.key("b")
            writer.beginArray()
            writer.beginArray()
            writer.endArray()
            writer.null()
            writer.beginObject()
            writer.endObject()
            writer.endArray()
            writer.member("c", "x")
            writer.member("d", true)
            writer.member("e", literal: "lit")
            writer.key("f" as String)
            writer.raw(Array(#"{"r":1.0}"#.utf8))
            writer.member("g", 0.5)
            writer.endObject()
        }
        #expect(text == #"{"a":1,"b":[[],null,{}],"c":"x","d":true,"e":"lit","f":{"r":1.0},"g":0.5}"#)
    }

    @Test(arguments: [0, 9, 10, -1, 99, 100, 1_234_567_890, Int.max, Int.min])
    func `Integers are written exactly`(value: Int) {
        #expect(written { $0.int(value) } == String(value))
    }

    @Test(
        arguments: [
            0.0, -0.0, 1.0, 0.1, 1e21, 1e-7, 123456789.0, 9007199254740992.0, .leastNonzeroMagnitude,
            1.7976931348623157e308, -2.5,
        ]
    )
    func `Doubles round-trip`(value: Double) throws {
        let text = written { $0.double(value) }
        let bytes = Array(text.utf8)
        let back = try bytes.withBytes { buffer throws(JSONError) in try JSONScanner.validate(buffer).double(in: buffer)
        }
        #expect(back?.bitPattern == value.bitPattern)
    }

    @Test func `What JSON cannot say becomes null; whole doubles keep a fraction`() {
        #expect(written { $0.double(.nan) } == "null")
        #expect(written { $0.double(-.infinity) } == "null")
        #expect(written { $0.double(1) } == "1.0")
    }

    @Test func `Strings are escaped`() {
        #expect(
            written { $0.string("a\"b\\c/\n\r\t\u{8}\u{C}\u{0}\u{1F}\u{7F}é😀") }
                == "\"a\\\"b\\\\c/\\n\\r\\t\\b\\f\\u0000\\u001f\u{7F}é😀\""
        )
    }

    @Test func `Ill-formed bytes become U+FFFD, as the standard library replaces them`() throws {
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<3_000 {
            let bytes = (0..<Int.random(in: 0..<24, using: &generator)).map { _ in
                ([0x22, 0x5C, 0x0A, 0x41, 0xC3, 0xA9, 0xE2, 0x82, 0xAC, 0xF0, 0x9F, 0x98, 0x80, 0xFF, 0xED, 0xA0]
                    as [UInt8])
                    .randomElement(using: &generator) ?? 0
            }
            var writer = JSONWriter()
            bytes.withBytes { writer.string(utf8: $0) }
            let data = Data(writer.bytes)
            let back = try #require(try JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed) as? String)
            #expect(Array(back.utf8) == Array(String(decoding: bytes, as: UTF8.self).utf8))
        }
    }
}
