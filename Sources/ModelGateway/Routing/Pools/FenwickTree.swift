// Weighted random choice over slots whose weights change: O(log n) for both.

import GatewayWire

/// Prefix sums of weights by slot.
struct FenwickTree: Sendable {
    private var sums: [Double] = [0]
    private var weights: [Double] = []

    /// The sum of all weights.
    private(set) var total = 0.0

    /// The weight of a slot.
    subscript(slot: Int) -> Double { slot < weights.count ? weights[slot] : 0 }

    /// Changes the weight of a slot.
    mutating func set(_ slot: Int, to weight: Double) {
        if slot >= weights.count { grow(to: slot + 1) }
        let difference = weight - weights[slot]
        guard difference != 0 else { return }
        weights[slot] = weight
        add(difference, at: slot)
    }

    /// The slot whose share of the total contains a number in `0..<total`; nil if all weights are zero.
    func slot(at point: Double) -> Int? {
        guard total > 0 else { return nil }
        var rest = point
        var index = 0
        var step = sums.count.highestPowerOfTwo
        while step > 0 {
            let next = index + step
            let sum = next < sums.count ? sums[next] : .infinity
            // Branchless: the direction is random, so half of the predictions would be wrong.
            let isBelow = sum <= rest
            index = isBelow ? next : index
            rest -= isBelow ? sum : 0
            step /= 2
        }
        // Rounding can lead to a slot of weight zero or past the last one: take the nearest one with a weight.
        if index < weights.count, weights[index] > 0 { return index }
        return weights[..<min(index, weights.count)].lastIndex { $0 > 0 } ?? weights.firstIndex { $0 > 0 }
    }

    /// A slot at random with probabilities in proportion to the weights; nil if all are zero.
    func draw(_ random: inout SeededGenerator) -> Int? {
        slot(at: random.unit() * total)
    }

    private mutating func add(_ difference: Double, at slot: Int) {
        total += difference
        var index = slot + 1
        while index < sums.count {
            sums[index] += difference
            index += index & -index
        }
    }

    private mutating func grow(to count: Int) {
        weights += Array(repeating: 0, count: max(count, 2 * weights.count) - weights.count)
        sums = Array(repeating: 0, count: weights.count + 1)
        total = 0
        for (slot, weight) in weights.enumerated() where weight != 0 { add(weight, at: slot) }
    }
}

extension Int {
    /// The largest power of two that does not exceed the number; 0 for 0.
    var highestPowerOfTwo: Int { self <= 0 ? 0 : 1 << (Int.bitWidth - 1 - leadingZeroBitCount) }
}
