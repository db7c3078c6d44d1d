// The edges of a radix tree in one hash table: (parent, first byte) to child.

/// Open addressing with linear probing; removal moves later entries back instead of leaving tombstones.
struct EdgeTable: Sendable {
    /// Key and value side by side: a large table is not in the processor's cache, so every look has to wait for memory.
    private struct Entry: Sendable {
        var parent = EdgeTable.none
        var child: Int32 = 0
        var byte: UInt8 = 0

        var isEmpty: Bool { parent == EdgeTable.none }
    }

    private static let none: Int32 = -1

    private var entries: [Entry] = []
    private var count = 0

    /// The most bytes of memory in use. An edge counts as if the table had just doubled, so that the sum has no jumps.
    var bytes: Int { count * 4 * MemoryLayout<Entry>.stride }

    /// The child of a node by the first byte of its label.
    func child(of parent: Int32, _ byte: UInt8) -> Int32? {
        guard !entries.isEmpty else { return nil }
        let entry = entries[place(of: parent, byte)]
        return entry.isEmpty ? nil : entry.child
    }

    /// Sets the child of a node.
    mutating func set(_ parent: Int32, _ byte: UInt8, to child: Int32) {
        if 2 * (count + 1) > entries.count { grow() }
        let place = place(of: parent, byte)
        if entries[place].isEmpty { count += 1 }
        entries[place] = Entry(parent: parent, child: child, byte: byte)
    }

    /// Removes the child of a node.
    mutating func remove(_ parent: Int32, _ byte: UInt8) {
        guard !entries.isEmpty else { return }
        let mask = entries.count - 1
        var hole = place(of: parent, byte)
        guard !entries[hole].isEmpty else { return }
        count -= 1
        var next = (hole + 1) & mask
        while !entries[next].isEmpty {
            // An entry may fill the hole unless its home position is after it.
            let home = home(of: entries[next].parent, entries[next].byte)
            if (next - home) & mask >= (next - hole) & mask {
                entries[hole] = entries[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        entries[hole] = Entry()
    }

    private mutating func grow() {
        let old = entries
        entries = Array(repeating: Entry(), count: max(64, 2 * old.count))
        for entry in old where !entry.isEmpty { entries[place(of: entry.parent, entry.byte)] = entry }
    }

    /// The position of an edge, or the empty one where it would be.
    private func place(of parent: Int32, _ byte: UInt8) -> Int {
        var place = home(of: parent, byte)
        while !entries[place].isEmpty, entries[place].parent != parent || entries[place].byte != byte {
            place = (place + 1) & (entries.count - 1)
        }
        return place
    }

    private func home(of parent: Int32, _ byte: UInt8) -> Int {
        let key = UInt64(UInt32(bitPattern: parent)) << 8 | UInt64(byte)
        let mixed = key &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: mixed >> 32) & (entries.count - 1)
    }
}
