// The policy `round_robin`: each deployment in turn, the heavier ones more often.

import GatewayWire

extension RoutingPolicyKind {
    /// Each deployment in turn, the heavier ones more often, evenly spread.
    public static let roundRobin = RoutingPolicyKind(RoundRobinPolicy.self)
}

/// Smooth weighted round robin. A change of the eligible set neither restarts the cycle nor repeats a turn.
struct RoundRobinPolicy: StandardPolicy {
    static let name = "round_robin"

    init(_ options: NoPolicyOptions) {}

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
