// The order in which numbered things were last used, with constant-time changes.

/// A doubly linked list over small numbers, the newest at one end and the oldest at the other.
struct RecencyList: Sendable {
    private struct Link: Sendable {
        var newer = RecencyList.none
        var older = RecencyList.none
    }

    private static let none: Int32 = -1

    private var links: [Link] = []
    private var first = RecencyList.none
    private var last = RecencyList.none

    /// The thing that has been unused longest.
    var oldest: Int? { last == Self.none ? nil : Int(last) }

    /// The next newer thing after one.
    func newer(than index: Int) -> Int? {
        links[index].newer == Self.none ? nil : Int(links[index].newer)
    }

    /// Adds a thing as the newest.
    mutating func insert(_ index: Int) {
        reserve(index)
        links[index] = Link(newer: Self.none, older: first)
        if first != Self.none { links[Int(first)].newer = Int32(index) } else { last = Int32(index) }
        first = Int32(index)
    }

    /// Adds a thing as the next newer one after another.
    mutating func insert(_ index: Int, newerThan other: Int) {
        reserve(index)
        let newer = links[other].newer
        links[index] = Link(newer: newer, older: Int32(other))
        links[other].newer = Int32(index)
        if newer != Self.none { links[Int(newer)].older = Int32(index) } else { first = Int32(index) }
    }

    /// Makes a thing of the list its newest.
    mutating func touch(_ index: Int) {
        guard first != Int32(index) else { return }
        remove(index)
        insert(index)
    }

    /// Takes a thing out.
    mutating func remove(_ index: Int) {
        let link = links[index]
        if link.newer != Self.none { links[Int(link.newer)].older = link.older } else { first = link.older }
        if link.older != Self.none { links[Int(link.older)].newer = link.newer } else { last = link.newer }
    }

    private mutating func reserve(_ index: Int) {
        if index >= links.count { links.append(contentsOf: repeatElement(Link(), count: index + 1 - links.count)) }
    }
}
