// The part of a group that chooses a deployment for a call.

import GatewayWire

/// The answer to a call that wants a deployment.
enum Selection: Sendable {
    /// This one; the attempt counts as under way.
    case chosen(Grant)
    /// All that may take the call have no place free.
    case full
    /// No deployment may take the call.
    indirect case failed(GatewayError)
}

/// A deployment that was chosen, with what the lease needs to know.
struct Grant: Sendable {
    let record: DeploymentRecord
    let slot: Int
    let lane: Int
    let era: UInt32
    /// Whether the attempt finds out if the credentials are accepted again.
    let isTrial: Bool
    let report: UInt32
    let tokens: Int
}

extension GroupCore {
    /// The slots of the deployments that a call has tried, as far as they are still there.
    func slots(_ tried: TriedDeployments) -> [Int] {
        guard !tried.entries.isEmpty else { return [] }
        return tried.entries.filter { $0.slot < members.count && members[$0.slot].number == $0.number }.map(\.slot)
    }

    /// The slots that a call has tried and may not go back to by now.
    private func slots(_ tried: TriedDeployments, closedAt now: MonotonicInstant) -> [Int] {
        slots(tried).filter { slot in
            let last = tried.entries.last { $0.slot == slot && $0.number == members[slot].number }
            return last.map { $0.returns > now } ?? false
        }
    }

    /// Chooses a deployment for a call and counts the attempt as under way.
    mutating func take(
        _ input: RoutingInput,
        excluding tried: TriedDeployments,
        match: PrefixMatch?,
        now: MonotonicInstant
    ) -> Selection {
        if let limit = configuration.admission.maximumConcurrentCalls, calls >= limit { return .full }
        let excluded = slots(tried)
        let lane = lane(of: input.mode)
        let closed = tried.mayRepeat ? slots(tried, closedAt: now) : excluded
        if let id = input.forcedDeployment { return takeForced(id, input, lane, closed, now: now) }
        if let grant = choose(input, lane, excluding: excluded, match: match, now: now) { return .chosen(grant) }
        if closed.count < excluded.count, let grant = choose(input, lane, excluding: closed, match: match, now: now) {
            return .chosen(grant)
        }
        let someAreFull = present.contains { slot in
            reasons(slot, lane) == .saturated && !closed.contains(slot)
        }
        return someAreFull ? .full : .failed(unavailable(lane, now: now))
    }

    private mutating func takeForced(
        _ id: String,
        _ input: RoutingInput,
        _ lane: Int,
        _ excluded: [Int],
        now: MonotonicInstant
    ) -> Selection {
        guard let slot = slots[id] else {
            return .failed(
                GatewayError(
                    .invalidRequest,
                    "The model \(configuration.model) has no deployment \(id.debugDescription).",
                    param: "x-gateway-deployment"
                )
            )
        }
        let ineligibility = reasons(slot, lane)
        if ineligibility.isEmpty, !excluded.contains(slot) {
            return .chosen(begin(slot, lane, tokens: input.estimatedTokens, now: now))
        }
        if ineligibility == .saturated { return .full }
        let reasons = excluded.contains(slot) ? "tried already" : ineligibility.words.joined(separator: ", ")
        return .failed(
            GatewayError(
                .unavailable,
                "The deployment \(id.debugDescription) cannot take the call: \(reasons).",
                retryAfter: timeUntilEligible(slot, lane, now: now)
            )
        )
    }

    private mutating func choose(
        _ input: RoutingInput,
        _ lane: Int,
        excluding excluded: [Int],
        match: PrefixMatch?,
        now: MonotonicInstant
    ) -> Grant? {
        var context = SelectionContext(now: now, excluded: excluded, match: match)
        guard let slot = select(input, lane, &context) else { return nil }
        let tokens = policy.promptTokens(of: input, on: slot, context: context)
        return begin(slot, lane, tokens: tokens, now: now)
    }

