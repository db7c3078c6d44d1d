// The policy `least_load`: the shortest expected wait.

import GatewayWire

extension RoutingPolicyKind {
    /// The shortest expected wait.
    public static let leastLoad = RoutingPolicyKind(LeastLoadPolicy.self)
}

/// The deployment that would start on the prompt first; among equals the one that has been unused longest for
/// its weight.
struct LeastLoadPolicy: StandardPolicy {
    static let name = "least_load"

    init(_ options: NoPolicyOptions) {}

    var index: PoolIndex { .order }

    mutating func select(
        from pool: inout Pool,
        members: [Member],
        input: RoutingInput,
        context: SelectionContext,
        random: inout SeededGenerator
    ) -> Int? {
        pool.order?.least(excluding: context.excluded)
    }

    func key(of slot: Int, members: [Member]) -> OrderKey {
        OrderKey(primary: members[slot].expectedWait, tie: members[slot].turn)
    }

    func score(of slot: Int, members: [Member], context: SelectionContext) -> PolicyScore {
        PolicyScore(value: members[slot].expectedWait, meaning: "expected wait in seconds")
    }
}
