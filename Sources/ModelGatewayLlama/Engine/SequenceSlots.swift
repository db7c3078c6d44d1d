// The sequences of one context and what each has in the cache, so that prompts with a known beginning start late.

#if LlamaCpp

import CLlama

/// One of the context's sequences: the tokens that are computed, and the generation that continues them, if any.
struct SequenceSlot {
    let sequence: llama_seq_id
    /// The computed tokens, from position 0. They stay after a generation, for a later prompt that begins the same.
    var tokens: [Int32] = []
    var generation: Generation?
    /// The count of admissions when it was last taken.
    var lastTaken = 0
}

/// All sequences of a context. Used by the decode thread only.
///
/// They share one cache of cells, so a beginning that several sequences have in common is computed and kept once.
struct SequenceSlots {
    private(set) var slots: [SequenceSlot]
    private let memory: llama_memory_t
    private let keepsPrefixes: Bool
    private var admissions = 0

    init(count: Int, memory: llama_memory_t, keepsPrefixes: Bool) {
        slots = (0..<count).map { SequenceSlot(sequence: Int32($0)) }
        self.memory = memory
        self.keepsPrefixes = keepsPrefixes
    }

    var hasFree: Bool { slots.contains { $0.generation == nil } }
    var runningCount: Int { slots.count { $0.generation != nil } }
    var isIdle: Bool { !slots.contains { $0.generation != nil } }

    subscript(index: Int) -> SequenceSlot {
        _read { yield slots[index] }
        _modify { yield &slots[index] }
    }

    var indices: Range<Int> { slots.indices }

    /// Gives a generation the free slot that saves the most work.
    /// - Parameter reuse: Whether tokens computed for others may be used.
    mutating func admit(_ generation: Generation, reuse: Bool) {
        admissions += 1
        guard let free = leastRecentlyTaken else { return }
        var target = free
        // The last token is always computed anew: its output is what the answer starts from.
        let longest = generation.tokens.count - 1
        if reuse, keepsPrefixes, let best = bestPrefix(of: generation.tokens, limit: longest), best.count > 0 {
            let continues = best.count * 2 > slots[best.index].tokens.count || freeCount == 1
            if best.index == target || (slots[best.index].generation == nil && continues) {
                target = best.index
                truncate(target, to: best.count)
            } else {
                copyPrefix(from: best.index, to: target, count: best.count)
            }
        } else {
            truncate(target, to: 0)
        }
        // One that had to give way computes its own tokens again; those were not cached for it.
        if generation.generatedCount == 0 { generation.cachedTokens = slots[target].tokens.count }
        slots[target].generation = generation
        slots[target].lastTaken = admissions
        if reuse, keepsPrefixes { follow(target) }
    }

    /// Waits for a running prompt that shares more with this one than is computed yet, instead of computing it twice.
    private mutating func follow(_ index: Int) {
        guard let generation = slots[index].generation else { return }
        var best = slots[index].tokens.count + 31
        for other in slots.indices where other != index {
            guard let leader = slots[other].generation, leader.leader == nil else { continue }
            let shared = min(
                Self.sharedPrefix(leader.request.prompt, generation.tokens),
                generation.tokens.count - 1
            )
            if shared > best, slots[other].tokens.count < shared {
                best = shared
                generation.leader = (other, shared)
            }
        }
    }

    /// Whether a slot still waits for another one; takes over the shared beginning when it is there.
    mutating func isFollowing(_ index: Int) -> Bool {
        guard let generation = slots[index].generation, let leader = generation.leader else { return false }
        let computed = min(
            Self.sharedPrefix(slots[leader.slot].tokens, generation.tokens),
            generation.tokens.count - 1
        )
        let progresses = slots[leader.slot].generation != nil && computed == slots[leader.slot].tokens.count
        if computed < leader.count, progresses { return true }
        generation.leader = nil
        if computed > slots[index].tokens.count {
            copyPrefix(from: leader.slot, to: index, count: computed)
            if generation.generatedCount == 0 { generation.cachedTokens = computed }
        }
        return false
    }

    /// Ends the generation of a slot; its tokens stay cached.
    mutating func release(_ index: Int) {
        slots[index].generation = nil
        if !keepsPrefixes { truncate(index, to: 0) }
    }

    /// Makes room in the cache.
    /// - Returns: The generation that had to give way and must be admitted again, or nil if only idle tokens went.
    mutating func makeRoom() -> (madeRoom: Bool, preempted: Generation?) {
        let idle = slots.indices.filter { slots[$0].generation == nil && !slots[$0].tokens.isEmpty }
        if let oldest = idle.min(by: { slots[$0].lastTaken < slots[$1].lastTaken }) {
            truncate(oldest, to: 0)
            return (true, nil)
        }
        // The youngest gives way, so that the oldest is sure to finish.
        let running = slots.indices.filter { slots[$0].generation != nil }
        guard running.count > 1, let youngest = running.max(by: { slots[$0].lastTaken < slots[$1].lastTaken }) else {
            return (false, nil)
        }
        let generation = slots[youngest].generation
        generation?.leader = nil
        slots[youngest].generation = nil
        truncate(youngest, to: 0)
        return (true, generation)
    }

    /// Forgets everything that is computed.
    mutating func clear() {
        llama_memory_clear(memory, false)
        for index in slots.indices { slots[index].tokens = [] }
    }

    // MARK: Cache

    private var freeCount: Int { slots.count { $0.generation == nil } }

    private var leastRecentlyTaken: Int? {
        slots.indices.filter { slots[$0].generation == nil }.min { slots[$0].lastTaken < slots[$1].lastTaken }
    }

    private func bestPrefix(of tokens: [Int32], limit: Int) -> (index: Int, count: Int)? {
        slots.indices.map { ($0, min(limit, Self.sharedPrefix(slots[$0].tokens, tokens))) }
            .max { $0.1 < $1.1 }
            .map { (index: $0.0, count: $0.1) }
    }

    private mutating func truncate(_ index: Int, to count: Int) {
        let sequence = slots[index].sequence
        if count == 0 {
            llama_memory_seq_rm(memory, sequence, -1, -1)
            slots[index].tokens = []
        } else if slots[index].tokens.count > count {
            // Some kinds of memory cannot drop a part; then all is computed anew.
            if llama_memory_seq_rm(memory, sequence, Int32(count), -1) {
                slots[index].tokens.removeSubrange(count...)
            } else {
                truncate(index, to: 0)
            }
        }
    }

    private mutating func copyPrefix(from source: Int, to target: Int, count: Int) {
        truncate(target, to: 0)
        llama_memory_seq_cp(memory, slots[source].sequence, slots[target].sequence, 0, Int32(count))
        slots[target].tokens = Array(slots[source].tokens[..<count])
    }

    private static func sharedPrefix(_ first: [Int32], _ second: [Int32]) -> Int {
        let limit = min(first.count, second.count)
        var count = 0
        while count < limit, first[count] == second[count] { count += 1 }
        return count
    }
}

#endif
