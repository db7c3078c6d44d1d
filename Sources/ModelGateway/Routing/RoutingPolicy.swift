// The protocol for policies of embedding programs, and what such a policy is told.

import GatewayWire

/// A way to choose among deployments that your program brings along.
///
/// A group makes one instance for itself and never calls it from two threads at a time, so a policy can be a plain
/// structure with state. It is called under the group's lock: choose quickly, and never wait for anything.
///
/// ```swift
/// /// Everything to the first deployment until it has ten calls, then to the second, and so on.
/// struct FillFirst: RoutingPolicy {
///     mutating func choose(
///         from candidates: RoutingCandidates,
///         for input: RoutingInput,
///         using generator: inout some RandomNumberGenerator
///     ) -> Int? {
///         let inOrder = candidates.indices.sorted { candidates[$0].deployment.id < candidates[$1].deployment.id }
///         return inOrder.first { candidates[$0].callsInFlight < 10 } ?? inOrder.first
///     }
/// }
///
/// let group = DeploymentGroup(model: "llama", deployments: engines, policy: .custom("fill_first") { FillFirst() })
/// ```
public protocol RoutingPolicy: Sendable {
    /// Chooses a deployment for a call.
    /// - Parameters:
    ///   - candidates: The deployments that may take the call, at least one, in no particular order: eligible, of one
    ///     priority tier, with the tags that the call prefers, and not tried yet by this call.
    ///   - input: What the call tells about itself.
    ///   - generator: The group's random numbers, repeatable in tests.
    /// - Returns: An index into the candidates, or nil if none of them suits: then the call fails as unavailable.
    mutating func choose(
        from candidates: RoutingCandidates,
        for input: RoutingInput,
        using generator: inout some RandomNumberGenerator
    ) -> Int?
}

/// One deployment that may take a call.
public struct RoutingCandidate: Sendable {
    /// The deployment.
    public let deployment: Deployment
    /// Calls under way, up to the last byte of their answers.
    public let callsInFlight: Int
    /// Estimated prompt tokens of calls that have not been answered yet.
    public let pendingTokens: Int
    /// Estimated seconds until a new prompt would be begun.
    public let expectedWait: Double
    /// Smoothed seconds to the first token; nil before the first answer.
    public let timeToFirstToken: Double?
    /// The engine's last report, if it reports.
    public let report: EngineLoad?
}

/// The deployments that may take a call. Looking at one costs something, counting them nothing.
public struct RoutingCandidates: RandomAccessCollection, Sendable {
    private let slots: [Int32]
    private let members: [Member]
    public let endIndex: Int

    init(slots: [Int32], count: Int, members: [Member]) {
        self.slots = slots
        self.members = members
        endIndex = count
    }

    public var startIndex: Int { 0 }

    public subscript(position: Int) -> RoutingCandidate {
        precondition(indices.contains(position), "A position outside of the candidates")
        let member = members[Int(slots[position])]
        return RoutingCandidate(
            deployment: member.record.deployment,
            callsInFlight: member.calls,
            pendingTokens: member.pendingTokens,
            expectedWait: member.expectedWait,
            timeToFirstToken: member.latency,
            report: member.report
        )
    }
}

/// Lets a group use a policy of the embedding program like one of the library's.
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