    /// Chooses a slot without counting anything, or nil if none is eligible. The policy works on the group's pool in its
    /// place: a copy of it would cost more than most choices.
    mutating func select(_ input: RoutingInput, _ lane: Int, _ context: inout SelectionContext) -> Int? {
        let excluded = context.excluded
        for tier in tiers.indices where hasCandidates(tier, lane, excluding: excluded) {
            if !input.tags.isEmpty {
                let wanted = TagKey(lane: lane, tags: input.tags)
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
            context.keepExcluded(in: tiers[tier].pools[lane])
            return policy.select(
                from: &tiers[tier].pools[lane],
                members: members,
                input: input,
                context: context,
                random: &random
            )
        }
        return nil
    }

    private func hasCandidates(_ tier: Int, _ lane: Int, excluding excluded: [Int]) -> Bool {
        if excluded.isEmpty { return !tiers[tier].pools[lane].slots.isEmpty }
        return tiers[tier].pools[lane].count(excluding: excluded) > 0
    }

    private mutating func makeTaggedPool(_ wanted: TagKey, tier: Int) {
        guard tiers[tier].tagged[wanted] == nil else { return }
        if tiers[tier].tagged.count >= 32 { tiers[tier].tagged.removeAll() }
        var pool = Pool(policy.index)
        for slot in tiers[tier].pools[wanted.lane].slots.map(Int.init) {
            guard members[slot].record.deployment.tags.contains(where: wanted.tags.contains) else { continue }
            pool.insert(slot, members[slot], key: policy.key(of: slot, members: members))
        }
        tiers[tier].tagged[wanted] = pool
    }

    /// Notes that an attempt begins on a slot.
    private mutating func begin(_ slot: Int, _ lane: Int, tokens: Int, now: MonotonicInstant) -> Grant {
        calls += 1
        lastTurn = max(lastTurn, members[slot].turn)
        members[slot].turn = lastTurn + members[slot].turnLength
        members[slot].dispatchedTokens += tokens
        load(slot, calls: 1, tokens: tokens)
        let era = members[slot].standings[lane].breaker.begin()
        let isTrial = members[slot].standings[lane].credentials.begin()
        noteSaturation(slot, lane)
        return Grant(
            record: members[slot].record,
            slot: slot,
            lane: lane,
            era: era,
            isTrial: isTrial,
            report: members[slot].reports,
            tokens: tokens
        )
    }
}

// MARK: - Nobody eligible

extension GroupCore {
    /// The error for a call that no deployment may take.
    func unavailable(_ lane: Int, now: MonotonicInstant) -> GatewayError {
        let waits = present.compactMap { timeUntilEligible($0, lane, now: now) }
        var counts: [String: Int] = [:]
        for slot in present {
            // What has several reasons is back when the last of them is gone: one of them would not be the whole truth.
            let names = reasons(slot, lane).words
            let reason = names.isEmpty ? "tried already" : names.joined(separator: " and ")
            counts[reason, default: 0] += 1
        }
        let areRejected = !counts.isEmpty && present.allSatisfy { self.reasons($0, lane).contains(.misconfigured) }
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

    // Said to clients when nobody knows when a deployment comes back.
    private static let longestWait = Duration.seconds(30)

    /// The time until a deployment may take calls of a mode, or of any mode if none is given; nil if time alone does not
    /// bring it back.
    func timeUntilEligible(_ slot: Int, _ lane: Int?, now: MonotonicInstant) -> Duration? {
        let standing = lane.map { members[slot].standings[$0] } ?? Standing(configuration.breaker)
        let ineligibility = members[slot].ineligibility.union(standing.ineligibility)
        if !ineligibility.isDisjoint(with: [.absent, .standby, .draining]) { return nil }
        var wait = Duration.zero
        if ineligibility.contains(.breakerOpen) { wait = max(wait, standing.breaker.reopening - now) }
        if ineligibility.contains(.coolingDown) { wait = max(wait, standing.cooldownEnds - now) }
        if ineligibility.contains(.misconfigured) { wait = max(wait, standing.credentials.nextTrial - now) }
        if ineligibility.contains(.overloaded) { wait = max(wait, members[slot].reportEnds - now) }
        if ineligibility.contains(.unhealthy) {
            wait = max(wait, (probes(of: slot) ?? HealthOptions()).interval)
        }
        if ineligibility.contains(.saturated) { wait = max(wait, .seconds(1)) }
        return wait
    }
}
