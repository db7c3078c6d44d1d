// The radix tree against a plain list of prompts, its budget, and its forgetting.

import GatewayWire
import Testing

@testable import ModelGateway

@Suite struct PrefixTreeTests {
    private func insert(_ text: [UInt8], _ slot: Int, into tree: inout PrefixTree) {
        _ = text.withUnsafeBytes { tree.insert($0, slot: slot, number: UInt64(slot + 1)) }
    }

    private func match(_ text: [UInt8], in tree: PrefixTree) -> PrefixMatch {
        text.withUnsafeBytes { tree.match($0, salt: 0) }
    }

    private func tree(slots: Int, budget: Int = 64 << 20, capacity: Int? = nil) -> PrefixTree {
        var tree = PrefixTree(budget: budget)
        for slot in 0..<slots { tree.admit(slot, number: UInt64(slot + 1), capacity: capacity) }
        return tree
    }

    /// Prompts over a small alphabet, many of them with common beginnings.
    private func prompt(_ random: inout SeededGenerator, longest: Int = 40) -> [UInt8] {
        (0..<1 + random.index(below: longest)).map { _ in UInt8(97 + random.index(below: 2)) }
    }

    @Test(arguments: [UInt64(1), 2, 3])
    func `matches are those of a plain list`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var tree = tree(slots: 5)
        var plain: [(text: [UInt8], slot: Int)] = []
        for _ in 0..<400 {
            let (text, slot) = (prompt(&random), random.index(below: 5))
            insert(text, slot, into: &tree)
            plain.append((text, slot))
            let asked = prompt(&random)
            var depths: [Int: Int] = [:]
            for (text, slot) in plain {
                let common = zip(text, asked).prefix { $0 == $1 }.count
                if common > 0 { depths[slot] = max(depths[slot, default: 0], common) }
            }
            let found = match(asked, in: tree)
            #expect(Dictionary(found.candidates.map { ($0.slot, $0.depth) }) { $0 + $1 } == depths)
            #expect(found.candidates.map(\.depth) == found.candidates.map(\.depth).sorted(by: >))
        }
    }

    @Test func `the budget is never exceeded and the oldest goes first`() {
        var random = SeededGenerator(seed: 9)
        var tree = tree(slots: 8, budget: 200_000)
        var last: [UInt8] = []
        for index in 0..<3000 {
            last = (0..<random.index(below: 1500) + 1).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            insert(last, index % 8, into: &tree)
            #expect(tree.bytes <= 200_000)
        }
        #expect(match(last, in: tree).candidates.first?.depth == last.count)
        #expect(tree.bytes > 120_000)
    }

    @Test func `what is used stays when the budget is short`() {
        var tree = tree(slots: 2, budget: 100_000)
        let hot = Array("a hot prompt that everybody sends ".utf8) + Array(repeating: 1, count: 500)
        for index in 0..<2000 {
            insert(hot, 0, into: &tree)
            insert(Array("cold \(index)".utf8) + Array(repeating: UInt8(index % 251), count: 400), 1, into: &tree)
            #expect(match(hot, in: tree).candidates.first?.depth == hot.count)
        }
    }

    @Test func `a removed deployment's holdings are forgotten, and only its`() {
        var random = SeededGenerator(seed: 4)
        var tree = tree(slots: 3)
        let prompts = (0..<500).map { _ in prompt(&random, longest: 60) }
        for (index, text) in prompts.enumerated() { insert(text, index % 3, into: &tree) }
        var next: Int? = 0
        while let start = next { next = tree.forget(1, from: start, limit: 10) }
        for (index, text) in prompts.enumerated() {
            let found = match(text, in: tree)
            #expect(!found.candidates.contains { $0.slot == 1 })
            if index % 3 != 1 { #expect(found.depth(of: index % 3) == text.count) }
        }
        #expect(tree.held(by: 1) == 0)
        for slot in [0, 2] {
            next = 0
            while let start = next { next = tree.forget(slot, from: start) }
        }
        #expect(tree.count == 0)
        #expect((0..<3).allSatisfy { tree.held(by: $0) == 0 })
    }

    @Test(arguments: [UInt64(1), 2, 3])
    func `what is taken back leaves no trace`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var tree = tree(slots: 4)
        for _ in 0..<50 { insert(prompt(&random), random.index(below: 4), into: &tree) }
        let asked = (0..<100).map { _ in prompt(&random) }
        func known(_ tree: PrefixTree) -> [[Int]] {
            asked.map { text in (0..<4).map { match(text, in: tree).depth(of: $0) } } + [(0..<4).map(tree.held)]
        }
        let before = known(tree)
        var taken: [(text: [UInt8], slot: Int, known: Int)] = []
        for _ in 0..<30 {
            let (text, slot) = (prompt(&random), random.index(below: 4))
            let known = text.withUnsafeBytes { tree.insert($0, slot: slot, number: UInt64(slot + 1)) }
            taken.append((text, slot, known))
        }
        #expect(known(tree) != before)
        for one in taken.reversed() {
            one.text.withUnsafeBytes {
                tree.retract($0, slot: one.slot, number: UInt64(one.slot + 1), known: one.known)
            }
        }
        #expect(known(tree) == before)
    }

    @Test func `a late insert of a removed deployment is ignored`() {
        var tree = tree(slots: 1)
        var next: Int? = 0
        while let start = next { next = tree.forget(0, from: start) }
        insert(Array("text".utf8), 0, into: &tree)
        #expect(tree.count == 0)
    }

    @Test func `a cache of known size drops what it has not used for that long`() {
        var tree = tree(slots: 1, capacity: 10_000)
        let first = Array("first".utf8) + Array(repeating: 1, count: 2000)
        insert(first, 0, into: &tree)
        for index in 0..<3 { insert(Array(repeating: UInt8(200 + index), count: 2000), 0, into: &tree) }
        #expect(match(first, in: tree).candidates.count == 1)
        for index in 3..<7 { insert(Array(repeating: UInt8(200 + index), count: 2000), 0, into: &tree) }
        #expect(match(first, in: tree).candidates.isEmpty)
    }

    @Test func `the edges are those of a dictionary`() {
        var random = SeededGenerator(seed: 11)
        var table = EdgeTable()
        var plain: [UInt64: Int32] = [:]
        for _ in 0..<20_000 {
            let (parent, byte) = (Int32(random.index(below: 200)), UInt8(random.index(below: 8)))
            let key = UInt64(parent) << 8 | UInt64(byte)
            if random.index(below: 3) == 0 {
                table.remove(parent, byte)
                plain[key] = nil
            } else {
                let child = Int32(random.index(below: 1000))
                table.set(parent, byte, to: child)
                plain[key] = child
            }
        }
        for parent in Int32(0)..<200 {
            for byte in UInt8(0)..<8 {
                #expect(table.child(of: parent, byte) == plain[UInt64(parent) << 8 | UInt64(byte)])
            }
        }
    }

    @Test func `the hash index remembers three holders for its time`() {
        var index = PrefixPlacements(boundaries: [8, 16], lifetime: .seconds(180), budget: 1 << 20)
        for slot in 0..<5 { index.admit(slot, number: UInt64(slot + 1)) }
        let text = Array("0123456789abcdefgh".utf8)
        for slot in 0..<4 {
            let now = MonotonicInstant(nanoseconds: Int64(slot) * 1_000_000_000)
            index.insert(text, slot: slot, number: UInt64(slot + 1), now: now)
        }
        let soon = MonotonicInstant(nanoseconds: 4_000_000_000)
        #expect(Set(index.match(text, now: soon).candidates.map(\.slot)) == [1, 2, 3])
        #expect(index.match(text, now: soon).candidates.allSatisfy { $0.depth == 16 })
        #expect(index.match(Array(text[..<10]), now: soon).candidates.allSatisfy { $0.depth == 8 })
        #expect(index.match(Array(text[..<7]), now: soon).candidates.isEmpty)
        let late = MonotonicInstant(nanoseconds: 182_000_000_000)
        #expect(Set(index.match(text, now: late).candidates.map(\.slot)) == [2, 3])
        index.forget(2)
        #expect(Set(index.match(text, now: late).candidates.map(\.slot)) == [3])
    }

    @Test func `the hash index keeps its budget`() {
        var index = PrefixPlacements(boundaries: [4], lifetime: .seconds(180), budget: 10_000)
        index.admit(0, number: 1)
        for number in 0..<500 {
            index.insert(
                Array("\(1000 + number)".utf8),
                slot: 0,
                number: 1,
                now: MonotonicInstant(nanoseconds: 0)
            )
            #expect(index.bytes <= 10_000)
        }
    }
}
