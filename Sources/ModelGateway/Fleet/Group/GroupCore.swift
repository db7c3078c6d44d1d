// The state of a group as one value, and its membership: which deployments there are, and which may take calls.

import GatewayWire

/// Everything that a group's lock guards. It is a value, so that a copy can be asked what would happen.
struct GroupCore: Sendable {
    var configuration: DeploymentGroup
    var members: [Member] = []
    var slots: [String: Int] = [:]
    var tiers: [Tier] = []
    /// The kinds of work that the group has served; a mode's position here is its index.
    var modes: [Mode] = []
    var policy: any SelectionPolicy
    var random: SeededGenerator
    var retries: RetryBudget
    /// Attempts in flight in the whole group.
    var calls = 0
    /// Calls that wait for room.
    var queue = WaitQueue()
    /// The earliest instant at which something changes just because time passes.
    var nextEvent = MonotonicInstant.never
    /// The turn that was taken last; see ``Member/turn``.
    var lastTurn: UInt64 = 0
    /// How the times of complete answers and streamed ones compare.
    var pace = AnswerPace()
    /// What has happened since the last look.
    var events: [FleetEvent] = []
    /// How the most recently removed deployment left.
    var lastDeparture: Departure?
    /// Slots whose former deployment must be forgotten by the prefix cache before they are reused.
    var leaving: [Int] = []
    private var free: [Int] = []
    private let series: FleetSeries

    /// How a deployment leaves.
    enum Departure: Sendable {
        /// After its last call.
        case drained
        /// When the time allowed for its calls was up.
        case atDeadline
        /// At once.
        case removed
        /// It was replaced by another one with its id.
        case replaced
    }

    /// The deployments of one priority: for each mode all that are eligible, and those with the tags of recent calls.
    struct Tier: Sendable {
        let priority: Int
        var pools: [Pool]
        var tagged: [TagKey: Pool] = [:]
    }

    struct TagKey: Hashable, Sendable {
        var modeIndex: Int
        var tags: [String]
    }

    init(_ configuration: DeploymentGroup, seed: UInt64, series: FleetSeries) {
        self.series = series
        self.configuration = configuration
        policy = configuration.policy.makePolicy()
        random = SeededGenerator(seed: seed)
        retries = RetryBudget(ratio: configuration.retry.budgetRatio, perSecond: configuration.retry.budgetPerSecond)
    }
}

// MARK: - Membership

extension GroupCore {
    /// The slots in use.
    var present: some Sequence<Int> {
        members.indices.lazy.filter { [members] in !members[$0].ineligibility.contains(.absent) }
    }

    /// Adds a deployment and returns its slot.
    @discardableResult
    mutating func add(_ record: DeploymentRecord) -> Int {
        var member = Member(record, breaker: configuration.breaker, modes: modes.count)
        member.turn = lastTurn + UInt64(random.unit() * Double(member.turnLength))
        let slot = free.popLast() ?? members.count
        if slot == members.count { members.append(member) } else { members[slot] = member }
        slots[record.deployment.id] = slot
        policy.join(slot, members: members)
        policy.prefixCache?.admit(slot, number: record.number, capacity: member.cacheCapacity)
        enter(slot)
        events.append(.probesChanged(record))
        return slot
    }

    /// Removes the deployment in a slot; attempts in flight on it no longer count.
    mutating func remove(_ slot: Int, _ departure: Departure = .removed) {
        leave(slot)
        events.append(.left(members[slot].record, departure, calls: members[slot].calls))
        lastDeparture = departure
        calls -= members[slot].calls
        members[slot].calls = 0
        members[slot].pendingTokens = 0
        members[slot].ineligibility = .absent
        slots[members[slot].record.deployment.id] = nil
        series.release(members[slot].record.metrics)
        policy.leave(slot)
        for tier in tiers.indices {
            for modeIndex in modes.indices { tiers[tier].pools[modeIndex].forget(slot) }
        }
        leaving.append(slot)
    }

    /// Allows a slot to be reused, after the prefix cache has forgotten what its deployment held.
    mutating func release(_ slot: Int) {
        free.append(slot)
    }

    /// Gives the deployment in a slot new settings; what was learned about it stays.
    mutating func update(_ slot: Int, _ record: DeploymentRecord) {
        leave(slot)
        if members[slot].record.deployment.health != record.deployment.health {
            events.append(.probesChanged(record))
        }
        members[slot].record = record
        members[slot].weight = max(0, record.deployment.weight)
        members[slot].limit = record.deployment.maxConcurrentCalls ?? .max
        // The turn that it had with a small weight may be far away.
        members[slot].turn = min(members[slot].turn, lastTurn + members[slot].turnLength)
        members[slot].priority = record.deployment.priority
        members[slot].price = record.deployment.blendedPrice
        members[slot].ineligibility.setMembership(of: .standby, members[slot].weight == 0)
        members[slot].ineligibility.setMembership(of: .saturated, isFull(slot))
        policy.join(slot, members: members)
        policy.prefixCache?.admit(slot, number: record.number, capacity: members[slot].cacheCapacity)
        for tier in tiers.indices { tiers[tier].tagged.removeAll() }
        enter(slot)
        forgetHealthIfUnprobed(slot)
    }

    /// Puts a slot into the pools of all modes in which it is eligible.
    private mutating func enter(_ slot: Int) {
        guard members[slot].ineligibility.isEmpty else { return }
        for modeIndex in modes.indices where members[slot].modeHealth[modeIndex].ineligibility.isEmpty {
            enter(slot, modeIndex)
        }
    }

