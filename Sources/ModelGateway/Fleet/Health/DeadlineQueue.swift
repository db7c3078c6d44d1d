// Elements ordered by when they are due, the earliest first.

internal import HeapModule

/// A queue ordered by time; inserting and taking are logarithmic in the number of elements.
struct DeadlineQueue<Element: Sendable>: Sendable {
    private struct Entry: Comparable, Sendable {
        let due: MonotonicInstant
        let element: Element

        static func < (left: Entry, right: Entry) -> Bool { left.due < right.due }
        static func == (left: Entry, right: Entry) -> Bool { left.due == right.due }
    }

    private var entries = Heap<Entry>()

    /// When the first element is due; ``MonotonicInstant/never`` if there is none.
    var nextDeadline: MonotonicInstant { entries.min?.due ?? .never }
    var count: Int { entries.count }

    mutating func insert(_ element: Element, due: MonotonicInstant) {
        entries.insert(Entry(due: due, element: element))
    }

    /// Takes the first element if it is due.
    mutating func take(now: MonotonicInstant) -> (due: MonotonicInstant, element: Element)? {
        guard nextDeadline <= now, let first = entries.popMin() else { return nil }
        return (first.due, first.element)
    }
}
