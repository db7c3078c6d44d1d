// A ring of keys with a bound on the load, shared by the policies that hash.

import GatewaySystem
import GatewayWire

/// Consistent hashing with bounded loads (Mirrokni, Thorup, Zadimoghaddam 2016), with bounds in proportion to weights.
struct BoundedRing: Sendable {
    // If fewer than one in a hundred members is eligible, walking the ring would take too long.
    private static let walkLimit = 512

    var points = HashRing()
    let loadFactor: Double
    let allowance: Int

    init(loadFactor: Double, allowance: Int) {
        self.loadFactor = loadFactor
        self.allowance = allowance
    }

    /// The order is that of the ring; the load only decides which members a key skips.
    static func score(of slot: Int, members: [Member]) -> PolicyScore {
        PolicyScore(value: Double(members[slot].calls), meaning: "calls in flight; in the order of the ring")
    }

    mutating func join(_ slot: Int, members: [Member]) {
        points.insert(slot, id: members[slot].record.deployment.id, weight: members[slot].weight)
    }

    /// The most calls that a slot may have, the new one included.
    func limit(of slot: Int, in pool: borrowing Pool, members: [Member]) -> Int {
        let share = Double(pool.calls + 1) * members[slot].weight / max(pool.weight, members[slot].weight)
        // A product that should be a whole number may come out slightly above it, which must not allow one more call.
        return max(Int((loadFactor * share - 1e-9).rounded(.up)), Int(share + Double(allowance) + 1e-9))
    }

    /// The first allowed member clockwise from a key if its load is within the bound.
    func home(
        of key: UInt64,
        in pool: borrowing Pool,
        members: [Member],
        context: SelectionContext
    ) -> Int? {
        var home: Int?
        _ = points.first(from: key, limit: Self.walkLimit) { slot in
            guard context.allows(slot, in: pool) else { return false }
            home = slot
            return true
        }
        guard let home, members[home].calls < limit(of: home, in: pool, members: members) else { return nil }
        return home
    }

    /// The first allowed member clockwise from a key whose load is within the bound; the first one if there is none.
    func owner(
        of key: UInt64,
        in pool: borrowing Pool,
        members: [Member],
        context: SelectionContext
    ) -> Int? {
        var first: Int?
        let found = points.first(from: key, limit: Self.walkLimit) { slot in
            guard context.allows(slot, in: pool) else { return false }
            if first == nil { first = slot }
            return members[slot].calls < limit(of: slot, in: pool, members: members)
        }
        return found ?? highestRandomWeight(of: key, in: pool, members: members, context: context) ?? first
    }

    /// Rendezvous hashing over the eligible members, which are few here: as stable as the ring, without its walk.
    private func highestRandomWeight(
        of key: UInt64,
        in pool: borrowing Pool,
        members: [Member],
        context: SelectionContext
    ) -> Int? {
        var best: (slot: Int, score: Double)?
        for slot in pool.slots.map(Int.init) where context.allows(slot, in: pool) {
            guard members[slot].calls < limit(of: slot, in: pool, members: members) else { continue }
            var mixed = SeededGenerator(seed: key ^ points.identity(of: slot))
            let score = -members[slot].weight / max(mixed.unit(), 0x1p-53).naturalLogarithm
            if score > best?.score ?? -1 { best = (slot, score) }
        }
        return best?.slot
    }
}

extension [UInt8] {
    /// The hash of the first bytes, cut at the end of a character.
    func hashOfPrefix(bytes limit: Int) -> UInt64 {
        var end = Swift.min(limit, count)
        while end > 0, end < count, self[end] & 0xC0 == 0x80 { end -= 1 }
        return withUnsafeBytes { StableHash.hash(UnsafeRawBufferPointer(rebasing: $0[..<end])) }
    }
}

extension PolicyKey {
    /// The keys of the policies that choose by a ``BoundedRing``.
    static func loadBound(_ factor: Path<Double>, _ allowance: Path<Int>) -> [PolicyKey] {
        [
            .number("load_factor", factor, in: 1...1000, "factor by which a deployment may exceed the mean load"),
            .integer(
                "balance_abs_threshold",
                allowance,
                in: 0...1_000_000,
                "calls by which a deployment may always exceed the mean load"
            ),
        ]
    }
}