    /// Puts a slot into the pools of a mode.
    mutating func enter(_ slot: Int, _ modeIndex: Int) {
        let tier = tier(of: members[slot].priority)
        let key = policy.key(of: slot, members: members)
        tiers[tier].pools[modeIndex].insert(slot, members[slot], key: key)
        guard !tiers[tier].tagged.isEmpty else { return }
        let tags = members[slot].record.deployment.tags
        for wanted in Array(tiers[tier].tagged.keys)
        where wanted.modeIndex == modeIndex && wanted.tags.contains(where: tags.contains) {
            tiers[tier].tagged[wanted]?.insert(slot, members[slot], key: key)
        }
    }

    /// Takes a slot out of the pools of all modes in which it is eligible.
    private mutating func leave(_ slot: Int) {
        guard members[slot].ineligibility.isEmpty else { return }
        for modeIndex in modes.indices where members[slot].modeHealth[modeIndex].ineligibility.isEmpty {
            leave(slot, modeIndex)
        }
    }

    /// Takes a slot out of the pools of a mode.
    mutating func leave(_ slot: Int, _ modeIndex: Int) {
        let tier = tier(of: members[slot].priority)
        tiers[tier].pools[modeIndex].remove(slot, members[slot])
        guard !tiers[tier].tagged.isEmpty else { return }
        for wanted in Array(tiers[tier].tagged.keys) where wanted.modeIndex == modeIndex {
            tiers[tier].tagged[wanted]?.remove(slot, members[slot])
        }
    }

    /// The index of a priority among the tiers, which are in ascending order.
    private mutating func tier(of priority: Int) -> Int {
        let place = tiers.firstIndex { $0.priority >= priority } ?? tiers.endIndex
        if place == tiers.endIndex || tiers[place].priority != priority {
            let pools = Array(repeating: Pool(policy.index), count: modes.count)
            tiers.insert(Tier(priority: priority, pools: pools), at: place)
        }
        return place
    }

    /// Adds and removes reasons of all modes against a slot, and moves it in or out of the pools accordingly.
    mutating func change(_ slot: Int, adding added: Ineligibility = [], removing removed: Ineligibility = []) {
        let before = members[slot].ineligibility
        let after = before.subtracting(removed).union(added)
        guard before != after else { return }
        leave(slot)
        members[slot].ineligibility = after
        enter(slot)
    }

    /// Whether all places of a slot are taken. It looks at single fields: a member is too large to be copied for this.
    func isFull(_ slot: Int) -> Bool { members[slot].calls >= members[slot].limit }

    /// Changes the load of a slot everywhere it is counted.
    mutating func load(_ slot: Int, calls: Int, tokens: Int) {
        members[slot].calls += calls
        members[slot].pendingTokens += tokens
        guard members[slot].ineligibility.isEmpty else { return }
        let tier = tier(of: members[slot].priority)
        let isOrdered = tiers[tier].pools.first?.order != nil
        let key = isOrdered ? policy.key(of: slot, members: members) : OrderKey()
        // A pool that does not have the slot ignores it.
        for modeIndex in modes.indices {
            tiers[tier].pools[modeIndex].load(slot, calls: calls, tokens: tokens, key: key)
        }
        guard !tiers[tier].tagged.isEmpty else { return }
        for wanted in Array(tiers[tier].tagged.keys) {
            tiers[tier].tagged[wanted]?.load(slot, calls: calls, tokens: tokens, key: key)
        }
    }

    /// Changes the group's settings. Deployments that stay keep what was learned about them.
    mutating func apply(_ new: DeploymentGroup, number: () -> UInt64) {
        let policyChanges = new.policy != configuration.policy
        let breakerChanges = new.breaker != configuration.breaker
        let healthChanges = new.health != configuration.health
        configuration = new
        retries = RetryBudget(ratio: new.retry.budgetRatio, perSecond: new.retry.budgetPerSecond)
        let wanted = Set(new.deployments.map(\.id))
        for (id, slot) in slots where !wanted.contains(id) { remove(slot) }
        for deployment in new.deployments { set(deployment, number: number) }
        if breakerChanges {
            for slot in Array(present) {
                for modeIndex in modes.indices {
                    members[slot].modeHealth[modeIndex].breaker = CircuitBreaker(new.breaker)
                    change(slot, modeIndex, removing: [.breakerOpen, .saturated])
                }
            }
        }
        if healthChanges {
            for slot in present { events.append(.probesChanged(members[slot].record)) }
        }
        if policyChanges { replacePolicy() }
    }

    /// Adds a deployment, or gives the one with its id new settings.
    mutating func set(_ deployment: Deployment, number: () -> UInt64) {
        var deployment = deployment
        deployment.model = configuration.model
        guard let slot = slots[deployment.id] else {
            add(DeploymentRecord(deployment, number: number(), metrics: metrics(of: deployment)))
            return
        }
        let old = members[slot].record
        if old.deployment.fingerprint == deployment.fingerprint {
            update(slot, DeploymentRecord(deployment, number: old.number, metrics: old.metrics))
        } else {
            remove(slot, .replaced)
            add(DeploymentRecord(deployment, number: number(), metrics: metrics(of: deployment)))
        }
    }

    private func metrics(of deployment: Deployment) -> DeploymentMetrics {
        series.deployment(deployment.id, model: configuration.model, policy: configuration.policy.name)
    }

    private mutating func replacePolicy() {
        policy = configuration.policy.makePolicy(continuing: policy)
        tiers.removeAll()
        for slot in Array(present) {
            policy.join(slot, members: members)
            policy.prefixCache?.admit(
                slot,
                number: members[slot].number,
                capacity: members[slot].cacheCapacity
            )
            enter(slot)
        }
    }
}

extension OptionSet where Element == Self {
    /// Inserts or removes a member.
    fileprivate mutating func setMembership(of member: Self, _ isMember: Bool) {
        if isMember { insert(member) } else { remove(member) }
    }
}
