// What a group keeps separately for each mode.

extension GroupCore {
    // There are few kinds of work; if a program makes up more, the extra ones share the first one's place.
    private static let modeLimit = 16

    /// The index of a mode among those that the group has served. The first call of a mode assigns it one.
    mutating func modeIndex(of mode: Mode) -> Int {
        if let modeIndex = modes.firstIndex(of: mode) { return modeIndex }
        guard modes.count < Self.modeLimit else { return 0 }
        let modeIndex = modes.count
        modes.append(mode)
        for slot in members.indices { members[slot].modeHealth.append(ModeHealth(configuration.breaker)) }
        for tier in tiers.indices { tiers[tier].pools.append(Pool(policy.index)) }
        for slot in Array(present) where members[slot].ineligibility.isEmpty { enter(slot, modeIndex) }
        return modeIndex
    }

    /// All reasons against sending calls of a mode to a slot.
    func reasons(_ slot: Int, _ modeIndex: Int) -> Ineligibility {
        members[slot].ineligibility.union(members[slot].modeHealth[modeIndex].ineligibility)
    }

    /// Adds and removes reasons of one mode against a slot, and moves it in or out of the mode's pools accordingly.
    mutating func change(
        _ slot: Int,
        _ modeIndex: Int,
        adding added: Ineligibility = [],
        removing removed: Ineligibility = []
    ) {
        let before = members[slot].modeHealth[modeIndex].ineligibility
        let after = before.subtracting(removed).union(added)
        guard before != after else { return }
        let isUp = members[slot].ineligibility.isEmpty
        if isUp, before.isEmpty { leave(slot, modeIndex) }
        members[slot].modeHealth[modeIndex].ineligibility = after
        if isUp, after.isEmpty { enter(slot, modeIndex) }
    }

    /// Notes whether all places of a slot are taken: the deployment's own, and those of a half-open breaker.
    mutating func noteSaturation(_ slot: Int, _ modeIndex: Int) {
        if isFull(slot) { change(slot, adding: .saturated) } else { change(slot, removing: .saturated) }
        // The state first, since the rest copies the whole health record, which hardly any call has to pay for.
        let isProbing =
            members[slot].modeHealth[modeIndex].breaker.state == .halfOpen
            && members[slot].modeHealth[modeIndex].isProbing
        if isProbing || members[slot].modeHealth[modeIndex].credentials.hasTrialUnderWay {
            change(slot, modeIndex, adding: .saturated)
        } else {
            change(slot, modeIndex, removing: .saturated)
        }
    }
}
