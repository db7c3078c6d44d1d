// The state of a group as one value: who is eligible, who is chosen, and what the results of attempts change.

/// Everything that a group's lock guards. A value, so that a copy can be asked what would happen.
struct GroupCore: Sendable {
    var configuration: DeploymentGroup
    var members: [Member] = []
    var slots: [String: Int] = [:]
    var tiers: [Tier] = []
    var policy: any SelectionPolicy
    var random: SplitMix64
    var retries: RetryBudget
    /// Attempts under way in the whole group.
    var calls = 0
    /// The earliest instant at which time alone changes who is eligible.
    var nextEvent = MonotonicInstant.never
    var sequence: UInt64 = 1 << 20

    /// The deployments of one priority.
    struct Tier: Sendable {
        let priority: Int
        var pool: Pool
        var tagged: [[String]: Pool] = [:]
    }

    init(_ configuration: DeploymentGroup, seed: UInt64) {
        self.configuration = configuration
        policy = configuration.policy.makePolicy()
        random = SplitMix64(seed: seed)
        retries = RetryBudget(ratio: configuration.retry.budgetRatio, perSecond: configuration.retry.budgetPerSecond)
    }
}

// MARK: - Membership

extension GroupCore {
    /// Adds a deployment and returns its slot.
    mutating func add(_ record: DeploymentRecord) -> Int {
        var member = Member(record, breaker: configuration.breaker)
        member.turn = UInt64(random.index(below: 1 << 20))
        let slot: Int
        if let free = members.firstIndex(where: { $0.ineligibility.contains(.absent) }) {
            slot = free
            members[slot] = member
        } else {
            slot = members.count
            members.append(member)
        }
        slots[record.deployment.id] = slot
        if !tiers.contains(where: { $0.priority == member.priority }) {
            let place = tiers.firstIndex { $0.priority > member.priority } ?? tiers.endIndex
            tiers.insert(Tier(priority: member.priority, pool: Pool(policy.index)), at: place)
        }
        if member.isEligible { enter(slot) }
        return slot
    }

    /// Removes the deployment in a slot; attempts under way on it no longer count.
    mutating func remove(_ slot: Int) {
        leave(slot)
        calls -= members[slot].calls
        members[slot].calls = 0
        members[slot].pendingTokens = 0
        members[slot].ineligibility = .absent
        slots[members[slot].record.deployment.id] = nil
        for tier in tiers.indices { tiers[tier].pool.forget(slot) }
    }

    /// Puts a slot into its pools.
    mutating func enter(_ slot: Int) {
        guard let tier = tiers.firstIndex(where: { $0.priority == members[slot].priority }) else { return }
        let key = policy.key(of: slot, members: members, random: &random)
        tiers[tier].pool.insert(slot, weight: members[slot].weight, calls: members[slot].calls, key: key)
        let tags = members[slot].record.deployment.tags
        for wanted in tiers[tier].tagged.keys where wanted.contains(where: tags.contains) {
            tiers[tier].tagged[wanted]?
                .insert(slot, weight: members[slot].weight, calls: members[slot].calls, key: key)
        }
    }

    /// Takes a slot out of its pools.
    mutating func leave(_ slot: Int) {
        let (weight, calls) = (members[slot].weight, members[slot].calls)
        guard let tier = tiers.firstIndex(where: { $0.priority == members[slot].priority }) else { return }
        tiers[tier].pool.remove(slot, weight: weight, calls: calls)
        for wanted in tiers[tier].tagged.keys {
            tiers[tier].tagged[wanted]?.remove(slot, weight: weight, calls: calls)
        }
    }

    /// Adds and removes reasons against a slot, and moves it in or out of the pools accordingly.
    mutating func change(_ slot: Int, adding added: Ineligibility = [], removing removed: Ineligibility = []) {
        let before = members[slot].ineligibility
        let after = before.subtracting(removed).union(added)
        guard before != after else { return }
        if before.isEmpty { leave(slot) }
        members[slot].ineligibility = after
        if after.isEmpty { enter(slot) }
    }
}

// MARK: - Selection

extension GroupCore {
    /// The slots of the deployments that a call has tried, as far as they are still there.
    func slots(_ tried: TriedDeployments) -> [Int] {
        guard !tried.entries.isEmpty else { return [] }
        return tried.entries.filter { $0.slot < members.count && members[$0.slot].number == $0.number }.map(\.slot)
    }

    /// Chooses a slot for a call, or nil if none is eligible.
    mutating func select(_ input: RoutingInput, excluding excluded: [Int], now: MonotonicInstant) -> Int? {
        for tier in tiers.indices where tiers[tier].pool.count(excluding: excluded) > 0 {
            if !input.tags.isEmpty {
                makeTaggedPool(input.tags, tier: tier)
                if var pool = tiers[tier].tagged.removeValue(forKey: input.tags) {
                    defer { tiers[tier].tagged[input.tags] = pool }
                    if pool.count(excluding: excluded) > 0 {
                        return select(from: &pool, input, excluding: excluded, now: now)
                    }
                }
            }
            var pool = Pool(.none)
            swap(&pool, &tiers[tier].pool)
            defer { swap(&pool, &tiers[tier].pool) }
            return select(from: &pool, input, excluding: excluded, now: now)
        }
        return nil
    }

    private mutating func select(
        from pool: inout Pool, _ input: RoutingInput, excluding excluded: [Int], now: MonotonicInstant
    ) -> Int? {
        let inPool = excluded.isEmpty ? [] : excluded.filter { pool.contains($0) }
        return policy.select(
            from: &pool,
            members: members,
            input: input,
            context: SelectionContext(now: now, excluded: inPool),
            random: &random
        )
    }

