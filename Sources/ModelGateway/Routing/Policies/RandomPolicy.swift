// The policy `random`: a uniform choice, weighted.

import GatewayWire

/// Chooses with probabilities in proportion to the weights.
struct RandomPolicy: SelectionPolicy {
    var index: PoolIndex { .weights }

    mutating func select(
        from pool: inout Pool,
        members: [Member],
        input: RoutingInput,
        context: SelectionContext,
        random: inout SeededGenerator
    ) -> Int? {
        pool.weighted(excluding: context.excluded, random: &random)
    }

    func score(of slot: Int, members: [Member], context: SelectionContext) -> PolicyScore {
        PolicyScore(value: members[slot].weight, meaning: "weight")
    }
}

extension Pool {
    // With weights far apart, a uniform choice is seldom kept.
    private static let uniformChoices = 4

    /// A slot at random with probabilities in proportion to the weights.
    ///
    /// A uniform choice that is kept with the probability of its weight over the heaviest one's comes to the same and
    /// is done with one look if the weights are alike. The tree of sums bounds the time if they are not.
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
}
