// When each transfer of an event loop runs out of time: a binary heap that knows the index of each transfer in it.

/// The transfers of one loop, ordered by when they must be looked at.
///
/// Most deadlines only move later (each chunk moves the idle limit), and most transfers end long before theirs. So a
/// later deadline is just noted in the transfer, at no cost; the heap finds out when the old time comes.
struct TransferTimers {
    /// Every transfer in progress, as a heap by `scheduled`.
    private(set) var transfers: [CurlTransfer] = []

    /// The time at which the first transfer must be looked at.
    var next: MonotonicInstant? {
        guard let first = transfers.first, first.scheduled != .never else { return nil }
        return first.scheduled
    }

    /// Adds a transfer at its current deadline.
    mutating func insert(_ transfer: CurlTransfer) {
        transfer.scheduled = transfer.deadline
        transfer.timerIndex = transfers.count
        transfers.append(transfer)
        moveUp(transfer.timerIndex)
    }

    /// Removes a transfer. Does nothing if it is not there.
    mutating func remove(_ transfer: CurlTransfer) {
        let index = transfer.timerIndex
        guard index >= 0 else { return }
        transfer.timerIndex = -1
        let last = transfers.removeLast()
        guard index < transfers.count else { return }
        place(last, at: index)
        moveUp(index)
        moveDown(last.timerIndex)
    }

    /// The deadline of a transfer has changed. Costs nothing if it is later than before.
    mutating func deadlineChanged(of transfer: CurlTransfer) {
        guard transfer.timerIndex >= 0, transfer.deadline < transfer.scheduled else { return }
        transfer.scheduled = transfer.deadline
        moveUp(transfer.timerIndex)
    }

    /// A transfer whose deadline has passed. It stays in the heap until the caller ends it or gives it a later
    /// deadline.
    mutating func firstExpired(at now: MonotonicInstant) -> CurlTransfer? {
        while let first = transfers.first, first.scheduled <= now {
            if first.deadline <= now { return first }
            first.scheduled = first.deadline
            moveDown(0)
        }
        return nil
    }

    private mutating func place(_ transfer: CurlTransfer, at index: Int) {
        transfers[index] = transfer
        transfer.timerIndex = index
    }

    private mutating func moveUp(_ start: Int) {
        var index = start
        let moved = transfers[index]
        while index > 0 {
            let parent = (index - 1) / 2
            guard moved.scheduled < transfers[parent].scheduled else { break }
            place(transfers[parent], at: index)
            index = parent
        }
        if index != start { place(moved, at: index) }
    }

    private mutating func moveDown(_ start: Int) {
        var index = start
        let moved = transfers[index]
        while true {
            var child = 2 * index + 1
            guard child < transfers.count else { break }
            if child + 1 < transfers.count, transfers[child + 1].scheduled < transfers[child].scheduled { child += 1 }
            guard transfers[child].scheduled < moved.scheduled else { break }
            place(transfers[child], at: index)
            index = child
        }
        if index != start { place(moved, at: index) }
    }
}
