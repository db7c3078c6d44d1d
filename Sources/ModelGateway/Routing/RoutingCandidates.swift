// The deployments that a policy of an embedding program chooses from.

/// The deployments that may take a call. Looking at one has a cost; counting them does not.
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
            expectedWait: .seconds(member.expectedWait),
            timeToFirstToken: member.latency.map { .seconds($0) },
            load: member.report
        )
    }
}
