// The edges of a radix tree in one hash table: (parent, first byte) to child.

/// Open addressing with linear probing; removal moves later entries back instead of leaving marks.
struct EdgeTable: Sendable {
    private static let empty = UInt64.max

    private var keys: [UInt64] = []
    private var children: [Int32] = []
    private var count = 0

    /// Bytes of memory in use at most. An edge counts as if the table had just doubled, so that the sum has no jumps.
    var bytes: Int { count * 4 * (MemoryLayout<UInt64>.stride + MemoryLayout<Int32>.stride) }

    /// The child of a node by the first byte of its label.
    func child(of parent: Int32, _ byte: UInt8) -> Int32? {
        guard !keys.isEmpty else { return nil }
        let key = Self.key(parent, byte)
        var place = home(of: key)
        while keys[place] != Self.empty {
            if keys[place] == key { return children[place] }
            place = (place + 1) & (keys.count - 1)
        }
        return nil
    }

    /// Sets the child of a node.
    mutating func set(_ parent: Int32, _ byte: UInt8, to child: Int32) {
        if 2 * (count + 1) > keys.count { grow() }
        let key = Self.key(parent, byte)
        var place = home(of: key)
        while keys[place] != Self.empty, keys[place] != key { place = (place + 1) & (keys.count - 1) }
        if keys[place] == Self.empty { count += 1 }
        keys[place] = key
        children[place] = child
    }

    /// Removes the child of a node.
    mutating func remove(_ parent: Int32, _ byte: UInt8) {
        guard !keys.isEmpty else { return }
        let mask = keys.count - 1
        let key = Self.key(parent, byte)
        var hole = home(of: key)
        while keys[hole] != key {
            if keys[hole] == Self.empty { return }
            hole = (hole + 1) & mask
        }
        count -= 1
        var next = (hole + 1) & mask
        while keys[next] != Self.empty {
            // An entry may fill the hole unless its home lies behind it.
            if (next - home(of: keys[next])) & mask >= (next - hole) & mask {
                keys[hole] = keys[next]
                children[hole] = children[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        keys[hole] = Self.empty
    }

    private mutating func grow() {
        let (oldKeys, oldChildren) = (keys, children)
        let capacity = max(64, 2 * keys.count)
        keys = Array(repeating: Self.empty, count: capacity)
        children = Array(repeating: 0, count: capacity)
        for (index, key) in oldKeys.enumerated() where key != Self.empty {
            var place = home(of: key)
            while keys[place] != Self.empty { place = (place + 1) & (capacity - 1) }
            keys[place] = key
            children[place] = oldChildren[index]
        }
    }

    private func home(of key: UInt64) -> Int {
        let mixed = key &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: mixed >> 32) & (keys.count - 1)
    }

    private static func key(_ parent: Int32, _ byte: UInt8) -> UInt64 {
        UInt64(UInt32(bitPattern: parent)) << 8 | UInt64(byte)
    }
}
