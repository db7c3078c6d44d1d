// What a group keeps apart for each mode.

extension GroupCore {
    // Kinds of work are few; a program that makes up more shares the first one's place between them.
    private static let modeLimit = 16

    /// The place of a mode among those that the group was called for. The first call of a mode gives it one.
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

    /// Notes whether all places of a slot are taken: those of the deployment, and those of a half-open breaker.
    mutating func noteSaturation(_ slot: Int, _ modeIndex: Int) {
        if isFull(slot) { change(slot, adding: .saturated) } else { change(slot, removing: .saturated) }
        // The state first, for the rest is a copy of the whole health, which nearly no call has to pay for.
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
