// The part of a group that chooses a deployment for a call.

import GatewayWire

/// The answer to a call that wants a deployment.
enum Selection: Sendable {
    /// This one; the attempt now counts as in flight.
    case chosen(Placement)
    /// All deployments that may take the call are full.
    case full
    /// No deployment may take the call.
    indirect case failed(GatewayError)
}

/// A deployment that was chosen, with what the lease needs to know.
struct Placement: Sendable {
    let record: DeploymentRecord
    let slot: Int
    let modeIndex: Int
    let epoch: UInt32
    /// Whether the attempt tests if the credentials are accepted again.
    let isTrial: Bool
    let report: UInt32
    let tokens: Int
}

extension GroupCore {
    /// The slots of the deployments that a call has tried, if they are still there.
    func slots(_ tried: TriedDeployments) -> [Int] {
        guard !tried.entries.isEmpty else { return [] }
        return tried.entries.filter { $0.slot < members.count && members[$0.slot].number == $0.number }.map(\.slot)
    }

    /// The slots that a call has tried and may not go back to yet.
    private func slots(_ tried: TriedDeployments, closedAt now: MonotonicInstant) -> [Int] {
        slots(tried).filter { slot in
            let last = tried.entries.last { $0.slot == slot && $0.number == members[slot].number }
            return last.map { $0.returns > now } ?? false
        }
    }

    /// Chooses a deployment for a call and counts the attempt as in flight.
    mutating func take(
        _ input: RoutingInput,
        excluding tried: TriedDeployments,
        match: PrefixMatch?,
        now: MonotonicInstant
    ) -> Selection {
        if let limit = configuration.admission.maxConcurrentCalls, calls >= limit { return .full }
        let excluded = slots(tried)
        let modeIndex = modeIndex(of: input.mode)
        let closed = tried.mayRepeat ? slots(tried, closedAt: now) : excluded
        if let id = input.forcedDeployment { return takeForced(id, input, modeIndex, closed, now: now) }
        if let placement = choose(input, modeIndex, excluding: excluded, match: match, now: now) {
            return .chosen(placement)
        }
        if closed.count < excluded.count,
            let placement = choose(input, modeIndex, excluding: closed, match: match, now: now)
        {
            return .chosen(placement)
        }
        let someAreFull = present.contains { slot in
            reasons(slot, modeIndex) == .saturated && !closed.contains(slot)
        }
        return someAreFull ? .full : .failed(unavailable(modeIndex, now: now))
    }

    private mutating func takeForced(
        _ id: String,
        _ input: RoutingInput,
        _ modeIndex: Int,
        _ excluded: [Int],
        now: MonotonicInstant
    ) -> Selection {
        guard let slot = slots[id] else {
            return .failed(
                GatewayError(
                    .invalidRequest,
                    "The model \(configuration.model) has no deployment \(id.debugDescription)",
                    advice: .chooseDeployment,
                    param: "deployment"
                )
            )
        }
        let ineligibility = reasons(slot, modeIndex)
        if ineligibility.isEmpty, !excluded.contains(slot) {
            return .chosen(begin(slot, modeIndex, tokens: input.estimatedTokens, now: now))
        }
        if ineligibility == .saturated { return .full }
        let reasons = excluded.contains(slot) ? "already tried" : ineligibility.words.joined(separator: ", ")
        return .failed(
            GatewayError(
                .unavailable,
                "The deployment \(id.debugDescription) cannot take the call: \(reasons).",
                retryAfter: timeUntilEligible(slot, modeIndex, now: now)
            )
        )
    }

    private mutating func choose(
        _ input: RoutingInput,
        _ modeIndex: Int,
        excluding excluded: [Int],
        match: PrefixMatch?,
        now: MonotonicInstant
    ) -> Placement? {
        var context = SelectionContext(now: now, excluded: excluded, match: match)
        guard let slot = select(input, modeIndex, &context) else { return nil }
        let tokens = policy.promptTokens(of: input, on: slot, context: context)
        return begin(slot, modeIndex, tokens: tokens, now: now)
    }

    /// Chooses a slot without counting anything; nil if none is eligible. The policy works on the group's pool in
    /// place: a copy of it would cost more than most choices.
    mutating func select(_ input: RoutingInput, _ modeIndex: Int, _ context: inout SelectionContext) -> Int? {
        let excluded = context.excluded
        for tier in tiers.indices where hasCandidates(tier, modeIndex, excluding: excluded) {
            if !input.tags.isEmpty {
                let wanted = TagKey(modeIndex: modeIndex, tags: input.tags)
                makeTaggedPool(wanted, tier: tier)
                if tiers[tier].tagged[wanted, default: Pool(.none)].count(excluding: excluded) > 0 {
                    context.keepExcluded(in: tiers[tier].tagged[wanted, default: Pool(.none)])
                    return policy.select(
                        from: &tiers[tier].tagged[wanted, default: Pool(.none)],
                        members: members,
                        input: input,
                        context: context,
                        random: &random
                    )
                }
            }
            context.keepExcluded(in: tiers[tier].pools[modeIndex])
            return policy.select(
                from: &tiers[tier].pools[modeIndex],
                members: members,
                input: input,
                context: context,
                random: &random
            )
        }
        return nil
    }

