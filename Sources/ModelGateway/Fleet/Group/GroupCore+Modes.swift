// What a group keeps apart for each mode.

extension GroupCore {
    // Kinds of work are few; a program that makes up more shares the first one's lane between them.
    private static let laneLimit = 16

    /// The place of a mode among those that the group was called for. The first call of a mode gives it one.
    mutating func lane(of mode: Mode) -> Int {
        if let lane = modes.firstIndex(of: mode) { return lane }
        guard modes.count < Self.laneLimit else { return 0 }
        let lane = modes.count
        modes.append(mode)
        for slot in members.indices { members[slot].standings.append(Standing(configuration.breaker)) }
        for tier in tiers.indices { tiers[tier].pools.append(Pool(policy.index)) }
        for slot in Array(present) where members[slot].ineligibility.isEmpty { enter(slot, lane) }
        return lane
    }

    /// All reasons against sending calls of a mode to a slot.
    func reasons(_ slot: Int, _ lane: Int) -> Ineligibility {
        members[slot].ineligibility.union(members[slot].standings[lane].ineligibility)
    }

    /// Adds and removes reasons of one mode against a slot, and moves it in or out of the mode's pools accordingly.
    mutating func change(
        _ slot: Int,
        _ lane: Int,
        adding added: Ineligibility = [],
        removing removed: Ineligibility = []
    ) {
        let before = members[slot].standings[lane].ineligibility
        let after = before.subtracting(removed).union(added)
        guard before != after else { return }
        let isUp = members[slot].ineligibility.isEmpty
        if isUp, before.isEmpty { leave(slot, lane) }
        members[slot].standings[lane].ineligibility = after
        if isUp, after.isEmpty { enter(slot, lane) }
    }

    /// Notes whether all places of a slot are taken: those of the deployment, and those of a half-open breaker.
    mutating func noteSaturation(_ slot: Int, _ lane: Int) {
        if isFull(slot) { change(slot, adding: .saturated) } else { change(slot, removing: .saturated) }
        // The state first, for the rest is a copy of the whole standing, which nearly no call has to pay for.
        let isProbing =
            members[slot].standings[lane].breaker.state == .halfOpen && members[slot].standings[lane].isProbing
        if isProbing || members[slot].standings[lane].credentials.hasTrialUnderWay {
            change(slot, lane, adding: .saturated)
        } else {
            change(slot, lane, removing: .saturated)
        }
    }
}
