// Smooth weighted turns: the slot whose turn is due first goes next, in O(log n).

/// Earliest deadline first: a slot of weight w is due every 1/w; the counts of any two slots never drift apart from
/// their weights by more than one turn each.
struct TurnQueue: Sendable {
    private struct Turn: Sendable {
        var due = 0.0
        var order: UInt64 = 0
        var interval = 1.0
        var place = -1
    }

    private var turns: [Turn] = []
    private var heap: [Int32] = []
    private var present = 0.0
    private var order: UInt64 = 0

    /// The slots in the queue.
    var count: Int { heap.count }

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
        guard turns[slot].place < 0 else { return restore(slot) }
        turns[slot].place = heap.count
        heap.append(Int32(slot))
        restore(slot)
    }

    /// Takes a slot out.
    mutating func remove(_ slot: Int) {
        guard slot < turns.count, turns[slot].place >= 0 else { return }
        let place = turns[slot].place
        turns[slot].place = -1
        let last = Int(heap.removeLast())
        guard last != slot else { return }
        heap[place] = Int32(last)
        turns[last].place = place
        restore(last)
    }

    /// Forgets the turn that a slot had, because another deployment will use the slot.
    mutating func forget(_ slot: Int) {
        remove(slot)
        if slot < turns.count { turns[slot] = Turn() }
    }

    /// The slot whose turn it is, after which it waits for its next one.
    /// - Parameter excluded: Slots that keep their turn for later.
    mutating func next(excluding excluded: [Int]) -> Int? {
        for slot in excluded { remove(slot) }
        defer { for slot in excluded where slot < turns.count && turns[slot].order != 0 { reinsert(slot) } }
        guard let first = heap.first else { return nil }
        let slot = Int(first)
        present = max(present, turns[slot].due)
        order += 1
        turns[slot].due = max(turns[slot].due, present) + turns[slot].interval
        turns[slot].order = order
        sink(0)
        return slot
    }

    private mutating func reinsert(_ slot: Int) {
        turns[slot].place = heap.count
        heap.append(Int32(slot))
        restore(slot)
    }

    private func precedes(_ left: Int32, _ right: Int32) -> Bool {
        let (left, right) = (turns[Int(left)], turns[Int(right)])
        return left.due == right.due ? left.order < right.order : left.due < right.due
    }

    private mutating func restore(_ slot: Int) {
        rise(turns[slot].place)
        sink(turns[slot].place)
    }

    private mutating func rise(_ place: Int) {
        var place = place
        while place > 0, precedes(heap[place], heap[(place - 1) / 2]) {
            swap(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    private mutating func sink(_ place: Int) {
        var place = place
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2] where child < heap.count {
                if precedes(heap[child], heap[least]) { least = child }
            }
            if least == place { return }
            swap(place, least)
            place = least
        }
    }

    private mutating func swap(_ left: Int, _ right: Int) {
        heap.swapAt(left, right)
        turns[Int(heap[left])].place = left
        turns[Int(heap[right])].place = right
    }
}
