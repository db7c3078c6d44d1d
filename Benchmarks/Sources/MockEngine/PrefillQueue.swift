// How a mock engine reads prompts: one after the other, at a rate, and only what its prefix cache does not have.

/// The settings of an engine whose prompts cost time.
package struct PrefillShape: Sendable {
    /// Tokens that the prefix cache holds.
    package var cacheTokens: Int
    /// Tokens that are read in a second.
    package var tokensPerSecond: Int

    package init(cacheTokens: Int, tokensPerSecond: Int) {
        self.cacheTokens = cacheTokens
        self.tokensPerSecond = tokensPerSecond
    }
}

/// What an engine has read.
struct PrefillStatistics {
    var prompts = 0
    var tokens = 0
    var cached = 0
}

/// The prompts that wait for one engine, in the order of their arrival.
struct PrefillQueue {
    /// A prompt, and where its answer goes.
    struct Job {
        var prompt: [UInt8]
        var connection: Int
        var stream: Int
    }

    private let shape: PrefillShape
    private var cache: BlockCache
    private var waiting: [Job] = []
    private var next = 0
    /// The prompt that is being read, and when that ends.
    private(set) var current: (job: Job, end: UInt64)?
    private(set) var statistics = PrefillStatistics()

    init(_ shape: PrefillShape) {
        self.shape = shape
        cache = BlockCache(capacity: shape.cacheTokens / BlockCache.blockTokens)
    }

    mutating func append(_ job: Job, now: UInt64) {
        waiting.append(job)
        if current == nil { begin(at: now) }
    }

    /// Ends the prompt whose time is over, and begins the next one at that very time: what the loop was late for does
    /// not make the engine slower.
    mutating func takeDone(now: UInt64) -> Job? {
        guard let current, current.end <= now else { return nil }
        self.current = nil
        begin(at: current.end)
        return current.job
    }

    private mutating func begin(at start: UInt64) {
        guard next < waiting.count else {
            waiting.removeAll(keepingCapacity: true)
            next = 0
            return
        }
        let job = waiting[next]
        waiting[next].prompt = []
        next += 1
        let (tokens, cached) = job.prompt.withUnsafeBytes { cache.read($0) }
        statistics.prompts += 1
        statistics.tokens += tokens
        statistics.cached += cached
        let nanoseconds = UInt64(tokens - cached) * 1_000_000_000 / UInt64(shape.tokensPerSecond)
        current = (job, start + nanoseconds)
    }
}
