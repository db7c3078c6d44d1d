// The policy `random`: a uniform choice, weighted.

import GatewayWire

extension RoutingPolicyKind {
    /// A random choice by weight.
    public static let random = RoutingPolicyKind(RandomPolicy.self)
}

/// Chooses with probabilities in proportion to the weights.
struct RandomPolicy: StandardPolicy {
    static let name = "random"

    init(_ options: NoPolicyOptions) {}

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
