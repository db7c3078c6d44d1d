// The prefix cache of a mock engine: blocks of 16 tokens, each known by everything before it, the least recently used
// one dropped first, as in vLLM and SGLang.

/// A bounded set of prompt blocks. A token is four bytes of prompt.
package struct BlockCache {
    package static let tokenBytes = 4
    package static let blockTokens = 16
    private static let blockBytes = tokenBytes * blockTokens

    private struct Entry {
        var hash: UInt64
        var older: Int
        var newer: Int
    }

    private let capacity: Int
    private var places: [UInt64: Int] = [:]
    // Entry 0 joins the ends of the list: its newer one is the oldest, its older one the newest.
    private var entries = [Entry(hash: 0, older: 0, newer: 0)]

    /// - Parameter capacity: Blocks that fit, at least one.
    package init(capacity: Int) {
        self.capacity = max(1, capacity)
    }

    /// Blocks that are there.
    package var count: Int { places.count }

    /// Reads a prompt: finds its longest cached beginning, and keeps all its whole blocks.
    /// - Returns: The tokens of the prompt, and how many of them were cached.
    package mutating func read(_ prompt: UnsafeRawBufferPointer) -> (tokens: Int, cached: Int) {
        let hashes = Self.hashes(of: prompt)
        let cached = hashes.firstIndex { places[$0] == nil } ?? hashes.count
        // The last block first, so that the beginning, which most prompts share, is dropped last.
        for hash in hashes.reversed() { keep(hash) }
        return (prompt.count / Self.tokenBytes, cached * Self.blockTokens)
    }

    private mutating func keep(_ hash: UInt64) {
        let place: Int
        if let known = places[hash] {
            place = known
            unlink(place)
        } else if places.count < capacity {
            place = entries.count
            entries.append(Entry(hash: hash, older: 0, newer: 0))
        } else {
            place = entries[0].newer
            unlink(place)
            places[entries[place].hash] = nil
            entries[place].hash = hash
        }
        places[hash] = place
        let newest = entries[0].older
        entries[place].older = newest
        entries[place].newer = 0
        entries[newest].newer = place
        entries[0].older = place
    }

    private mutating func unlink(_ place: Int) {
        let (older, newer) = (entries[place].older, entries[place].newer)
        entries[older].newer = newer
        entries[newer].older = older
    }

    /// A hash for each whole block, of the block and of everything before it.
    private static func hashes(of prompt: UnsafeRawBufferPointer) -> [UInt64] {
        var hash: UInt64 = 0x9E37_79B9_7F4A_7C15
        return stride(from: 0, to: prompt.count - prompt.count % blockBytes, by: blockBytes).map { start in
            for offset in stride(from: start, to: start + blockBytes, by: 8) {
                hash = (hash ^ prompt.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) &* 0xD6E8_FEB8_6659_FD93
                hash ^= hash >> 32
            }
            return hash
        }
    }
}
