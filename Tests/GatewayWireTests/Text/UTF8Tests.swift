// Cutting and repairing UTF-8.

import GatewayWire
import Testing

@Suite("UTF-8")
struct UTF8Tests {
    @Test("A cut never splits a character and never loses more than one")
    func boundary() {
        let bytes = Array("aé日😀".utf8)
        let expected = [0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10]
        for (limit, count) in expected.enumerated() {
            #expect(bytes.withBytes { UTF8Boundary.prefixCount(of: $0, limit: limit) } == count)
        }
        #expect(bytes.withBytes { UTF8Boundary.prefixCount(of: $0, limit: -1) } == 0)
        let bad: [UInt8] = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80]
        for limit in 0...6 { #expect(bad.withBytes { UTF8Boundary.prefixCount(of: $0, limit: limit) } == limit) }
    }

    private func decode(_ pieces: [ArraySlice<UInt8>]) -> [UInt8] {
        var decoder = UTF8StreamDecoder()
        var output: [UInt8] = []
        for piece in pieces {
            Array(piece).withBytes { decoder.feed($0, into: &output) }
            #expect(decoder.pendingByteCount < 4)
        }
        decoder.finish(into: &output)
        return output
    }

    @Test("Every cut of every kind of character")
    func everyPartition() {
        let bytes = Array("aé日😀z".utf8)
        for first in 0...bytes.count {
            for second in first...bytes.count {
                #expect(decode([bytes[..<first], bytes[first..<second], bytes[second...]]) == bytes)
            }
        }
        #expect(decode(bytes.indices.map { bytes[$0...$0] }) == bytes)
    }

    @Test("Any bytes in any pieces: the same as the standard library's repair of the whole")
    func differential() {
        var generator = SeededGenerator(seed: 11)
        let alphabet: [UInt8] = [
            0x41, 0x80, 0xBF, 0xC3, 0xA9, 0xE0, 0xE2, 0x82, 0xAC, 0xED, 0xA0, 0xF0, 0x9F, 0x98, 0xF4, 0x90, 0xFF, 0xC0,
        ]
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0..<12, using: &generator)).map { _ in
                alphabet.randomElement(using: &generator) ?? 0
            }
            var cuts = (0..<3).map { _ in Int.random(in: 0...bytes.count, using: &generator) }.sorted()
            cuts.append(bytes.count)
            var start = 0
            let pieces = cuts.map { end in
                defer { start = end }
                return bytes[start..<end]
            }
            #expect(decode(pieces) == Array(String(decoding: bytes, as: UTF8.self).utf8), "\(bytes) \(cuts)")
        }
    }
}
