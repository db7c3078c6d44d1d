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
        pool.weighted(members: members, excluding: context.excluded, random: &random)
    }

    func score(of slot: Int, members: [Member], context: SelectionContext) -> PolicyScore {
        PolicyScore(value: members[slot].weight, meaning: "weight")
    }
}

extension Pool {
    /// A slot at random with probabilities in proportion to the weights.
    mutating func weighted(members: [Member], excluding excluded: [Int], random: inout SeededGenerator) -> Int? {
        for slot in excluded { weights?.set(slot, to: 0) }
        defer { for slot in excluded { weights?.set(slot, to: members[slot].weight) } }
        return weights?.draw(&random)
    }
}
