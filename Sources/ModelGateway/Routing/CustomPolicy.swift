// How a group asks a policy of the embedding program.

import GatewayWire

/// Lets a group use the embedding program's policy as if it were one of the library's.
struct CustomPolicy: SelectionPolicy {
    private var policy: any RoutingPolicy

    var readsText: Bool { true }

    init(_ policy: any RoutingPolicy) {
        self.policy = policy
    }

    mutating func select(
        from pool: inout Pool,
        members: [Member],
        input: RoutingInput,
        context: SelectionContext,
        random: inout SeededGenerator
    ) -> Int? {
        let count = pool.setAside(context.excluded)
        let candidates = RoutingCandidates(slots: pool.slots, count: count, members: members)
        let chosen = policy.choose(from: candidates, for: input, using: &random)
        guard let chosen, candidates.indices.contains(chosen) else { return nil }
        return Int(pool.slots[chosen])
    }
}
