// Ways to choose from a pool that several policies share: at random by weight, the less busy of two, the least.

import GatewayWire

extension Pool {
    // If the weights are far apart, a uniform choice is rarely kept.
    private static let uniformChoices = 4

    /// A slot at random with probabilities in proportion to the weights.
    ///
    /// A uniform choice that is kept with the probability of its weight over the heaviest one's amounts to the same,
    /// and takes one look if the weights are similar. The tree of sums bounds the time if they are not.
    mutating func weighted(excluding excluded: [Int], random: inout SeededGenerator) -> Int? {
        let count = setAside(excluded)
        guard count > 0 else { return nil }
        for _ in 0..<Self.uniformChoices {
            let slot = Int(slots[random.index(below: count)])
            if let weight = weights?[slot], random.unit() * heaviest < weight { return slot }
        }
        let kept = excluded.map { weights?[$0] ?? 0 }
        for slot in excluded { weights?.set(slot, to: 0) }
        defer { for (slot, weight) in zip(excluded, kept) { weights?.set(slot, to: weight) } }
        return weights?.draw(&random)
    }

    /// Two different candidates, of which the one with less load for its weight is chosen: the first at random by
    /// weight, so that the shares follow the weights while all deployments are idle, the second at random. Needs the
    /// index ``PoolIndex/weights``.
    mutating func lesserOfTwo(
        members: [Member],
        excluding excluded: [Int],
        random: inout SeededGenerator
    ) -> Int? {
        guard let first = weighted(excluding: excluded, random: &random) else { return nil }
        let count = setAside(excluded)
        guard count > 1 else { return first }
        let drawn = Int(slots[random.index(below: count - 1)])
        let second = drawn == first ? Int(slots[count - 1]) : drawn
        let isReported = members[first].report != nil || members[second].report != nil
        let firstLoad = isReported ? members[first].expectedWait : members[first].loadPerWeight
        let secondLoad = isReported ? members[second].expectedWait : members[second].loadPerWeight
        return secondLoad < firstLoad ? second : first
    }

    /// The slot with the least key, or, with a small probability, any slot.
    mutating func leastOrExplored(
        _ exploration: Double,
        excluding excluded: [Int],
        random: inout SeededGenerator
    ) -> Int? {
        if exploration > 0, random.unit() < exploration {
            let count = setAside(excluded)
            if count > 0 { return Int(slots[random.index(below: count)]) }
        }
        return order?.least(excluding: excluded)
    }
}

extension PolicyKey {
    /// The key of the policies that choose with ``Pool/leastOrExplored(_:excluding:random:)``.
    static func exploration(_ path: Path<Double>) -> PolicyKey {
        .number("exploration", path, in: 0...1, "share of calls that go to any deployment")
    }
}
