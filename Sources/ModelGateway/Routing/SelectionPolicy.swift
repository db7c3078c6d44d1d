// What the group asks of a policy: one slot out of a pool of eligible ones.

/// What belongs to one selection beside the call's own properties.
struct SelectionContext: Sendable {
    /// The present.
    var now: MonotonicInstant
    /// Slots of the pool that this call has tried already.
    var excluded: [Int] = []
}

/// A policy of the library. Its group calls it under the group's lock, so it needs none of its own and must be quick.
protocol SelectionPolicy: Sendable {
    /// The index that pools must keep for the policy.
    var index: PoolIndex { get }

    /// Chooses one of the pool's slots that is not excluded; the pool has at least one.
    mutating func select(
        from pool: inout Pool,
        members: [Member],
        input: RoutingInput,
        context: SelectionContext,
        random: inout SplitMix64
    ) -> Int?

    /// What a pool with an ``PoolIndex/order`` sorts a slot by.
    func key(of slot: Int, members: [Member], random: inout SplitMix64) -> OrderKey
}

extension SelectionPolicy {
    var index: PoolIndex { .none }
    func key(of slot: Int, members: [Member], random: inout SplitMix64) -> OrderKey { OrderKey() }
}
