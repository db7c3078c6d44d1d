// The policy `round_robin`: everyone in turn, the heavier ones more often.

import GatewayWire

/// Smooth weighted round robin. A change of the eligible set neither restarts the cycle nor repeats a turn.
struct RoundRobinPolicy: SelectionPolicy {
    var index: PoolIndex { .turns }

    mutating func select(
        from pool: inout Pool,
        members: [Member],
        input: RoutingInput,
        context: SelectionContext,
        random: inout SeededGenerator
    ) -> Int? {
        pool.turns?.next(excluding: context.excluded)
    }

    func score(of slot: Int, members: [Member], context: SelectionContext) -> PolicyScore {
        PolicyScore(value: members[slot].weight, meaning: "weight; in the order of turns")
    }
}
