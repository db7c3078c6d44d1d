// Elements by the time at which they are due, the earliest first: a binary heap.

/// A queue in time; inserting and taking cost the logarithm of the number of elements.
struct DeadlineQueue<Element: Sendable>: Sendable {
    private var heap: [(due: MonotonicInstant, element: Element)] = []

    /// When the first element is due; ``MonotonicInstant/never`` if there is none.
    var nextDeadline: MonotonicInstant { heap.first?.due ?? .never }
    var count: Int { heap.count }

    mutating func insert(_ element: Element, due: MonotonicInstant) {
        heap.append((due, element))
        var child = heap.count - 1
        while child > 0, heap[child].due < heap[(child - 1) / 2].due {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// Takes the first element if it is due.
    mutating func take(now: MonotonicInstant) -> (due: MonotonicInstant, element: Element)? {
        guard let first = heap.first, first.due <= now else { return nil }
        let last = heap.removeLast()
        guard !heap.isEmpty else { return first }
        heap[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in 2 * parent + 1...2 * parent + 2 where child < heap.count {
                if heap[child].due < heap[least].due { least = child }
            }
            guard least != parent else { return first }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
