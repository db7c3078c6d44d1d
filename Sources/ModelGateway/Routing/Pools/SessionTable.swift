// Which deployments a session has used, in a table of bounded size that forgets the session unused longest.

/// One deployment that a session has used. The number distinguishes it from a later deployment in the same slot.
struct SessionPin: Sendable, Hashable {
    var slot: Int
    var number: UInt64
}

/// Sessions with at most two pins each, in order of preference.
struct SessionTable: Sendable {
    private struct Entry: Sendable {
        var key: String
        var first: SessionPin
        var second: SessionPin?
        var lastUse: MonotonicInstant
    }

    private var places: [String: Int] = [:]
    private var entries: [Entry] = []
    private var free: [Int] = []
    private var recency = RecencyList()
    private let capacity: Int
    private let maxIdle: Duration
    private let tracksChanges: Bool

    // Sessions by the slot of their first pin, and the slots whose number has changed since the last look.
    private var sessions: [Int] = []
    private var changed: [Int] = []

    /// - Parameter tracksChanges: Whether ``takeChanged()`` will be called.
    init(capacity: Int, maxIdle: Duration, tracksChanges: Bool) {
        self.tracksChanges = tracksChanges
        self.capacity = max(1, capacity)
        self.maxIdle = maxIdle
    }

    /// A table with other limits that has the sessions of this one.
    func resized(capacity: Int, maxIdle: Duration, tracksChanges: Bool) -> SessionTable {
        var table = SessionTable(capacity: capacity, maxIdle: maxIdle, tracksChanges: tracksChanges)
        var place = recency.oldest
        while let index = place {
            let entry = entries[index]
            table.insert(entry.key, entry.first, second: entry.second, now: entry.lastUse)
            place = recency.newer(than: index)
        }
        return table
    }

    /// The number of sessions.
    var count: Int { places.count }

    /// How many sessions prefer a slot.
    func sessions(on slot: Int) -> Int { slot < sessions.count ? sessions[slot] : 0 }

    /// The pins of a session, which now counts as used. Sessions that have been idle for too long are gone.
    mutating func pins(of key: String, now: MonotonicInstant) -> (SessionPin, SessionPin?)? {
        expire(now: now)
        guard let place = places[key] else { return nil }
        touch(place, now: now)
        return (entries[place].first, entries[place].second)
    }

    /// Appends a pin to a session; the older of two makes room for a third.
    mutating func pin(_ key: String, to pin: SessionPin, now: MonotonicInstant) {
        guard let place = places[key] else { return insert(key, pin, second: nil, now: now) }
        touch(place, now: now)
        if let second = entries[place].second {
            count(entries[place].first.slot, by: -1)
            entries[place].first = second
            count(second.slot, by: 1)
        }
        entries[place].second = pin
    }

    /// Replaces all pins of a session with one.
    mutating func replace(_ key: String, by pin: SessionPin, now: MonotonicInstant) {
        guard let place = places[key] else { return insert(key, pin, second: nil, now: now) }
        touch(place, now: now)
        count(entries[place].first.slot, by: -1)
        entries[place].first = pin
        entries[place].second = nil
        count(pin.slot, by: 1)
    }

    private mutating func insert(_ key: String, _ first: SessionPin, second: SessionPin?, now: MonotonicInstant) {
        if places.count >= capacity { removeOldest() }
        let entry = Entry(key: key, first: first, second: second, lastUse: now)
        let place: Int
        if let reused = free.popLast() {
            place = reused
            entries[place] = entry
        } else {
            place = entries.count
            entries.append(entry)
        }
        places[key] = place
        count(first.slot, by: 1)
        recency.insert(place)
    }

    private mutating func expire(now: MonotonicInstant) {
        guard maxIdle > .zero else { return }
        while let oldest = recency.oldest, now - entries[oldest].lastUse >= maxIdle { removeOldest() }
    }

    private mutating func removeOldest() {
        guard let place = recency.oldest else { return }
        recency.remove(place)
        places[entries[place].key] = nil
        count(entries[place].first.slot, by: -1)
        entries[place].key = ""
        free.append(place)
    }

    private mutating func touch(_ place: Int, now: MonotonicInstant) {
        entries[place].lastUse = now
        recency.touch(place)
    }

    /// The slots whose number of sessions has changed since the last call.
    mutating func takeChanged() -> [Int] {
        defer { changed.removeAll(keepingCapacity: true) }
        return changed
    }

    private mutating func count(_ slot: Int, by difference: Int) {
        if slot >= sessions.count { sessions += Array(repeating: 0, count: slot + 1 - sessions.count) }
        sessions[slot] += difference
        if tracksChanges { changed.append(slot) }
    }
}
