// The scanner against a corpus of valid and invalid texts, against Foundation, and against garbage.

import Foundation
import GatewayWire
import Testing

@Suite("JSON scanner")
struct JSONScannerTests {
    static let valid: [String] = [
        "[]", "{}", " [ ] ", "\t{\r\n}\n", "0", "-0", "1", "-1", "10", "1.0", "-0.5", "1e2", "1E+2", "1e-2", "0e0",
        "1.5E10",
        "123456789012345678901234567890", "true", "false", "null", "\"\"", "\"a\"", "\"\\u0041\"", "\"\\ud83d\\ude00\"",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"é\"", "\"日本語\"", "\"😀\"", "\"\u{7F}\"", "\"\u{2028}\"", "[1]", "[1,2]",
        "[ 1 , 2 ]", "[[[]]]", "[{}]", "{\"a\":1}", "{\"a\":1,\"b\":2}", "{ \"a\" : [ ] , \"b\" : { } }",
        "{\"a\":1,\"a\":2}",
        "{\"\":0}", "[null,true,false]", "[\"a\",{\"b\":[1,{\"c\":null}]}]", "\"\\u0000\"", "\"abcdefgh\\nijklmnop\"",
        "{\"a\\u0062\":1}", "[1e400]", "\"\\uD800\"", "\"\\uDC00\\uD800\"",
    ]

    static let invalid: [(text: String, reason: JSONError.Reason, offset: Int)] = [
        ("", .unexpectedEnd, 0), (" ", .unexpectedEnd, 1), ("[", .unexpectedEnd, 1), ("{", .unexpectedEnd, 1),
        ("]", .expectedValue, 0), ("}", .expectedValue, 0), ("[1,]", .expectedValue, 3), ("[,1]", .expectedValue, 1),
        ("[1 2]", .expectedCommaOrArrayEnd, 3), ("[1}", .expectedCommaOrArrayEnd, 2), ("[1,", .unexpectedEnd, 3),
        ("{\"a\"}", .expectedColon, 4), ("{\"a\":}", .expectedValue, 5), ("{\"a\":1,}", .expectedKey, 7),
        ("{,}", .expectedKey, 1), ("{1:2}", .expectedKey, 1), ("{a:1}", .expectedKey, 1), ("{'a':1}", .expectedKey, 1),
        ("{\"a\" 1}", .expectedColon, 5), ("{\"a\":1 \"b\":2}", .expectedCommaOrObjectEnd, 7),
        ("{\"a\":1]", .expectedCommaOrObjectEnd, 6), ("{\"a\":1", .unexpectedEnd, 6), ("{\"a\"", .unexpectedEnd, 4),
        ("1 2", .trailingData, 2), ("{}{}", .trailingData, 2), ("[]x", .trailingData, 2), ("nul", .invalidLiteral, 0),
        ("tru", .invalidLiteral, 0), ("falsy", .invalidLiteral, 0), ("True", .expectedValue, 0),
        ("NaN", .expectedValue, 0), ("Infinity", .expectedValue, 0), ("-Infinity", .invalidNumber, 0),
        ("+1", .expectedValue, 0), ("01", .invalidNumber, 0), ("-01", .invalidNumber, 0), ("-", .invalidNumber, 0),
        ("1.", .invalidNumber, 0), (".5", .expectedValue, 0), ("1.e2", .invalidNumber, 0), ("1e", .invalidNumber, 0),
        ("1e+", .invalidNumber, 0), ("0x10", .trailingData, 1), ("1_000", .trailingData, 1),
        ("\"", .unexpectedEnd, 1), ("\"abc", .unexpectedEnd, 4), ("\"a\\", .unexpectedEnd, 3),
        ("\"\\x\"", .invalidEscape, 1), ("\"\\u12\"", .invalidEscape, 1), ("\"\\u12G4\"", .invalidEscape, 1),
        ("\"\\U0041\"", .invalidEscape, 1), ("\"a\nb\"", .controlCharacter, 2), ("\"\t\"", .controlCharacter, 1),
        ("\"\u{0}\"", .controlCharacter, 1), ("\"abcdefghi\u{1F}\"", .controlCharacter, 10),
        ("[\u{A0}1]", .expectedValue, 1), ("\u{FEFF}{}", .expectedValue, 0), ("[1] // c", .trailingData, 4),
        ("/* */1", .expectedValue, 0), ("\u{B}1", .expectedValue, 0),
    ]

    static let invalidBytes: [[UInt8]] = [
        [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0xE0, 0x9F, 0xBF], [0xED, 0xA0, 0x80],
        [0xED, 0xBF, 0xBF],
        [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x8F, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFF],
        [0xC3], [0xE2, 0x82], [0xF0, 0x9F, 0x98], [0xE2, 0x28, 0xA1], [0xC3, 0x28], [0xE1, 0x80], [0xEC, 0xBF, 0x41],
    ]

