// Which stream sends next: a binary heap of absolute deadlines, so that a slow reader never stretches a stream.

/// One due time. `stream` tells whether the connection still runs the stream that asked for it.
package struct Due {
    package var deadline: UInt64
    package var connection: Int
    package var stream: Int

    package init(deadline: UInt64, connection: Int, stream: Int) {
        self.deadline = deadline
        self.connection = connection
        self.stream = stream
    }
}

/// A heap keeps deadlines to the nanosecond; a wheel's ticks would send the events of many streams in bursts.
package struct Pacer {
    private var heap: [Due] = []

    package init() {}

    package var earliest: Due? { heap.first }

    package mutating func insert(_ due: Due) {
        heap.append(due)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            if heap[parent].deadline <= due.deadline { break }
            heap[child] = heap[parent]
            child = parent
        }
        heap[child] = due
    }

    package mutating func removeEarliest() {
        guard let last = heap.popLast(), !heap.isEmpty else { return }
        var parent = 0
        while true {
            var child = 2 * parent + 1
            if child >= heap.count { break }
            if child + 1 < heap.count, heap[child + 1].deadline < heap[child].deadline { child += 1 }
            if last.deadline <= heap[child].deadline { break }
            heap[parent] = heap[child]
            parent = child
        }
        heap[parent] = last
    }
}
