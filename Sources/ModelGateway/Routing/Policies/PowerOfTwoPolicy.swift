// The policy `power_of_two`: the less loaded of two random candidates.

import GatewayWire

extension RoutingPolicyKind {
    /// Of two random candidates, the one with less load for its weight.
    public static let powerOfTwo = RoutingPolicyKind(PowerOfTwoPolicy.self)
}

/// Two distinct candidates, the first at random by weight, the second at random; the lower load for its weight wins,
/// or the first if they are equal. If one of the two reports its own load, the shorter expected wait wins.
struct PowerOfTwoPolicy: StandardPolicy {
    static let name = "power_of_two"

    init(_ options: NoPolicyOptions) {}

    var index: PoolIndex { .weights }

    mutating func select(
        from pool: inout Pool,
        members: [Member],
        input: RoutingInput,
        context: SelectionContext,
        random: inout SeededGenerator
    ) -> Int? {
        pool.lesserOfTwo(members: members, excluding: context.excluded, random: &random)
    }
}
