// Identifiers: form, difference, and the injected generator.

import GatewayWire
import Testing

@Suite("Random identifiers")
struct RandomIDTests {
    @Test(arguments: [0, 1, 8, 9, 24, 32, 100])
    func `An id has its prefix, length and alphabet`(length: Int) {
        let id = RandomID.make(prefix: "chatcmpl-", length: length)
        #expect(id.hasPrefix("chatcmpl-"))
        #expect(id.utf8.count == 9 + length)
        #expect(id.dropFirst(9).allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) })
    }

    @Test func `No two are alike, also across threads`() async {
        let all = await withTaskGroup(of: [String].self) { group in
            for _ in 0..<4 { group.addTask { (0..<2_000).map { _ in RandomID.make(prefix: "") } } }
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(Set(all).count == 8_000)
    }

    @Test func `An injected generator decides; all characters occur about equally often`() {
        var first = SeededGenerator(seed: 9)
        var second = SeededGenerator(seed: 9)
        #expect(RandomID.make(prefix: "a", using: &first) == RandomID.make(prefix: "a", using: &second))
        var counts: [Character: Int] = [:]
        for character in RandomID.make(prefix: "", length: 62_000, using: &first) { counts[character, default: 0] += 1 }
        #expect(counts.count == 62)
        #expect(counts.values.allSatisfy { (800...1200).contains($0) })
    }
}
