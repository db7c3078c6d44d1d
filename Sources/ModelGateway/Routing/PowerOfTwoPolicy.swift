// The policy `power_of_two`: the less loaded of two random candidates.

import GatewayWire

/// Two distinct candidates uniformly at random; the lower load for its weight wins, ties at random. If one of the two
/// reports its own load, the shorter expected wait wins.
struct PowerOfTwoPolicy: SelectionPolicy {
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