    private mutating func makeTaggedPool(_ tags: [String], tier: Int) {
        guard tiers[tier].tagged[tags] == nil else { return }
        if tiers[tier].tagged.count >= 32 { tiers[tier].tagged.removeAll() }
        var pool = Pool(policy.index)
        for slot in tiers[tier].pool.slots.map(Int.init) {
            let member = members[slot]
            guard member.record.deployment.tags.contains(where: tags.contains) else { continue }
            let key = policy.key(of: slot, members: members, random: &random)
            pool.insert(slot, weight: member.weight, calls: member.calls, key: key)
        }
        tiers[tier].tagged[tags] = pool
    }

    /// Notes that an attempt begins on a slot. Returns the breaker's era.
    mutating func begin(_ slot: Int, tokens: Int, now: MonotonicInstant) -> UInt32 {
        calls += 1
        sequence += 1
        members[slot].turn = sequence
        load(slot, calls: 1, tokens: tokens)
        let era = members[slot].breaker.begin()
        if members[slot].isFull { change(slot, adding: .saturated) }
        return era
    }

    /// Changes the load of a slot in all the places that count it.
    mutating func load(_ slot: Int, calls: Int, tokens: Int) {
        members[slot].calls += calls
        members[slot].pendingTokens += tokens
        guard members[slot].isEligible,
            let tier = tiers.firstIndex(where: { $0.priority == members[slot].priority })
        else { return }
        let key = policy.index == .order ? policy.key(of: slot, members: members, random: &random) : OrderKey()
        tiers[tier].pool.calls += calls
        tiers[tier].pool.order?.set(slot, to: key)
        for wanted in tiers[tier].tagged.keys where tiers[tier].tagged[wanted]?.contains(slot) == true {
            tiers[tier].tagged[wanted]?.calls += calls
            tiers[tier].tagged[wanted]?.order?.set(slot, to: key)
        }
    }
}

// MARK: - Results

extension GroupCore {
    /// Notes that an attempt ended.
    mutating func end(
        _ slot: Int, era: UInt32, tokens: Int, outcome: AttemptOutcome, measure: AttemptMeasure, now: MonotonicInstant
    ) {
        calls -= 1
        load(slot, calls: -1, tokens: -tokens)
        switch outcome {
        case .success:
            succeed(slot, era: era, now: now)
        case .failure:
            fail(slot, era: era, now: now)
        case .rateLimited(let retryAfter):
            members[slot].breaker.endWithoutVerdict(era: era)
            coolDown(slot, for: retryAfter, now: now)
        case .misconfigured:
            members[slot].breaker.endWithoutVerdict(era: era)
            change(slot, adding: .misconfigured)
        case .cancelled:
            members[slot].breaker.endWithoutVerdict(era: era)
        }
        if !members[slot].isFull { change(slot, removing: .saturated) }
        probeEarlyIfNothingIsLeft()
    }

    private mutating func succeed(_ slot: Int, era: UInt32, now: MonotonicInstant) {
        members[slot].cooldowns = 0
        if members[slot].breaker.succeed(era: era, now: now) { change(slot, removing: .breakerOpen) }
        if members[slot].health.succeed(configuration.health ?? HealthOptions()) {
            change(slot, removing: .unhealthy)
        }
    }

    private mutating func fail(_ slot: Int, era: UInt32, now: MonotonicInstant) {
        let others = tiers.contains { $0.pool.count(excluding: [slot]) > 0 }
        let variation = random.variation()
        guard members[slot].breaker.fail(era: era, now: now, isLast: !others, variation: variation) else { return }
        guard members[slot].breaker.state == .open else { return }
        change(slot, adding: .breakerOpen)
        nextEvent = min(nextEvent, members[slot].breaker.reopening)
    }

    private mutating func coolDown(_ slot: Int, for wanted: Duration?, now: MonotonicInstant) {
        let backoff = min(60, Double(1 << min(members[slot].cooldowns, 10))) * (1 + 0.2 * random.variation())
        members[slot].cooldowns += 1
        let ends = now + (wanted.map { min(max($0, .zero), .seconds(3600)) } ?? .seconds(backoff))
        let present = members[slot].ineligibility.contains(.coolingDown) ? members[slot].cooldownEnds : now
        members[slot].cooldownEnds = max(ends, present)
        change(slot, adding: .coolingDown)
        nextEvent = min(nextEvent, members[slot].cooldownEnds)
    }

    /// If breakers alone keep everyone out, the one that would come back first is tried now.
    private mutating func probeEarlyIfNothingIsLeft() {
        guard tiers.allSatisfy(\.pool.isEmpty) else { return }
        let soonest = members.indices
            .filter { members[$0].ineligibility == .breakerOpen }
            .min { members[$0].breaker.reopening < members[$1].breaker.reopening }
        guard let slot = soonest, !members.contains(where: { $0.ineligibility == .saturated }) else { return }
        if members[slot].breaker.probeEarly() { change(slot, removing: .breakerOpen) }
    }

    /// Does what was due by now: breakers whose open time is over, cooldowns that ended.
    mutating func advance(to now: MonotonicInstant) {
        guard now >= nextEvent else { return }
        nextEvent = .never
        for slot in members.indices where !members[slot].ineligibility.contains(.absent) {
            if members[slot].breaker.advance(to: now) { change(slot, removing: .breakerOpen) }
            if members[slot].ineligibility.contains(.coolingDown), now >= members[slot].cooldownEnds {
                change(slot, removing: .coolingDown)
            }
            if members[slot].breaker.state == .open { nextEvent = min(nextEvent, members[slot].breaker.reopening) }
            if members[slot].ineligibility.contains(.coolingDown) {
                nextEvent = min(nextEvent, members[slot].cooldownEnds)
            }
        }
    }
}
