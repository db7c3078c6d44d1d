// The hash index of `cache_aware`: which deployments have read the prompts that begin with a hashed prefix.

import GatewayWire

/// Up to three deployments for each prefix of a boundary's length, for a limited time. It needs nothing from other
/// replicas of the gateway, since each finds the same prefixes.
struct PrefixPlacements: Sendable {
    private static let holderLimit = 3
    // An entry, its key, its links, and its share of the dictionary, which is at most half empty.
    private static let entryBytes = 256

    private struct Holder: Sendable {
        var slot: Int
        var number: UInt64
        var lastUse: MonotonicInstant
    }

    private struct Entry: Sendable {
        var key: UInt64
        var holders: [Holder] = []
        var lastUse: MonotonicInstant
    }

    private var places: [UInt64: Int] = [:]
    private var entries: [Entry] = []
    private var free: [Int] = []
    private var recency = RecencyList()
    private var numbers: [UInt64] = []
    private let boundaries: [Int]
    private let lifetime: Duration
    private let budget: Int

    /// - Parameter boundaries: Lengths of prefixes in bytes.
    init(boundaries: [Int], lifetime: Duration, budget: Int) {
        self.boundaries = Set(boundaries).sorted(by: >)
        self.lifetime = lifetime
        self.budget = budget
    }

    /// The most bytes of memory in use.
    var bytes: Int { entries.count * Self.entryBytes }

    mutating func admit(_ slot: Int, number: UInt64) {
        if slot >= numbers.count { numbers += Array(repeating: 0, count: slot + 1 - numbers.count) }
        numbers[slot] = number
    }

    mutating func forget(_ slot: Int) {
        if slot < numbers.count { numbers[slot] = 0 }
    }

    /// Which deployments have read the beginning of a text, the longest boundary first.
    func match(_ text: [UInt8], now: MonotonicInstant) -> PrefixMatch {
        var match = PrefixMatch(length: text.count)
        for boundary in boundaries where boundary <= text.count {
            guard let place = places[key(text, boundary)] else { continue }
            for holder in entries[place].holders where isLive(holder, now: now) {
                guard !match.candidates.contains(where: { $0.slot == holder.slot }) else { continue }
                match.candidates.append(PrefixMatch.Candidate(slot: holder.slot, depth: boundary))
            }
        }
        return match
    }

    /// Notes at each boundary that a deployment is reading a text.
    /// - Returns: The longest boundary up to which it had already read the text.
    @discardableResult
    mutating func insert(_ text: [UInt8], slot: Int, number: UInt64, now: MonotonicInstant) -> Int {
        guard slot < numbers.count, numbers[slot] == number, number != 0 else { return 0 }
        expire(now: now)
        var known = 0
        for boundary in boundaries where boundary <= text.count {
            let place = place(of: key(text, boundary), now: now)
            if entries[place].holders.contains(where: { $0.slot == slot && isLive($0, now: now) }) {
                known = max(known, boundary)
            }
            note(Holder(slot: slot, number: number, lastUse: now), at: place)
        }
        return known
    }

    /// Undoes an insertion, because the deployment has not read the text after all.
    /// - Parameter known: What the insertion returned.
    mutating func retract(_ text: [UInt8], slot: Int, number: UInt64, known: Int) {
        for boundary in boundaries where boundary <= text.count && boundary > known {
            guard let place = places[key(text, boundary)] else { continue }
            entries[place].holders.removeAll { $0.slot == slot && $0.number == number }
        }
    }

    private mutating func note(_ holder: Holder, at place: Int) {
        entries[place].holders.removeAll { $0.slot == holder.slot || numbers[$0.slot] != $0.number }
        if entries[place].holders.count >= Self.holderLimit {
            let stalest = entries[place].holders.indices.min {
                entries[place].holders[$0].lastUse < entries[place].holders[$1].lastUse
            }
            if let stalest { entries[place].holders.remove(at: stalest) }
        }
        entries[place].holders.append(holder)
    }

    private mutating func place(of key: UInt64, now: MonotonicInstant) -> Int {
        if let place = places[key] {
            entries[place].lastUse = now
            recency.touch(place)
            return place
        }
        if free.isEmpty, bytes + Self.entryBytes > budget { removeOldest() }
        let entry = Entry(key: key, lastUse: now)
        let place = free.popLast() ?? entries.count
        if place == entries.count { entries.append(entry) } else { entries[place] = entry }
        places[key] = place
        recency.insert(place)
        return place
    }

    private mutating func expire(now: MonotonicInstant) {
        while let oldest = recency.oldest, now - entries[oldest].lastUse > lifetime { removeOldest() }
    }

    private mutating func removeOldest() {
        guard let oldest = recency.oldest else { return }
        recency.remove(oldest)
        places[entries[oldest].key] = nil
        entries[oldest].holders = []
        free.append(oldest)
    }

    private func isLive(_ holder: Holder, now: MonotonicInstant) -> Bool {
        numbers[holder.slot] == holder.number && now - holder.lastUse <= lifetime
    }

    private func key(_ text: [UInt8], _ boundary: Int) -> UInt64 {
        text.withUnsafeBytes {
            StableHash.hash(UnsafeRawBufferPointer(rebasing: $0[..<boundary]), seed: UInt64(boundary))
        }
    }
}
