// The slot with the least key, in O(log n) per change.

/// What slots are ordered by.
protocol TournamentKey: Comparable, Sendable {
    /// A key after all others: that of a slot that does not take part.
    static var last: Self { get }
}

/// What policies order slots by: the primary value, then the secondary one, then a number of the slot's own.
struct OrderKey: TournamentKey, Hashable {
    var primary = 0.0
    var secondary = 0.0
    var tie: UInt64 = 0

    static let last = OrderKey(primary: .infinity, secondary: .infinity, tie: .max)

    static func < (left: Self, right: Self) -> Bool {
        if left.primary != right.primary { return left.primary < right.primary }
        if left.secondary != right.secondary { return left.secondary < right.secondary }
        return left.tie < right.tie
    }
}

/// A binary tree whose leaves are slots and whose inner nodes name the winner below them.
struct TournamentTree<Key: TournamentKey>: Sendable {
    private var keys: [Key] = []
    private var winners: [Int32] = []
    private var capacity = 0

    /// The key of a slot.
    subscript(slot: Int) -> Key { slot < keys.count ? keys[slot] : .last }

    /// The slot with the least key; nil if there is none.
    var least: Int? {
        guard capacity > 0 else { return nil }
        let slot = Int(winners[1])
        return keys[slot] == .last ? nil : slot
    }

    /// Gives a slot a key.
    mutating func set(_ slot: Int, to key: Key) {
        if slot >= capacity { grow(to: slot + 1) }
        keys[slot] = key
        replay(slot)
    }

    /// Takes a slot out.
    mutating func remove(_ slot: Int) {
        guard slot < capacity else { return }
        keys[slot] = .last
        replay(slot)
    }

    /// The slot with the least key that is not excluded.
    mutating func least(excluding excluded: [Int]) -> Int? {
        guard !excluded.isEmpty else { return least }
        let kept = excluded.map { self[$0] }
        for slot in excluded { remove(slot) }
        let found = least
        for (slot, key) in zip(excluded, kept) where slot < capacity { set(slot, to: key) }
        return found
    }

    /// Replays the matches from a slot towards the root, until neither the old nor the new winner is the slot.
    private mutating func replay(_ slot: Int) {
        var winner = better(slot, slot ^ 1)
        var key = keys[winner]
        var node = (slot + capacity) / 2
        while true {
            let before = Int(winners[node])
            winners[node] = Int32(winner)
            if node == 1 || (before != slot && winner != slot) { return }
            let other = Int(winners[node ^ 1])
            let otherKey = keys[other]
            if otherKey < key { (winner, key) = (other, otherKey) }
            node /= 2
        }
    }

    private func better(_ left: Int, _ right: Int) -> Int {
        keys[right] < keys[left] ? right : left
    }

    private mutating func grow(to count: Int) {
        capacity = max(2, 2 * (count - 1).highestPowerOfTwo)
        keys += Array(repeating: .last, count: capacity - keys.count)
        winners = Array(repeating: 0, count: capacity)
        for node in stride(from: capacity - 1, through: 1, by: -1) {
            let left = 2 * node
            winners[node] = Int32(
                left >= capacity
                    ? better(left - capacity, left + 1 - capacity)
                    : better(Int(winners[left]), Int(winners[left + 1]))
            )
        }
    }
}
