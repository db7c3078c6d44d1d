// What a group asks of a policy: one slot from a pool of eligible ones.

import GatewayWire

/// What matters for one selection besides the call's own properties.
struct SelectionContext: Sendable {
    /// The current time.
    var now: MonotonicInstant
    /// Slots of the pool that this call has already tried.
    var excluded: [Int] = []
    /// Which deployments have the beginning of the prompt cached, if the policy keeps track of that.
    var match: PrefixMatch?

    /// Drops excluded slots that a pool does not have.
    mutating func keepExcluded(in pool: borrowing Pool) {
        if !excluded.isEmpty { excluded.removeAll { !pool.contains($0) } }
    }

    /// Whether a slot may be chosen from a pool.
    func allows(_ slot: Int, in pool: borrowing Pool) -> Bool {
        pool.contains(slot) && !excluded.contains(slot)
    }
}

/// A policy of the library. Its group calls it under the group's lock, so it needs no lock of its own and must be
/// quick.
protocol SelectionPolicy: Sendable {
    /// The index that pools must keep for the policy.
    var index: PoolIndex { get }

    /// Whether the policy looks at the prompt's text or its length.
    var readsText: Bool { get }

    /// The record of prompts that the group must ask before a selection, if the policy needs it.
    var prefixCache: PrefixCache? { get }

    /// Chooses one of the pool's slots that is not excluded; the pool has at least one.
    mutating func select(
        from pool: inout Pool,
        members: [Member],
        input: RoutingInput,
        context: SelectionContext,
        random: inout SeededGenerator
    ) -> Int?

    /// What a pool with an ``PoolIndex/order`` sorts a slot by.
    func key(of slot: Int, members: [Member]) -> OrderKey

    /// What explains the rank of a slot: a number, and whether less of it is better.
    func score(of slot: Int, members: [Member], context: SelectionContext) -> PolicyScore

    /// How many tokens of the prompt the deployment has to read.
    func promptTokens(of input: RoutingInput, on slot: Int, context: SelectionContext) -> Int

    /// A deployment has become a member of the group, or its weight has changed.
    mutating func join(_ slot: Int, members: [Member])

    /// The deployment in a slot is no longer a member.
    mutating func leave(_ slot: Int)
}

/// A number that explains the rank of a candidate.
struct PolicyScore: Sendable, Hashable {
    var value: Double
    var meaning: String
}

extension SelectionPolicy {
    var index: PoolIndex { .none }
    var prefixCache: PrefixCache? { nil }
    var readsText: Bool { false }

    func key(of slot: Int, members: [Member]) -> OrderKey { OrderKey() }

    func score(of slot: Int, members: [Member], context: SelectionContext) -> PolicyScore {
        PolicyScore(value: members[slot].loadPerWeight, meaning: "load per weight")
    }

    func promptTokens(of input: RoutingInput, on slot: Int, context: SelectionContext) -> Int { input.estimatedTokens }

    mutating func join(_ slot: Int, members: [Member]) {}
    mutating func leave(_ slot: Int) {}
}