    private func hasCandidates(_ tier: Int, _ modeIndex: Int, excluding excluded: [Int]) -> Bool {
        if excluded.isEmpty { return !tiers[tier].pools[modeIndex].slots.isEmpty }
        return tiers[tier].pools[modeIndex].count(excluding: excluded) > 0
    }

    private mutating func makeTaggedPool(_ wanted: TagKey, tier: Int) {
        guard tiers[tier].tagged[wanted] == nil else { return }
        if tiers[tier].tagged.count >= 32 { tiers[tier].tagged.removeAll() }
        var pool = Pool(policy.index)
        for slot in tiers[tier].pools[wanted.modeIndex].slots.map(Int.init) {
            guard members[slot].record.deployment.tags.contains(where: wanted.tags.contains) else { continue }
            pool.insert(slot, members[slot], key: policy.key(of: slot, members: members))
        }
        tiers[tier].tagged[wanted] = pool
    }

    /// Notes that an attempt begins on a slot.
    private mutating func begin(_ slot: Int, _ modeIndex: Int, tokens: Int, now: MonotonicInstant) -> Placement {
        calls += 1
        lastTurn = max(lastTurn, members[slot].turn)
        members[slot].turn = lastTurn + members[slot].turnLength
        members[slot].dispatchedTokens += tokens
        load(slot, calls: 1, tokens: tokens)
        let epoch = members[slot].modeHealth[modeIndex].breaker.begin()
        let isTrial = members[slot].modeHealth[modeIndex].credentials.begin()
        noteSaturation(slot, modeIndex)
        return Placement(
            record: members[slot].record,
            slot: slot,
            modeIndex: modeIndex,
            epoch: epoch,
            isTrial: isTrial,
            report: members[slot].reports,
            tokens: tokens
        )
    }
}

// MARK: - Nobody eligible

extension GroupCore {
    /// The error for a call that no deployment may take.
    func unavailable(_ modeIndex: Int, now: MonotonicInstant) -> GatewayError {
        let waits = present.compactMap { timeUntilEligible($0, modeIndex, now: now) }
        var counts: [String: Int] = [:]
        for slot in present {
            // A deployment that is out for several reasons is back when the last one is gone; naming one would mislead.
            let names = reasons(slot, modeIndex).words
            let reason = names.isEmpty ? "already tried" : names.joined(separator: " and ")
            counts[reason, default: 0] += 1
        }
        let areRejected = !counts.isEmpty && present.allSatisfy { self.reasons($0, modeIndex).contains(.misconfigured) }
        let advice =
            areRejected
            ? "the provider rejected the gateway's credentials, the operator must check the API key" : "try again later"
        return GatewayError(
            .unavailable,
            "No deployment of \(configuration.model) can take the call now (\(detail(counts))); \(advice).",
            retryAfter: waits.min() ?? Self.longestWait
        )
    }

    /// How many deployments are out for which reason.
    private func detail(_ counts: [String: Int]) -> String {
        let reasons = counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
        if !reasons.isEmpty { return reasons }
        return switch lastDeparture {
        case .drained, .atDeadline: "all were drained"
        case .removed: "all were removed"
        case .replaced, nil: "it has none"
        }
    }

    // What clients are told when it is unknown when a deployment will be back.
    private static let longestWait = Duration.seconds(30)

    /// The time until a deployment may take calls of a mode, or of any mode if none is given; nil if waiting alone does
    /// not bring it back.
    func timeUntilEligible(_ slot: Int, _ modeIndex: Int?, now: MonotonicInstant) -> Duration? {
        let modeHealth = modeIndex.map { members[slot].modeHealth[$0] } ?? ModeHealth(configuration.breaker)
        let ineligibility = members[slot].ineligibility.union(modeHealth.ineligibility)
        if !ineligibility.isDisjoint(with: [.absent, .standby, .draining]) { return nil }
        var wait = Duration.zero
        if ineligibility.contains(.breakerOpen) { wait = max(wait, modeHealth.breaker.reopening - now) }
        if ineligibility.contains(.coolingDown) { wait = max(wait, modeHealth.cooldownEnds - now) }
        if ineligibility.contains(.misconfigured) { wait = max(wait, modeHealth.credentials.nextTrial - now) }
        if ineligibility.contains(.overloaded) { wait = max(wait, members[slot].reportEnds - now) }
        if ineligibility.contains(.unhealthy) {
            wait = max(wait, (probes(of: slot) ?? HealthOptions()).interval)
        }
        if ineligibility.contains(.saturated) { wait = max(wait, .seconds(1)) }
        return wait
    }
}
