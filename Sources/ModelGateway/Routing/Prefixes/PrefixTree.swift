// A radix tree over prompt bytes that remembers which deployments have read which beginnings.

/// A deployment that has read a node's text, and when, measured in bytes that the deployment has read.
struct PrefixHolder: Sendable {
    var slot: Int32
    var stamp: UInt32
}

/// Which deployments have read the beginning of a prompt.
struct PrefixMatch: Sendable {
    /// A deployment that has read the first `depth` bytes.
    struct Candidate: Sendable {
        var slot: Int
        var depth: Int
    }

    /// Bytes of the prompt.
    var length: Int
    /// Deployments, those with the longest common beginning first; at most ``PrefixTree/candidateLimit``.
    var candidates: [Candidate] = []

    /// How many bytes a deployment has already read.
    func depth(of slot: Int) -> Int {
        candidates.first { $0.slot == slot }?.depth ?? 0
    }
}

/// The tree. Nodes are kept in an array; when the budget is used up, the least recently used leaf goes first.
struct PrefixTree: Sendable {
    /// The most candidates that a match names.
    static let candidateLimit = 32

    private struct Node: Sendable {
        var label: [UInt8]
        /// Bytes from the root to the end of the label.
        var depth: Int32
        var parent: Int32
        var children: Int32 = 0
        /// Sorted by slot.
        var holders: [PrefixHolder] = []
    }

    private static let none: Int32 = -1
    private static let root: Int32 = 0
    // What an array costs besides its elements: its header and the allocator's.
    private static let arrayOverhead = 48
    // A node, its links in the recency list, and its place in the free list.
    private static let nodeBytes = MemoryLayout<Node>.stride + 12

    private var nodes: [Node]
    private var free: [Int32] = []
    private var edges = EdgeTable()
    private var recency = RecencyList()
    private var contentBytes = 0
    private let budget: Int
    private var deployments: [Deployment] = []

    /// What is known about the deployment in a slot.
    private struct Deployment: Sendable {
        var number: UInt64 = 0
        /// Bytes of labels that it holds.
        var held = 0
        /// All bytes that it has ever read without finding them in its cache.
        var filled = 0
        /// How many bytes its cache holds; nil if unknown.
        var capacity: Int?
    }

    /// Creates an empty tree.
    /// - Parameter budget: Bytes of memory that the tree may use.
    init(budget: Int) {
        self.budget = budget
        nodes = [Node(label: [], depth: 0, parent: PrefixTree.none)]
    }

    /// Bytes of memory in use.
    var bytes: Int { contentBytes + nodes.count * Self.nodeBytes + edges.bytes }

    /// Nodes in use, not counting the root.
    var count: Int { nodes.count - free.count - 1 }

    /// Bytes of text that a slot's deployment is believed to hold.
    func held(by slot: Int) -> Int { slot < deployments.count ? deployments[slot].held : 0 }
}

// MARK: - Deployments

extension PrefixTree {
    /// Makes room for a deployment in a slot.
    mutating func admit(_ slot: Int, number: UInt64, capacity: Int?) {
        if slot >= deployments.count {
            deployments += Array(repeating: Deployment(), count: slot + 1 - deployments.count)
        }
        if deployments[slot].number != number { deployments[slot] = Deployment(number: number) }
        deployments[slot].capacity = capacity
    }

    /// Forgets what a slot's deployment holds, in a part of the nodes. The caller continues with the index
    /// returned until that is nil, so that others can use the tree in between.
    mutating func forget(_ slot: Int, from start: Int, limit: Int = 4096) -> Int? {
        guard slot < deployments.count else { return nil }
        if start == 0 { deployments[slot].number = 0 }
        let end = min(nodes.count, start + limit)
        for index in start..<end where !nodes[index].holders.isEmpty {
            drop(slot, from: index)
        }
        return end < nodes.count ? end : nil
    }

    private mutating func drop(_ slot: Int, from index: Int) {
        guard let place = nodes[index].holders.place(of: slot), nodes[index].holders[place].slot == slot else { return }
        let before = holderBytes(index)
        nodes[index].holders.remove(at: place)
        contentBytes += holderBytes(index) - before
        deployments[slot].held -= nodes[index].label.count
        var node = Int32(index)
        while node > Self.root, nodes[Int(node)].holders.isEmpty, nodes[Int(node)].children == 0 {
            let parent = nodes[Int(node)].parent
            removeLeaf(node)
            node = parent
        }
    }
}

