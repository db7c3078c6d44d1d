// Where a call would go, and why, without sending it.

/// The answer to the question of where a call would go.
public struct RoutingExplanation: Sendable {
    /// A deployment that may take the call.
    public struct Candidate: Sendable {
        /// The deployment's id.
        public var id: String
        /// 1 for the deployment that would be chosen, 2 for the next one if that fails, and so on.
        public var rank: Int
        /// The number that the policy looks at.
        public var score: Double
        /// What the number is.
        public var scoreMeaning: String
        /// Calls in flight.
        public var callsInFlight: Int
        /// The share of calls relative to the others.
        public var weight: Double
        /// The tier.
        public var priority: Int
    }

    /// A deployment that may not take the call.
    public struct Excluded: Sendable {
        /// The deployment's id.
        public var id: String
        /// Why.
        public var reasons: [IneligibilityReason]
        /// The time until it may, if it only has to wait.
        public var timeUntilEligible: Duration?
    }

    /// The public name of the model.
    public var model: String
    /// The name of the policy.
    public var policy: String
    /// What the router knows about the call. The text is empty if the policy does not look at it.
    public var input: RoutingInput
    /// The deployments that may take the call, in the order in which they would be tried; at most 100.
    public var candidates: [Candidate]
    /// The deployments that may not take it, by their ids.
    public var excluded: [Excluded]
}

extension GroupState {
    /// Where a call would go, and where it would go after each failure. Changes nothing, not even the order of turns.
    package func explain(_ input: RoutingInput) -> RoutingExplanation {
        let now = time.now()
        let core = snapshot()
        let match = input.text.isEmpty ? nil : core.policy.prefixCache?.match(input.text, salt: 0, now: now)
        return core.explanation(of: input, match: match, now: now)
    }
}

extension GroupCore {
    private static let candidateLimit = 100

    /// Asks this copy of the group repeatedly, each time without the deployments that it has already named.
    fileprivate func explanation(
        of input: RoutingInput,
        match: PrefixMatch?,
        now: MonotonicInstant
    ) -> RoutingExplanation {
        var copy = self
        let modeIndex = copy.modeIndex(of: input.mode)
        return copy.explanation(of: input, modeIndex, match: match, now: now)
    }

    private func explanation(
        of input: RoutingInput,
        _ modeIndex: Int,
        match: PrefixMatch?,
        now: MonotonicInstant
    ) -> RoutingExplanation {
        var copy = self
        var ranked: [RoutingExplanation.Candidate] = []
        var named: [Int] = []
        while ranked.count < Self.candidateLimit {
            var context = SelectionContext(now: now, excluded: named, match: match)
            let forced = input.forcedDeployment.map { id in
                slots[id].flatMap { reasons($0, modeIndex).isEmpty && !named.contains($0) ? $0 : nil }
            }
            guard let slot = forced ?? copy.select(input, modeIndex, &context) else { break }
            named.append(slot)
            ranked.append(candidate(slot, rank: named.count, context))
        }
        let excluded = present.filter { !reasons($0, modeIndex).isEmpty }.map { slot in
            RoutingExplanation.Excluded(
                id: members[slot].record.deployment.id,
                reasons: reasons(slot, modeIndex).reasons,
                timeUntilEligible: timeUntilEligible(slot, modeIndex, now: now)
            )
        }
        return RoutingExplanation(
            model: configuration.model,
            policy: configuration.policy.name,
            input: input,
            candidates: ranked,
            excluded: excluded.sorted { $0.id < $1.id }
        )
    }

    private func candidate(
        _ slot: Int,
        rank: Int,
        _ context: SelectionContext
    ) -> RoutingExplanation.Candidate {
        let score = policy.score(of: slot, members: members, context: context)
        return RoutingExplanation.Candidate(
            id: members[slot].record.deployment.id,
            rank: rank,
            score: score.value,
            scoreMeaning: score.meaning,
            callsInFlight: members[slot].calls,
            weight: members[slot].weight,
            priority: members[slot].priority
        )
    }
}
