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
    let era: UInt32
    let report: UInt32
    let tokens: Int
}

extension GroupCore {
    /// The slots of the deployments that a call has tried, as far as they are still there.
    func slots(_ tried: TriedDeployments) -> [Int] {
        guard !tried.entries.isEmpty else { return [] }
        return tried.entries.filter { $0.slot < members.count && members[$0.slot].number == $0.number }.map(\.slot)
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
        if let id = input.forcedDeployment { return takeForced(id, input, excluded, now: now) }
        if let grant = choose(input, excluding: excluded, match: match, now: now) { return .chosen(grant) }
        if tried.mayRepeat, let grant = choose(input, excluding: [], match: match, now: now) { return .chosen(grant) }
        let someAreFull = present.contains { slot in
            members[slot].ineligibility == .saturated && (tried.mayRepeat || !excluded.contains(slot))
        }
        return someAreFull ? .full : .failed(unavailable(now: now))
    }

    private mutating func takeForced(
        _ id: String,
        _ input: RoutingInput,
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
        let member = members[slot]
        if member.isEligible, !excluded.contains(slot) {
            return .chosen(begin(slot, tokens: input.estimatedTokens, now: now))
        }
        if member.ineligibility == .saturated { return .full }
        let reasons = excluded.contains(slot) ? "tried already" : member.ineligibility.names.joined(separator: ", ")
        return .failed(
            GatewayError(
                .unavailable,
                "The deployment \(id.debugDescription) cannot take the call: \(reasons).",
                retryAfter: timeUntilEligible(slot, now: now)
            )
        )
    }

    private mutating func choose(
        _ input: RoutingInput,
        excluding excluded: [Int],
        match: PrefixMatch?,
        now: MonotonicInstant
    ) -> Grant? {
        var context = SelectionContext(now: now, excluded: excluded, match: match)
        guard let slot = select(input, &context) else { return nil }
        let tokens = policy.promptTokens(of: input, on: slot, context: context)
        return begin(slot, tokens: tokens, now: now)
    }

    /// Chooses a slot without counting anything, or nil if none is eligible.
    mutating func select(_ input: RoutingInput, _ context: inout SelectionContext) -> Int? {
        let excluded = context.excluded
        for tier in tiers.indices where hasCandidates(tier, excluding: excluded) {
            if !input.tags.isEmpty {
                makeTaggedPool(input.tags, tier: tier)
                if tiers[tier].tagged[input.tags, default: Pool(.none)].count(excluding: excluded) > 0 {
                    var pool = tiers[tier].tagged.removeValue(forKey: input.tags) ?? Pool(.none)
                    defer { tiers[tier].tagged[input.tags] = pool }
                    return select(from: &pool, input, &context)
                }
            }
            // The policy must not see the group change while it works on one of its pools.
            var pool = Pool(.none)
            swap(&pool, &tiers[tier].pool)
            defer { swap(&pool, &tiers[tier].pool) }
            return select(from: &pool, input, &context)
        }
        return nil
    }

    private func hasCandidates(_ tier: Int, excluding excluded: [Int]) -> Bool {
        if excluded.isEmpty { return !tiers[tier].pool.slots.isEmpty }
        return tiers[tier].pool.count(excluding: excluded) > 0
    }

    private mutating func select(
        from pool: inout Pool,
        _ input: RoutingInput,
        _ context: inout SelectionContext
    ) -> Int? {
        if !context.excluded.isEmpty { context.excluded.removeAll { !pool.contains($0) } }
        return policy.select(from: &pool, members: members, input: input, context: context, random: &random)
    }

    private mutating func makeTaggedPool(_ tags: [String], tier: Int) {
        guard tiers[tier].tagged[tags] == nil else { return }
        if tiers[tier].tagged.count >= 32 { tiers[tier].tagged.removeAll() }
        var pool = Pool(policy.index)
        for slot in tiers[tier].pool.slots.map(Int.init) {
            guard members[slot].record.deployment.tags.contains(where: tags.contains) else { continue }
            pool.insert(slot, members[slot], key: policy.key(of: slot, members: members))
        }
        tiers[tier].tagged[tags] = pool
    }

    /// Notes that an attempt begins on a slot.
    private mutating func begin(_ slot: Int, tokens: Int, now: MonotonicInstant) -> Grant {
        calls += 1
        sequence += 1
        members[slot].turn = sequence
        members[slot].dispatchedTokens += tokens
        load(slot, calls: 1, tokens: tokens)
        let era = members[slot].breaker.begin()
        if isFull(slot) { change(slot, adding: .saturated) }
        return Grant(
            record: members[slot].record,
            slot: slot,
            era: era,
            report: members[slot].reports,
            tokens: tokens
        )
    }
}

// MARK: - Nobody eligible

extension GroupCore {
    /// The error for a call that no deployment may take.
    func unavailable(now: MonotonicInstant) -> GatewayError {
        let waits = present.compactMap { timeUntilEligible($0, now: now) }
        var counts: [String: Int] = [:]
        for slot in present {
            for name in members[slot].ineligibility.names { counts[name, default: 0] += 1 }
        }
        let reasons = counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
        let detail = reasons.isEmpty ? "all that are left were tried" : reasons
        return GatewayError(
            .unavailable,
            "No deployment of \(configuration.model) can take the call now (\(detail)); try again later.",
            retryAfter: waits.min() ?? Self.longestWait
        )
    }

    // Said to clients when nobody knows when a deployment comes back.
    private static let longestWait = Duration.seconds(30)

    /// The time until a deployment may take calls; nil if time alone does not bring it back.
    func timeUntilEligible(_ slot: Int, now: MonotonicInstant) -> Duration? {
        let member = members[slot]
        var wait = Duration.zero
        if !member.ineligibility.isDisjoint(with: [.absent, .standby, .misconfigured, .draining]) { return nil }
        if member.ineligibility.contains(.breakerOpen) { wait = max(wait, member.breaker.reopening - now) }
        if member.ineligibility.contains(.coolingDown) { wait = max(wait, member.cooldownEnds - now) }
        if member.ineligibility.contains(.overloaded) { wait = max(wait, member.reportEnds - now) }
        if member.ineligibility.contains(.unhealthy) {
            wait = max(wait, (configuration.health ?? HealthOptions()).interval)
        }
        if member.ineligibility.contains(.saturated) { wait = max(wait, .seconds(1)) }
        return wait
    }
}
