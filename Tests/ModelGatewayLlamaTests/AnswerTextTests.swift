// Whole characters and no part of a stop string, however the bytes are cut into tokens.

import Testing

@testable import ModelGatewayLlama

@Suite struct AnswerTextTests {
    /// What is given out for these pieces, piece by piece, and what at the end.
    private func feed(_ pieces: [[UInt8]], stops: [String] = []) -> (given: [String], stopped: Bool) {
        var text = AnswerText(stops: stops)
        var given: [String] = []
        for piece in pieces {
            given.append(piece.withUnsafeBufferPointer { text.append($0) })
            if text.isStopped { break }
        }
        given.append(text.finish())
        return (given, text.isStopped)
    }

    @Test(arguments: ["plain", "naïve café", "日本語のテキスト", "👩‍👩‍👧‍👦 and 🌍", "mixed é 漢 🎉 end"])
    func `Every partition gives the same text in whole characters`(_ original: String) {
        let bytes = Array(original.utf8)
        for width in 1...4 {
            let pieces = stride(from: 0, to: bytes.count, by: width).map {
                Array(bytes[$0..<min($0 + width, bytes.count)])
            }
            let given = feed(pieces).given
            #expect(given.joined() == original)
            #expect(!given.joined().unicodeScalars.contains("\u{FFFD}"))
        }
    }

    @Test func `An incomplete character at the end is replaced`() {
        #expect(feed([Array("ab".utf8), [0xF0, 0x9F]]).given == ["ab", "", "\u{FFFD}"])
    }

    @Test func `Bytes that are not UTF-8 are replaced at once`() {
        #expect(feed([[0x61, 0xFF, 0x62]]).given.joined() == "a\u{FFFD}b")
        #expect(feed([[0x80, 0x80, 0x80, 0x80], [0x61]]).given.joined().hasSuffix("a"))
    }

    @Test func `A stop string that straddles pieces leaves no trace`() {
        let pieces = ["Hello E", "N", "D of it"].map { Array($0.utf8) }
        let (given, stopped) = feed(pieces, stops: ["END"])
        #expect(given == ["Hello ", "", "", ""])
        #expect(stopped)
    }

    @Test func `The beginning of a stop string is given out when the text goes on differently`() {
        let pieces = ["a E", "N", "X"].map { Array($0.utf8) }
        #expect(feed(pieces, stops: ["END"]).given == ["a ", "", "ENX", ""])
    }

    @Test func `The beginning of a stop string at the end is given out`() {
        #expect(feed([Array("a EN".utf8)], stops: ["END"]).given == ["a ", "EN"])
    }

    @Test func `The earliest of several stop strings counts`() {
        #expect(feed([Array("one two three".utf8)], stops: ["three", "two"]).given.joined() == "one ")
    }

    @Test func `A stop string may contain parts of itself`() {
        // "aab" within "aaab": the first try fails after two bytes, the second begins inside it.
        let pieces = "xaaab".utf8.map { [$0] }
        let (given, stopped) = feed(pieces, stops: ["aab"])
        #expect(given.joined() == "xa")
        #expect(stopped)
    }

    @Test func `Every partition stops at the same place`() {
        let bytes = Array("The answer is 42.\n\nUser: and".utf8)
        for cut in 0...bytes.count {
            for second in cut...bytes.count {
                let pieces = [Array(bytes[..<cut]), Array(bytes[cut..<second]), Array(bytes[second...])]
                let (given, stopped) = feed(pieces, stops: ["\n\nUser:"])
                #expect(given.joined() == "The answer is 42.")
                #expect(stopped)
            }
        }
    }

    @Test func `An empty stop string stops nothing`() {
        let (given, stopped) = feed([Array("text".utf8)], stops: [""])
        #expect(given.joined() == "text")
        #expect(!stopped)
    }
}
