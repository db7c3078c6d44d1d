// How many threads a step computes with, from what else runs on the processors.

#if LlamaCpp

/// Gives way to other programs before they and this one stop each other.
///
/// The threads of a step wait for each other by spinning, hundreds of times in each step. If another program holds one of
/// their processors, all wait until the system lets it go: a step of 5 ms takes most of a second, and the waiting burns
/// what the other program could use. So a step takes no more threads than there are free processors, and one if there is
/// none: a single thread waits for nobody.
struct ThreadShare {
    /// What the processors did between two looks, in processors.
    struct Look {
        /// How many there are for this process.
        var processors: Double
        /// How many of them did the work of other programs.
        var foreign: Double
    }

    /// Half a processor of foreign work takes a thread away; it comes back when three quarters of one are free for it. The
    /// gap is wider than what the counters of the system are wrong by.
    private static let taken = 0.5
    private static let free = 0.25

    let most: Int
    private(set) var threads: Int

    init(most: Int) {
        self.most = max(1, most)
        threads = self.most
    }

    /// Takes note of what was seen.
    mutating func note(_ look: Look) {
        let free = look.processors - max(0, look.foreign)
        if free < Double(threads) - Self.taken {
            threads = max(1, Int(max(0, free) + Self.taken))
        } else if free >= Double(threads + 1) - Self.free {
            threads = min(most, Int(free + Self.free))
        }
    }
}

#endif
