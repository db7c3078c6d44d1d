// The policies `consistent_hashing` and `prefix_hash`: a key's place on a ring, with a bound on the load.

import GatewayWire

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Parameters of ``RoutingPolicyKind/consistentHashing(_:)``.
public struct ConsistentHashingOptions: Sendable, Hashable {
    /// How far above its share of the mean load a deployment may go before the next one takes over. Default 1.25.
    public var loadFactor: Double
    /// Calls above the share that are always allowed. Default 10.
    public var balanceAbsoluteThreshold: Int

    /// Creates a set of parameters.
    public init(loadFactor: Double = 1.25, balanceAbsoluteThreshold: Int = 10) {
        self.loadFactor = loadFactor
        self.balanceAbsoluteThreshold = balanceAbsoluteThreshold
    }
}

/// Parameters of ``RoutingPolicyKind/prefixHash(_:)``.
public struct PrefixHashOptions: Sendable, Hashable {
    /// Tokens at the beginning of the prompt that make the key, at four bytes each. Default 256.
    public var prefixTokenCount: Int
    /// How far above its share of the mean load a deployment may go before the next one takes over. Default 1.25.
    public var loadFactor: Double
    /// Calls above the share that are always allowed. Default 10.
    public var balanceAbsoluteThreshold: Int
    /// Other lengths in tokens to make keys of; the longest that the prompt reaches is tried first. Default none.
    public var cacheBoundaries: [Int]

    /// Creates a set of parameters.
    public init(
        prefixTokenCount: Int = 256,
        loadFactor: Double = 1.25,
        balanceAbsoluteThreshold: Int = 10,
        cacheBoundaries: [Int] = []
    ) {
        self.prefixTokenCount = prefixTokenCount
        self.loadFactor = loadFactor
        self.balanceAbsoluteThreshold = balanceAbsoluteThreshold
        self.cacheBoundaries = cacheBoundaries
    }
}

/// Calls of one session on one deployment: the key is the session's, else the beginning of the prompt.
struct ConsistentHashingPolicy: SelectionPolicy {
    private static let textBytes = 1024
    private var ring: BoundedRing

    init(_ options: ConsistentHashingOptions) {
        ring = BoundedRing(loadFactor: options.loadFactor, allowance: options.balanceAbsoluteThreshold)
    }

    var readsText: Bool { true }
    // For calls without a key.
    var index: PoolIndex { .weights }

    mutating func select(
        from pool: inout Pool,
        members: [Member],
        input: RoutingInput,
        context: SelectionContext,
        random: inout SeededGenerator
    ) -> Int? {
        let key: UInt64
        if let session = input.sessionKey, !session.isEmpty {
            key = StableHash.hash(session)
        } else if !input.text.isEmpty {
            key = input.text.hashOfPrefix(bytes: Self.textBytes)
        } else {
            return pool.lesserOfTwo(members: members, excluding: context.excluded, random: &random)
        }
        ring.points.settle()
        return ring.owner(of: key, in: pool, members: members, context: context)
    }

    func score(of slot: Int, members: [Member], context: SelectionContext) -> PolicyScore {
        BoundedRing.score(of: slot, members: members)
    }

    mutating func join(_ slot: Int, members: [Member]) { ring.join(slot, members: members) }
    mutating func leave(_ slot: Int) { ring.points.remove(slot) }
}

/// Prompts with the same beginning on one deployment.
struct PrefixHashPolicy: SelectionPolicy {
    private static let bytesPerToken = 4
    private let prefixBytes: Int
    private let boundaries: [Int]
    private var ring: BoundedRing

    init(_ options: PrefixHashOptions) {
        prefixBytes = options.prefixTokenCount * Self.bytesPerToken
        boundaries = Set(options.cacheBoundaries).sorted(by: >).map { $0 * Self.bytesPerToken }
        ring = BoundedRing(loadFactor: options.loadFactor, allowance: options.balanceAbsoluteThreshold)
    }

    var readsText: Bool { true }
    // For calls without a key.
    var index: PoolIndex { .weights }

    mutating func select(
        from pool: inout Pool,
        members: [Member],
        input: RoutingInput,
        context: SelectionContext,
        random: inout SeededGenerator
    ) -> Int? {
        guard !input.text.isEmpty else {
            return pool.lesserOfTwo(members: members, excluding: context.excluded, random: &random)
        }
        ring.points.settle()
        for boundary in boundaries where boundary <= input.text.count {
            let key = input.text.hashOfPrefix(bytes: boundary)
            if let slot = ring.home(of: key, in: pool, members: members, context: context) { return slot }
        }
        let deepest = boundaries.first { $0 <= input.text.count } ?? prefixBytes
        let key = input.text.hashOfPrefix(bytes: deepest)
        return ring.owner(of: key, in: pool, members: members, context: context)
    }

    func score(of slot: Int, members: [Member], context: SelectionContext) -> PolicyScore {
        BoundedRing.score(of: slot, members: members)
    }

    mutating func join(_ slot: Int, members: [Member]) { ring.join(slot, members: members) }
    mutating func leave(_ slot: Int) { ring.points.remove(slot) }
}

/// Consistent hashing with bounded loads (Mirrokni, Thorup, Zadimoghaddam 2016), the bound in proportion to weights.
struct BoundedRing: Sendable {
    // With fewer eligible members than one in a hundred, walking the ring would take too long.
    private static let walkLimit = 512

    var points = HashRing()
    let loadFactor: Double
    let allowance: Int

    init(loadFactor: Double, allowance: Int) {
        self.loadFactor = loadFactor
        self.allowance = allowance
    }

    /// The order is that of the ring; the load only says whom a key passes by.
    static func score(of slot: Int, members: [Member]) -> PolicyScore {
        PolicyScore(value: Double(members[slot].calls), meaning: "calls in flight; in the order of the ring")
    }

    mutating func join(_ slot: Int, members: [Member]) {
        points.insert(slot, id: members[slot].record.deployment.id, weight: members[slot].weight)
    }

    /// The most calls that a slot may have, the new one included.
    func limit(of slot: Int, in pool: borrowing Pool, members: [Member]) -> Int {
        let share = Double(pool.calls + 1) * members[slot].weight / max(pool.weight, members[slot].weight)
        // A product that should be whole may come out a little above: that must not allow one call more.
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

    /// The first allowed member clockwise from a key whose load is within the bound; if there is none, the first.
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
            let score = -members[slot].weight / log(max(mixed.unit(), 0x1p-53))
            if score > best?.score ?? -1 { best = (slot, score) }
        }
        return best?.slot
    }
}

extension [UInt8] {
    /// The hash of the first bytes, cut where a character ends.
    func hashOfPrefix(bytes limit: Int) -> UInt64 {
        var end = Swift.min(limit, count)
        while end > 0, end < count, self[end] & 0xC0 == 0x80 { end -= 1 }
        return withUnsafeBytes { StableHash.hash(UnsafeRawBufferPointer(rebasing: $0[..<end])) }
    }
}
