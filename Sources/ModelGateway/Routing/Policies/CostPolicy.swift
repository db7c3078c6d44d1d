// The policy `cost`: the cheapest deployment that is fast enough.

import GatewayWire

extension RoutingPolicyKind {
    /// The lowest price among the deployments that are fast enough.
    /// - Parameters:
    ///   - maxLatency: The longest smoothed time to the first token that counts as fast enough. Default 10 s.
    ///   - exploration: The share of calls that go to any deployment, so that a slow one can prove that it is fast
    ///     again. Default 0.01.
    public static func cost(maxLatency: Duration = .seconds(10), exploration: Double = 0.01) -> RoutingPolicyKind {
        RoutingPolicyKind(CostPolicy.self, CostOptions(maxLatency: maxLatency, exploration: exploration))
    }
}

/// The parameters of ``RoutingPolicyKind/cost(maxLatency:exploration:)``.
struct CostOptions: PolicyOptions {
    var maxLatency = Duration.seconds(10)
    var exploration = 0.01

    static let keys: [PolicyKey<CostOptions>] = [
        .duration(
            "max_latency",
            \.maxLatency,
            in: .milliseconds(1) ... .seconds(3600),
            "time to the first token that is fast enough"
        ),
        .exploration(\.exploration),
    ]
}

/// The lowest price among the deployments whose smoothed time to the first token is within the limit; among equals the
/// least loaded. If all are slower than the limit, the cheapest of them.
struct CostPolicy: StandardPolicy {
    static let name = "cost"

    private let maxLatency: Double
    private let exploration: Double

    init(_ options: CostOptions) {
        maxLatency = options.maxLatency.inSeconds
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

    private func isSlow(_ member: Member) -> Bool { member.latency.map { $0 > maxLatency } ?? false }

    // Stands for an unknown price: above every real one.
    private static let unknownPrice = 1e12
}