    @Test(arguments: valid)
    func `Valid texts are accepted, also each inside an array and an object`(text: String) throws {
        for wrapped in [text, "[\(text)]", "{\"k\":\(text)}", "[0,\(text),{}]"] {
            let bytes = Array(wrapped.utf8)
            let root = try bytes.withBytes { buffer throws(JSONError) in try JSONScanner.validate(buffer) }
            #expect(
                String(decoding: bytes[root.range], as: UTF8.self)
                    == wrapped.trimmingCharacters(in: .whitespacesAndNewlines)
            )
        }
    }

    @Test(arguments: invalid)
    func `Invalid texts are refused with the reason and the place`(text: String, reason: JSONError.Reason, offset: Int)
    {
        let bytes = Array(text.utf8)
        #expect(throws: JSONError(reason, at: offset)) {
            try bytes.withBytes { buffer throws(JSONError) in _ = try JSONScanner.validate(buffer) }
        }
    }

    @Test(arguments: invalidBytes)
    func `Ill-formed UTF-8 is refused at its place`(sequence: [UInt8]) {
        for prefix in ["", "a", "abcdefg", "abcdefgh", "日本語"] {
            let bytes = Array("\"\(prefix)".utf8) + sequence + Array("\"".utf8)
            #expect(throws: JSONError(.invalidUTF8, at: prefix.utf8.count + 1)) {
                try bytes.withBytes { buffer throws(JSONError) in _ = try JSONScanner.validate(buffer) }
            }
        }
    }

    @Test func `Every prefix of a text is refused, and reading never leaves the buffer`() {
        let text = Array(#"{"a":[1.5e3,true,"x\u00e9\n😀"],"b":{"c":null}}"#.utf8)
        for count in 0..<text.count {
            let prefix = Array(text[..<count])
            #expect(throws: JSONError.self) {
                try prefix.withBytes { buffer throws(JSONError) in _ = try JSONScanner.validate(buffer) }
            }
        }
    }

    @Test func `Nesting is allowed up to 512 levels, for skipping and for pulling`() throws {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let core = open == "[" ? "" : "0"
            let deep = Array((String(repeating: open, count: 512) + core + String(repeating: close, count: 512)).utf8)
            let tooDeep = Array(
                (String(repeating: open, count: 513) + core + String(repeating: close, count: 513)).utf8
            )
            try deep.withBytes { buffer throws(JSONError) in _ = try JSONScanner.validate(buffer) }
            #expect(throws: JSONError(.nestedTooDeep, at: 512 * open.utf8.count)) {
                try tooDeep.withBytes { buffer throws(JSONError) in _ = try JSONScanner.validate(buffer) }
            }
            #expect(throws: JSONError(.nestedTooDeep, at: 512 * open.utf8.count)) {
                try tooDeep.withBytes { buffer throws(JSONError) in _ = try JSONTree.parse(buffer) }
            }
        }
        let mixed = Array((String(repeating: "[{\"a\":", count: 200) + "1" + String(repeating: "}]", count: 200)).utf8)
        try mixed.withBytes { buffer throws(JSONError) in _ = try JSONScanner.validate(buffer) }
    }

    @Test func `Pulling gives the values that Foundation gives`() throws {
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<500 {
            let text = RandomJSON.value(using: &generator)
            let bytes = Array(text.utf8)
            let ours = try bytes.withBytes { buffer throws(JSONError) in try JSONTree.parse(buffer) }
            let theirs = try JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
            #expect(ours.isEqual(to: theirs), "\(text)")
        }
    }

    @Test func `Skipping and pulling agree on any bytes`() {
        var generator = SeededGenerator(seed: 2)
        let alphabet = Array("{}[]\",:\\0123456789.eE+-truefalsn \n\u{1}é".utf8) + [0xFF, 0xC3, 0xF0, 0x9F]
        for round in 0..<20_000 {
            var bytes = Array(RandomJSON.value(using: &generator).utf8)
            if round % 2 == 0 {
                bytes = (0..<Int.random(in: 0..<24, using: &generator)).map { _ in
                    alphabet.randomElement(using: &generator)!
                }
            } else if let place = bytes.indices.randomElement(using: &generator) {
                bytes[place] = UInt8.random(in: 0...255, using: &generator)
            }
            var skipped: JSONError?
            var pulled: JSONError?
            do throws(JSONError) {
                try bytes.withBytes { buffer throws(JSONError) in _ = try JSONScanner.validate(buffer) }
            } catch { skipped = error }
            do throws(JSONError) {
                try bytes.withBytes { buffer throws(JSONError) in _ = try JSONTree.parse(buffer) }
            } catch { pulled = error }
            #expect(skipped == pulled, "\(bytes)")
        }
    }

    @Test func `A subrange is scanned as if it were alone, with offsets of the whole`() throws {
        let bytes = Array(#"xx[1,"a"]yy"#.utf8)
        try bytes.withBytes { buffer throws(JSONError) in
            var scanner = JSONScanner(buffer, range: 2..<9)
            let value = try scanner.nextValue()
            try scanner.finish()
            #expect(value.range == 2..<9)
            var cut = JSONScanner(buffer, range: 2..<8)
            do throws(JSONError) {
                _ = try cut.nextValue()
                Issue.record("a cut array was accepted")
            } catch { #expect(error == JSONError(.unexpectedEnd, at: 8)) }
            var outside = JSONScanner(buffer, range: 50..<60)
            do throws(JSONError) {
                _ = try outside.nextValue()
                Issue.record("nothing was accepted")
            } catch { #expect(error.reason == .unexpectedEnd) }
        }
    }

    @Test func `An error names the rule and the byte`() {
        let error = JSONError(.expectedColon, at: 17)
        #expect(error.description == "expected ':' after object key at byte 17")
    }
}