// MARK: - Matching

extension PrefixTree {
    /// Which deployments have read the beginning of a text.
    /// - Parameter salt: Chooses where to start if there are more holders than a match can name.
    func match(_ text: UnsafeRawBufferPointer, salt: Int) -> PrefixMatch {
        var match = PrefixMatch(length: text.count)
        var node = Self.root
        var depth = 0
        while depth < text.count, let child = edges.child(of: node, text[depth]) {
            depth += commonPrefix(of: child, text, at: depth)
            node = child
            if depth < Int(nodes[Int(child)].depth) { break }
        }
        while node != Self.root, match.candidates.count < Self.candidateLimit {
            addCandidates(of: Int(node), depth: depth, to: &match, salt: salt)
            node = nodes[Int(node)].parent
            depth = Int(nodes[Int(max(node, 0))].depth)
        }
        return match
    }

    private func addCandidates(of node: Int, depth: Int, to match: inout PrefixMatch, salt: Int) {
        let count = nodes[node].holders.count
        guard count > 0 else { return }
        let start = count > Self.candidateLimit ? salt % count : 0
        for offset in 0..<count {
            let holder = nodes[node].holders[(start + offset) % count]
            let slot = Int(holder.slot)
            guard isFresh(holder), !match.candidates.contains(where: { $0.slot == slot }) else { continue }
            match.candidates.append(PrefixMatch.Candidate(slot: slot, depth: depth))
            if match.candidates.count == Self.candidateLimit { return }
        }
    }

    /// Whether a deployment can still have a text in its cache: a cache that evicts the least recently used has read
    /// less than its capacity since then.
    private func isFresh(_ holder: PrefixHolder) -> Bool {
        let deployment = deployments[Int(holder.slot)]
        guard let capacity = deployment.capacity else { return true }
        return Int(Self.stamp(deployment.filled) &- holder.stamp) * Self.stampUnit <= capacity
    }

    private static let stampUnit = 256

    private static func stamp(_ filled: Int) -> UInt32 { UInt32(truncatingIfNeeded: filled / stampUnit) }
}

// MARK: - Insertion

extension PrefixTree {
    /// Notes that a slot's deployment is reading a text, and keeps the tree within its budget.
    /// - Returns: How many bytes it had already read.
    @discardableResult
    mutating func insert(_ text: UnsafeRawBufferPointer, slot: Int, number: UInt64) -> Int {
        guard slot < deployments.count, deployments[slot].number == number, number != 0 else { return 0 }
        var node = Self.root
        var depth = 0
        var known = 0
        while depth < text.count {
            guard let child = edges.child(of: node, text[depth]) else {
                node = addLeaf(text, from: depth, parent: node)
                break
            }
            let common = commonPrefix(of: child, text, at: depth)
            depth += common
            node = depth < Int(nodes[Int(child)].depth) ? split(child, at: common) : child
            if nodes[Int(node)].holders.contains(slot) { known = depth }
        }
        deployments[slot].filled += text.count - known
        touch(node, slot: slot)
        while bytes > budget, let oldest = recency.oldest { removeLeaf(Int32(oldest)) }
        return known
    }

    /// Undoes an insertion, because the deployment has not read the text after all.
    /// - Parameter known: What the insertion returned.
    mutating func retract(_ text: UnsafeRawBufferPointer, slot: Int, number: UInt64, known: Int) {
        guard slot < deployments.count, deployments[slot].number == number else { return }
        var path: [Int] = []
        var node = Self.root
        var depth = 0
        while depth < text.count, let child = edges.child(of: node, text[depth]) {
            depth += commonPrefix(of: child, text, at: depth)
            guard depth == Int(nodes[Int(child)].depth) else { break }
            if depth > known { path.append(Int(child)) }
            node = child
        }
        for node in path.reversed() { drop(slot, from: node) }
    }

    /// Notes that a deployment has put text that it generated into its cache.
    mutating func fill(_ slot: Int, number: UInt64, bytes: Int) {
        guard slot < deployments.count, deployments[slot].number == number else { return }
        deployments[slot].filled += bytes
    }

    private mutating func addLeaf(_ text: UnsafeRawBufferPointer, from depth: Int, parent: Int32) -> Int32 {
        let label = [UInt8](text[depth...])
        let leaf = add(Node(label: label, depth: Int32(text.count), parent: parent))
        edges.set(parent, label[0], to: leaf)
        nodes[Int(parent)].children += 1
        recency.insert(Int(leaf))
        return leaf
    }

