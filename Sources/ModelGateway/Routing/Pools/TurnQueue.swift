// Smooth weighted turns: the slot whose turn is due first goes next, in O(log n).

/// When a turn is due, and which came first among equals, as one number: comparing two needs no branch, of which
/// half would be mispredicted.
private struct TurnKey: TournamentKey {
    private var value: UInt128

    static let last = TurnKey(value: .max)

    private init(value: UInt128) {
        self.value = value
    }

    /// - Parameter due: Not negative, so that the bits are in the order of the numbers.
    init(due: Double, order: UInt64) {
        value = UInt128(due.bitPattern) << 64 | UInt128(order)
    }

    static func < (left: Self, right: Self) -> Bool { left.value < right.value }
}

/// Earliest deadline first: a slot of weight w is due every 1/w; the counts of any two slots never deviate from
/// their weights by more than one turn each.
struct TurnQueue: Sendable {
    private struct Turn: Sendable {
        var due = 0.0
        var order: UInt64 = 0
        var interval = 1.0
    }

    /// Of all slots that were ever in the queue.
    private var turns: [Turn] = []
    /// Those that are in the queue.
    private var queue = TournamentTree<TurnKey>()
    private var present = 0.0
    private var order: UInt64 = 0

    /// Adds a slot, or changes its weight. One that was in the queue before keeps the turn it had.
    mutating func insert(_ slot: Int, weight: Double) {
        if slot >= turns.count { turns += Array(repeating: Turn(), count: slot + 1 - turns.count) }
        order += 1
        let interval = 1 / max(weight, 1e-9)
        if turns[slot].order == 0 {
            turns[slot] = Turn(due: present + interval / 2, order: order, interval: interval)
        }
        turns[slot].interval = interval
        turns[slot].due = min(max(turns[slot].due, present), present + interval)
        enqueue(slot)
    }

    /// Takes a slot out.
    mutating func remove(_ slot: Int) {
        queue.remove(slot)
    }

    /// Forgets the turn that a slot had, because another deployment will use the slot.
    mutating func forget(_ slot: Int) {
        remove(slot)
        if slot < turns.count { turns[slot] = Turn() }
    }

    /// The slot whose turn it is, after which it waits for its next one.
    /// - Parameter excluded: Slots that keep their turn for later.
    mutating func next(excluding excluded: [Int]) -> Int? {
        guard let slot = queue.least(excluding: excluded) else { return nil }
        present = max(present, turns[slot].due)
        order += 1
        turns[slot].due = present + turns[slot].interval
        turns[slot].order = order
        enqueue(slot)
        return slot
    }

    private mutating func enqueue(_ slot: Int) {
        queue.set(slot, to: TurnKey(due: turns[slot].due, order: turns[slot].order))
    }
}
