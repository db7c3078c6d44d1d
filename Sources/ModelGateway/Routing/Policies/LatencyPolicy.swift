// The policy `latency`: the fastest deployment per token of the prompt, as measured.

import GatewayWire

extension RoutingPolicyKind {
    /// The shortest measured time to the first token per token of the prompt, times the calls in flight.
    /// - Parameter exploration: The share of calls that go to any deployment, so that a slow one can prove that it is
    ///   fast again. Default 0.01.
    public static func latency(exploration: Double = 0.01) -> RoutingPolicyKind {
        RoutingPolicyKind(LatencyPolicy.self, LatencyOptions(exploration: exploration))
    }
}

/// The parameter of ``RoutingPolicyKind/latency(exploration:)``.
struct LatencyOptions: PolicyOptions {
    var exploration = 0.01

    static let keys: [PolicyKey<LatencyOptions>] = [.exploration(\.exploration)]
}

/// The shortest smoothed time to the first token per token of the prompt, times the calls that it would then have
/// (the "peak EWMA" of Finagle and Linkerd). Measurements come late: without the calls, everything would go to the one
/// that was fastest until it was the slowest. Idle deployments without a measurement go first, busy ones last; one call
/// in a hundred goes anywhere, so that a slow deployment can prove that it is fast again.
struct LatencyPolicy: StandardPolicy {
    static let name = "latency"

    private let exploration: Double

    init(_ options: LatencyOptions) {
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

    // Seconds per token, more than any deployment takes.
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
