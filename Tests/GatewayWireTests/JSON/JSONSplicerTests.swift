// Editing members: commas, duplicates, and everything else byte for byte.

import Foundation
import GatewayWire
import Testing

@Suite("JSON splicer")
struct JSONSplicerTests {
    private func edit(_ text: String, _ body: (inout JSONSplicer, JSONDocument) -> Void) throws -> String {
        let document = try JSONDocument(Array(text.utf8))
        var splicer = JSONSplicer(document)
        body(&splicer, document)
        return String(decoding: splicer.bytes(), as: UTF8.self)
    }

    @Test func `Without edits the bytes are the same`() throws {
        let text = " {\n \"b\" : 1.0 , \"a\":1E5,\"a\":[ 1 ,2] }\n"
        #expect(try edit(text) { _, _ in } == text)
    }

    @Test(
        arguments: [
            (#"{"model":"a"}"#, #"{"model":"X"}"#),
            (#"{ "x" : 1.0, "model" : "a" , "y":1e2}"#, #"{ "x" : 1.0, "model" : "X" , "y":1e2}"#),
            (#"{"model":"a","model":"b"}"#, #"{"model":"X","model":"X"}"#),
            (#"{"mod\u0065l":"a"}"#, #"{"mod\u0065l":"X"}"#),
            (#"{}"#, #"{"model":"X"}"#), (#"{ }"#, #"{"model":"X" }"#), (#"{"a":1}"#, #"{"a":1,"model":"X"}"#),
            ("{\"a\":1\n}", "{\"a\":1,\"model\":\"X\"\n}"),
        ]
    )
    func `Replacing keeps all else`(text: String, expected: String) throws {
        #expect(try edit(text) { splicer, _ in splicer.set("model", to: Array("\"X\"".utf8)) } == expected)
    }

    @Test(
        arguments: [
            (#"{"r":1}"#, #"{}"#), (#"{ "r":1 }"#, #"{  }"#), (#"{"r":1,"a":2}"#, #"{"a":2}"#),
            (#"{"a":2,"r":1}"#, #"{"a":2}"#),
            (#"{"a":2,"r":1,"b":3}"#, #"{"a":2,"b":3}"#), (#"{"r":1,"r":2}"#, #"{}"#),
            (#"{"r":1,"a":2,"r":3}"#, #"{"a":2}"#),
            (#"{"r":1,"r":2,"a":3}"#, #"{"a":3}"#), (#"{"a":3 , "r":1 , "r":2 }"#, #"{"a":3 }"#),
            (#"{"a":1}"#, #"{"a":1}"#), (#"{}"#, #"{}"#),
            (#"{ "r" : [1,{}] , "a" : 2 }"#, #"{ "a" : 2 }"#),
        ]
    )
    func `Removing takes the right comma along`(text: String, expected: String) throws {
        #expect(try edit(text) { splicer, _ in splicer.remove("r") } == expected)
    }

    @Test func `Removing and adding together`() throws {
        let result = try edit(#"{"r":1,"r2":2}"#) { splicer, _ in
            splicer.remove("r")
            splicer.remove("r2")
            splicer.set("x", to: [0x31])
            splicer.set("y", to: [0x32])
            splicer.set("x", to: [0x33])
        }
        #expect(result == #"{"y":2,"x":3}"#)
        #expect(
            try edit(#"{"a":1,"r":2}"#) { splicer, _ in
                splicer.set("x", to: [0x31])
                splicer.remove("r")
            } == #"{"a":1,"x":1}"#
        )
        #expect(
            try edit(#"{"a":1}"#) { splicer, _ in
                splicer.remove("a")
                splicer.set("a", to: [0x32])
                splicer.set("b", to: [0x31])
                splicer.remove("b")
            } == #"{"a":2}"#
        )
    }

    @Test func `A default is added only where the member is missing`() throws {
        #expect(
            try edit(#"{"a":null}"#) { splicer, _ in
                splicer.setDefault("a", to: [0x31])
                splicer.setDefault("b", to: [0x32])
                splicer.setDefault("b", to: [0x33])
            } == #"{"a":null,"b":2}"#
        )
    }

    @Test func `Nested objects, and edits inside what is replaced`() throws {
        let text = #"{"o":{"u":false},"e":{},"l":[1]}"#
        #expect(
            try edit(text) { splicer, document in
                splicer.set("u", to: Array("true".utf8), in: document["o"])
                splicer.set("v", to: [0x31], in: document["o"])
                splicer.set("w", to: [0x32], in: document["e"])
                splicer.set("x", to: [0x33], in: document["l"])
            } == #"{"o":{"u":true,"v":1},"e":{"w":2},"l":[1]}"#
        )
        #expect(
            try edit(text) { splicer, document in
                splicer.set("u", to: [0x30], in: document["o"])
                splicer.set("o", to: [0x39])
                splicer.remove("e")
            } == #"{"o":9,"l":[1]}"#
        )
    }

    @Test func `A key that needs escapes is escaped`() throws {
        #expect(try edit("{}") { splicer, _ in splicer.set(Array("a\"b".utf8), to: [0x31]) } == #"{"a\"b":1}"#)
    }

    @Test func `Random edits of random objects: the result parses and every kept member has its old bytes`() throws {
        var generator = SeededGenerator(seed: 4)
        for _ in 0..<2_000 {
            let text = RandomJSON.object(using: &generator)
            let document = try JSONDocument(Array(text.utf8))
            var splicer = JSONSplicer(document)
            var touched: Set<String> = []
            var expected: [String: Int] = [:]
            for _ in 0..<Int.random(in: 0..<6, using: &generator) {
                let key = "k\(Int.random(in: 0..<8, using: &generator))"
                touched.insert(key)
                if Bool.random(using: &generator) {
                    let value = Int.random(in: 0..<1000, using: &generator)
                    splicer.set(Array(key.utf8), to: Array(String(value).utf8))
                    expected[key] = value
                } else {
                    splicer.remove(Array(key.utf8))
                    expected[key] = nil
                }
            }
            let result = splicer.bytes()
            let after = try JSONDocument(result)
            let object = try #require(try JSONSerialization.jsonObject(with: Data(result)) as? [String: Any])
            for key in touched { #expect((object[key] as? NSNumber)?.intValue == expected[key], "\(text) \(key)") }
            let kept = document.index.members.map { member in
                (
                    String(decoding: document.bytes[member.key.contents], as: UTF8.self),
                    document.bytes[member.key.start..<member.value.end]
                )
            }.filter { !touched.contains($0.0) }
            let stayed = after.index.members.map { member in
                (
                    String(decoding: result[member.key.contents], as: UTF8.self),
                    result[member.key.start..<member.value.end]
                )
            }.filter { !touched.contains($0.0) }
            #expect(kept.map(\.0) == stayed.map(\.0))
            #expect(kept.map { Array($0.1) } == stayed.map { Array($0.1) })
            if touched.isEmpty { #expect(result == document.bytes) }
        }
    }
}
