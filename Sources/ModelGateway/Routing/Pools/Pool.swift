// The eligible deployments of one priority tier, with the index that the group's policy uses.

/// Which index a policy needs besides the plain list of eligible slots.
enum PoolIndex: Sendable, Hashable {
    case none
    /// Weighted random choice.
    case weights
    /// Smooth weighted turns.
    case turns
    /// The least value of a key that the policy defines.
    case order
}

/// Eligible slots, kept up to date by events; a selection never looks at the others.
struct Pool: Sendable {
    /// The eligible slots in no particular order.
    private(set) var slots: [Int32] = []
    private var places: [Int32] = []
    /// Calls in flight over the eligible slots, and the tokens of prompts that wait to be read.
    private(set) var calls = 0
    private(set) var tokens = 0
    /// The sum of the weights of the eligible slots.
    private(set) var weight = 0.0
    /// No eligible slot has a greater weight; the one that had this weight may be gone.
    private(set) var heaviest = 0.0

    var weights: FenwickTree?
    var turns: TurnQueue?
    var order: TournamentTree<OrderKey>?

    init(_ index: PoolIndex) {
        switch index {
        case .none: break
        case .weights: weights = FenwickTree()
        case .turns: turns = TurnQueue()
        case .order: order = TournamentTree()
        }
    }

    @inline(__always) var count: Int { slots.count }
    @inline(__always) var isEmpty: Bool { slots.isEmpty }

    /// The sum of the members' loads.
    @inline(__always) var load: Double { Double(calls) + Double(tokens) / Double(EngineLoad.typicalTokens) }

    /// Whether a slot is eligible here.
    @inline(__always) func contains(_ slot: Int) -> Bool { slot < places.count && places[slot] >= 0 }

    /// How many slots remain without the excluded ones.
    @inline(__always) func count(excluding excluded: [Int]) -> Int {
        excluded.isEmpty ? count : count - excluded.count { contains($0) }
    }

    /// Makes a slot eligible.
    mutating func insert(_ slot: Int, _ member: borrowing Member, key: OrderKey) {
        guard !contains(slot) else { return }
        if slot >= places.count {
            places += Array(repeating: -1, count: max(slot + 1, 2 * places.count) - places.count)
        }
        places[slot] = Int32(slots.count)
        slots.append(Int32(slot))
        calls += member.calls
        tokens += member.pendingTokens
        weight += member.weight
        heaviest = slots.count == 1 ? member.weight : max(heaviest, member.weight)
        weights?.set(slot, to: member.weight)
        turns?.insert(slot, weight: member.weight)
        order?.set(slot, to: key)
    }

    /// Makes a slot ineligible.
    mutating func remove(_ slot: Int, _ member: borrowing Member) {
        guard contains(slot) else { return }
        let last = slots.count - 1
        let place = Int(places[slot])
        slots.swapAt(place, last)
        places[Int(slots[place])] = Int32(place)
        slots.removeLast()
        places[slot] = -1
        calls -= member.calls
        tokens -= member.pendingTokens
        weight = slots.isEmpty ? 0 : weight - member.weight
        weights?.set(slot, to: 0)
        turns?.remove(slot)
        order?.remove(slot)
    }

    /// Changes the load of a slot, and its key in the order.
    mutating func load(_ slot: Int, calls: Int, tokens: Int, key: OrderKey) {
        guard contains(slot) else { return }
        self.calls += calls
        self.tokens += tokens
        order?.set(slot, to: key)
    }

    /// Forgets what was kept for a slot that another deployment is going to use.
    mutating func forget(_ slot: Int) {
        turns?.forget(slot)
    }

    /// Moves the excluded slots to the end and returns how many come before them.
    mutating func setAside(_ excluded: [Int]) -> Int {
        var end = slots.count
        for slot in excluded where contains(slot) && Int(places[slot]) < end {
            end -= 1
            let place = Int(places[slot])
            slots.swapAt(place, end)
            places[Int(slots[place])] = Int32(place)
            places[slot] = Int32(end)
        }
        return end
    }
}
