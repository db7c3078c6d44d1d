// What calls of one mode have shown of a deployment, apart from the calls of other modes.

/// How a deployment stands with the calls of one mode.
///
/// An engine may answer conversations and fail at embeddings: endpoints differ in their code, their permissions and their
/// limits. So what calls show (failures, 429, rejected credentials) counts for their own mode, and what is asked of the
/// whole deployment or decided about it (probes, load, drain, weight, places) counts for all. Each mode has pools of its
/// own, so that a selection costs as much as if there was only one mode: it never looks at anyone's standing.
///
/// A standing belongs to one group. The same upstream under two public names is judged by the calls of each name apart:
/// a group decides under its own lock, and a verdict that it shared would put a second lock into each call. The price
/// is that each group has to see the failures itself, at most as many as its breaker counts before it opens.
struct Standing: Sendable {
    /// The reasons of this mode alone: ``Ineligibility/breakerOpen``, ``Ineligibility/coolingDown``,
    /// ``Ineligibility/misconfigured``, and ``Ineligibility/saturated`` for a half-open breaker without a free place or
    /// a trial of the credentials under way.
    var ineligibility: Ineligibility = []
    /// Whether the last answer was that it does not have the model.
    var isModelMissing = false
    /// Rejections with 429, 404 or 402 in a row.
    var cooldowns: Int32 = 0
    var breaker: CircuitBreaker
    var cooldownEnds = MonotonicInstant.never
    var credentials = CredentialState()

    init(_ breaker: CircuitBreakerOptions) {
        self.breaker = CircuitBreaker(breaker)
    }

    /// Whether a half-open breaker has no place left for another probe.
    @inline(__always) var isProbing: Bool {
        breaker.state == .halfOpen && breaker.probesUnderWay >= breaker.options.probes
    }

    /// When time alone changes something next.
    var nextEvent: MonotonicInstant {
        let next = min(breaker.reopening, credentials.nextTrial)
        return ineligibility.contains(.coolingDown) ? min(next, cooldownEnds) : next
    }
}

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