    /// Puts a node in front of another one that takes the first bytes of its label. Returns the new one.
    private mutating func split(_ lower: Int32, at length: Int) -> Int32 {
        let old = nodes[Int(lower)]
        let upper = add(
            Node(
                label: [UInt8](old.label[..<length]),
                depth: old.depth - Int32(old.label.count - length),
                parent: old.parent,
                children: 1,
                holders: old.holders
            )
        )
        contentBytes += holderBytes(Int(upper)) - labelBytes(Int(lower))
        nodes[Int(lower)].label = [UInt8](old.label[length...])
        nodes[Int(lower)].parent = upper
        contentBytes += labelBytes(Int(lower))
        edges.set(old.parent, old.label[0], to: upper)
        edges.set(upper, old.label[length], to: lower)
        recency.insert(Int(upper), newerThan: Int(lower))
        return upper
    }

    /// Marks the path from a node to the root as used by a slot, ending at the root, so that a node is always more
    /// recently used than those below it, and the least recently used one is a leaf.
    private mutating func touch(_ node: Int32, slot: Int) {
        let holder = PrefixHolder(slot: Int32(slot), stamp: Self.stamp(deployments[slot].filled))
        var node = node
        while node != Self.root {
            let index = Int(node)
            let place = nodes[index].holders.place(of: slot)
            if let place, nodes[index].holders[place].slot == holder.slot {
                nodes[index].holders[place] = holder
            } else {
                let before = holderBytes(index)
                nodes[index].holders.insert(holder, at: place ?? nodes[index].holders.count)
                contentBytes += holderBytes(index) - before
                deployments[slot].held += nodes[index].label.count
            }
            recency.touch(index)
            node = nodes[index].parent
        }
    }
}

// MARK: - Storage

extension PrefixTree {
    private mutating func add(_ node: Node) -> Int32 {
        let index: Int32
        if let reused = free.popLast() {
            index = reused
            nodes[Int(index)] = node
        } else {
            index = Int32(nodes.count)
            nodes.append(node)
        }
        contentBytes += labelBytes(Int(index))
        return index
    }

    private mutating func removeLeaf(_ leaf: Int32) {
        let node = nodes[Int(leaf)]
        recency.remove(Int(leaf))
        edges.remove(node.parent, node.label[0])
        nodes[Int(node.parent)].children -= 1
        contentBytes -= labelBytes(Int(leaf)) + holderBytes(Int(leaf))
        for holder in node.holders { deployments[Int(holder.slot)].held -= node.label.count }
        nodes[Int(leaf)] = Node(label: [], depth: 0, parent: Self.none)
        free.append(leaf)
    }

    private func labelBytes(_ index: Int) -> Int { nodes[index].label.capacity + Self.arrayOverhead }

    private func holderBytes(_ index: Int) -> Int {
        let capacity = nodes[index].holders.capacity
        return capacity == 0 ? 0 : capacity * MemoryLayout<PrefixHolder>.stride + Self.arrayOverhead
    }

    /// How many bytes of a node's label match a text from an offset on, where the node's label begins. The first one is
    /// known to be the same; many labels have no other, and then they need not be fetched from memory.
    private func commonPrefix(of node: Int32, _ text: UnsafeRawBufferPointer, at offset: Int) -> Int {
        let count = min(Int(nodes[Int(node)].depth), text.count) - offset
        guard count > 1 else { return count }
        return nodes[Int(node)].label.withUnsafeBytes { label in
            var index = 0
            while index + 8 <= count {
                let left = label.loadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian
                let right = text.loadUnaligned(fromByteOffset: offset + index, as: UInt64.self).littleEndian
                if left != right { return index + (left ^ right).trailingZeroBitCount / 8 }
                index += 8
            }
            while index < count, label[index] == text[offset + index] { index += 1 }
            return index
        }
    }
}

extension [PrefixHolder] {
    /// Where a slot is or would be; nil for the end.
    fileprivate func place(of slot: Int) -> Int? {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle].slot < Int32(slot) { low = middle + 1 } else { high = middle }
        }
        return low < count ? low : nil
    }

    fileprivate func contains(_ slot: Int) -> Bool {
        guard let place = place(of: slot) else { return false }
        return self[place].slot == Int32(slot)
    }
}
