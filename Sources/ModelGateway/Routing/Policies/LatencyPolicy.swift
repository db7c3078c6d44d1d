// The policies `latency` and `cost`: the fastest, or the cheapest of those that are fast enough.

import GatewayWire

/// The shortest smoothed time to the first token for each token of the prompt, times the calls that it would have then
/// (the "peak EWMA" of Finagle and Linkerd). A measurement comes late: without the calls everything would go to the one
/// that was fastest until it is the slowest. Idle deployments without a measurement go first, busy ones last; one call
/// in a hundred goes anywhere, so that a slow deployment can show that it is fast again.
struct LatencyPolicy: SelectionPolicy {
    var exploration: Double

    var index: PoolIndex { .order }

    mutating func select(
        from pool: inout Pool,
        members: [Member],
        input: RoutingInput,
        context: SelectionContext,
        random: inout SeededGenerator
    ) -> Int? {
        pool.leastOrExplored(exploration, excluding: context.excluded, random: &random)
    }

    func key(of slot: Int, members: [Member]) -> OrderKey {
        OrderKey(
            primary: expectedLatency(of: members[slot]),
            secondary: members[slot].loadPerWeight,
            tie: members[slot].turn
        )
    }

    private func expectedLatency(of member: Member) -> Double {
        let load = member.loadPerWeight
        guard let latency = member.latencyPerToken else { return load == 0 ? 0 : Self.unmeasured }
        return latency * (1 + load)
    }

    // Seconds for each token that no deployment takes.
    private static let unmeasured = 1e6

    func score(of slot: Int, members: [Member], context: SelectionContext) -> PolicyScore {
        guard members[slot].latencyPerToken != nil else {
            return PolicyScore(value: members[slot].loadPerWeight, meaning: "load per weight; not measured yet")
        }
        return PolicyScore(
            value: expectedLatency(of: members[slot]) * 1e6,
            meaning: "microseconds to the first token for each prompt token, times the calls on it and this one"
        )
    }
}

/// The lowest price among the deployments whose smoothed time to the first token is within the bound; among equals the
/// least loaded. If all are slower than the bound, the cheapest of them.
struct CostPolicy: SelectionPolicy {
    private let maximumLatency: Double
    private let exploration: Double

    init(_ options: CostOptions) {
        maximumLatency = options.maximumLatency.inSeconds
        exploration = options.exploration
    }

    var index: PoolIndex { .order }

    mutating func select(
        from pool: inout Pool,
        members: [Member],
        input: RoutingInput,
        context: SelectionContext,
        random: inout SeededGenerator
    ) -> Int? {
        pool.leastOrExplored(exploration, excluding: context.excluded, random: &random)
    }

    func key(of slot: Int, members: [Member]) -> OrderKey {
        let price = min(members[slot].price, Self.unknownPrice)
        return OrderKey(
            primary: isSlow(members[slot]) ? price + 2 * Self.unknownPrice : price,
            secondary: members[slot].loadPerWeight,
            tie: members[slot].turn
        )
    }

    func score(of slot: Int, members: [Member], context: SelectionContext) -> PolicyScore {
        let note = isSlow(members[slot]) ? "; slower than allowed" : ""
        guard members[slot].price.isFinite else {
            return PolicyScore(value: members[slot].loadPerWeight, meaning: "load per weight; no price is known\(note)")
        }
        return PolicyScore(value: members[slot].price, meaning: "price of a million tokens\(note)")
    }

    private func isSlow(_ member: Member) -> Bool { member.latency.map { $0 > maximumLatency } ?? false }

    // Stands for a price that is not known: above every real one.
    private static let unknownPrice = 1e12
}

extension Pool {
    /// The slot with the least key, or with a small probability any slot.
    fileprivate mutating func leastOrExplored(
        _ exploration: Double,
        excluding excluded: [Int],
        random: inout SeededGenerator
    ) -> Int? {
        if exploration > 0, random.unit() < exploration {
            let count = setAside(excluded)
            if count > 0 { return Int(slots[random.index(below: count)]) }
        }
        return order?.least(excluding: excluded)
    }
}
