import MockEngine
import Testing

@Suite struct PacerTests {
    @Test func `Due times come in order`() {
        var pacer = Pacer()
        var random = SystemRandomNumberGenerator()
        let deadlines = (0..<500).map { _ in UInt64.random(in: 0..<1_000, using: &random) }
        for deadline in deadlines { pacer.insert(Due(deadline: deadline, connection: 0, stream: 0)) }
        var seen: [UInt64] = []
        while let due = pacer.earliest {
            seen.append(due.deadline)
            pacer.removeEarliest()
        }
        #expect(seen == deadlines.sorted())
    }
}
