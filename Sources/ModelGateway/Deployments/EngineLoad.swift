// What an engine says about its own load, and how long a call would wait there.

/// A report of an engine's queue and memory.
public struct EngineLoad: Sendable, Hashable {
    /// Requests that wait for their turn in the engine.
    public var waitingRequests: Int
    /// Requests that the engine works on.
    public var runningRequests: Int
    /// Prompt tokens that wait to be read, if the engine says so; else 1,024 for each waiting request.
    public var waitingTokens: Int?
    /// The used share of the KV cache, 0 to 1.
    public var cacheUsage: Double
    /// Tokens per second that the engine works through, if it says so; else 2,000.
    public var throughput: Double?
    /// Tokens that the engine's prefix cache holds, if it says so.
    public var cacheTokens: Int?

    /// Creates a report.
    package init(
        waitingRequests: Int = 0,
        runningRequests: Int = 0,
        waitingTokens: Int? = nil,
        cacheUsage: Double = 0,
        throughput: Double? = nil,
        cacheTokens: Int? = nil
    ) {
        self.waitingRequests = waitingRequests
        self.runningRequests = runningRequests
        self.waitingTokens = waitingTokens
        self.cacheUsage = cacheUsage
        self.throughput = throughput
        self.cacheTokens = cacheTokens
    }

    /// Tokens that stand for a request of unknown length.
    static let typicalTokens = 1024
    /// Tokens per second of an engine that does not say.
    static let typicalThroughput = 2000.0

    /// Seconds until the engine would begin with a new prompt.
    /// - Parameter dispatched: Prompt tokens sent to it since the report and not answered yet.
    func expectedWait(dispatched: Int) -> Double {
        let queued = waitingTokens ?? waitingRequests * Self.typicalTokens
        let rate = throughput.map { $0 > 0 ? $0 : Self.typicalThroughput } ?? Self.typicalThroughput
        let usage = cacheUsage > 0 ? min(cacheUsage, 0.999) : 0
        return Double(queued + dispatched) / rate + 0.15 * usage / (1 - usage)
    }
}
