// The random choices of routing, on the library's seeded generator.

import GatewayWire

extension SeededGenerator {
    /// A uniform index in `0..<bound`, by Lemire's multiplication; `bound` must be positive.
    mutating func index(below bound: Int) -> Int {
        Int(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// A uniform number in `0..<1`.
    mutating func unit() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// A uniform number in `-1..<1`.
    mutating func variation() -> Double {
        2 * unit() - 1
    }
}
