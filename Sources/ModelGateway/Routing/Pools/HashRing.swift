// A ring of hash points: each member owns many, and a key belongs to the next one clockwise.

import GatewayWire

/// The points of all members in ascending order. Adding or removing a member moves only the keys it gains or loses.
struct HashRing: Sendable {
    /// Points of a member with weight 1.
    static let pointsPerWeight = 150
    private static let maxPoints = 100_000

    private struct Point: Sendable {
        var hash: UInt64
        var slot: Int32
    }

    private var points: [Point] = []
    // Where the points with given first bits begin, so that a search looks at only a few points.
    private var directory: [Int32] = []
    private var shift: UInt64 = 64
    private var members: [Member] = []
    // Slots whose points are no longer those of their member.
    private var changed: Set<Int32> = []

    private struct Member: Sendable {
        var id = ""
        var identity: UInt64 = 0
        var points = 0
    }

    /// The hash of a member's id; 0 for a slot without a member.
    func identity(of slot: Int) -> UInt64 { slot < members.count ? members[slot].identity : 0 }

    /// Adds a member, or changes its weight. ``settle()`` puts it into the ring.
    mutating func insert(_ slot: Int, id: String, weight: Double) {
        if slot >= members.count { members += Array(repeating: Member(), count: slot + 1 - members.count) }
        let points = weight > 0 ? max(1, min(weight * Double(Self.pointsPerWeight), Double(Self.maxPoints))) : 0
        members[slot] = Member(id: id, identity: max(1, StableHash.hash(id)), points: Int(points.rounded()))
        changed.insert(Int32(slot))
    }

    /// Removes a member.
    mutating func remove(_ slot: Int) {
        guard slot < members.count else { return }
        members[slot] = Member()
        changed.insert(Int32(slot))
    }

    /// Updates the ring with what was added and removed; usually there is nothing to do.
    mutating func settle() {
        guard !changed.isEmpty else { return }
        points.removeAll { changed.contains($0.slot) }
        var added: [Point] = []
        for slot in changed {
            let member = members[Int(slot)]
            for index in 0..<member.points {
                added.append(Point(hash: StableHash.hash(member.id, seed: UInt64(index) + 1), slot: slot))
            }
        }
        changed.removeAll()
        added.sort { Self.precedes($0, $1) }
        points = merged(points, added)
        let bits = max(1, points.count.highestPowerOfTwo.trailingZeroBitCount)
        shift = UInt64(64 - bits)
        directory = Array(repeating: 0, count: (1 << bits) + 1)
        for point in points { directory[Int(point.hash >> shift) + 1] += 1 }
        for index in 1..<directory.count { directory[index] += directory[index - 1] }
    }

    /// The owners clockwise from a hash, one for each point passed; ends after `limit` points or one full turn.
    func first(from hash: UInt64, limit: Int, where accepts: (_ slot: Int) -> Bool) -> Int? {
        guard !points.isEmpty else { return nil }
        var index = position(of: hash)
        for _ in 0..<min(limit, points.count) {
            if index == points.count { index = 0 }
            let slot = Int(points[index].slot)
            if accepts(slot) { return slot }
            index += 1
        }
        return nil
    }

    private func position(of hash: UInt64) -> Int {
        let bucket = Int(hash >> shift)
        var index = Int(directory[bucket])
        let end = Int(directory[bucket + 1])
        while index < end, points[index].hash < hash { index += 1 }
        return index
    }

    private func merged(_ left: [Point], _ right: [Point]) -> [Point] {
        guard !right.isEmpty else { return left }
        var result: [Point] = []
        result.reserveCapacity(left.count + right.count)
        var (i, j) = (0, 0)
        while i < left.count, j < right.count {
            if Self.precedes(right[j], left[i]) {
                result.append(right[j])
                j += 1
            } else {
                result.append(left[i])
                i += 1
            }
        }
        result += left[i...]
        result += right[j...]
        return result
    }

    private static func precedes(_ left: Point, _ right: Point) -> Bool {
        left.hash == right.hash ? left.slot < right.slot : left.hash < right.hash
    }
}
