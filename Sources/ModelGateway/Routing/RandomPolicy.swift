// The policy `random`: a uniform choice, weighted.

/// Chooses with probabilities in proportion to the weights.
struct RandomPolicy: SelectionPolicy {
    var index: PoolIndex { .weights }

    mutating func select(
        from pool: inout Pool,
        members: [Member],
        input: RoutingInput,
        context: SelectionContext,
        random: inout SplitMix64
    ) -> Int? {
        guard !context.excluded.isEmpty else {
            return pool.weights.flatMap { $0.slot(at: random.unit() * $0.total) }
        }
        for slot in context.excluded { pool.weights?.set(slot, to: 0) }
        defer { for slot in context.excluded { pool.weights?.set(slot, to: members[slot].weight) } }
        return pool.weights.flatMap { $0.slot(at: random.unit() * $0.total) }
    }
}
