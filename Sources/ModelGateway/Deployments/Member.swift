// What a group knows about one of its deployments while it runs.

/// A deployment and its number, which no other deployment of the process ever gets.
package final class DeploymentRecord: Sendable {
    package let deployment: Deployment
    package let number: UInt64
    let metrics: DeploymentMetrics
    /// The provider as one that passes bytes through, if it is: to ask its type for each call would cost a microsecond.
    let relaying: (any RelayingProvider)?

    init(_ deployment: Deployment, number: UInt64, metrics: DeploymentMetrics) {
        self.deployment = deployment
        relaying = deployment.provider as? any RelayingProvider
        self.number = number
        self.metrics = metrics
    }
}

/// The live state of one deployment. The fields that selections read come first. What they compute is inlined:
/// otherwise each look at a member of an array would copy the whole of it.
struct Member: Sendable {
    /// Attempts under way, up to the last byte of their answers.
    var calls = 0
    /// Estimated prompt tokens of the attempts that have not answered yet.
    var pendingTokens = 0
    var weight: Double
    /// The most attempts that may be under way.
    var limit: Int
    /// The reasons against calls of any mode.
    var ineligibility: Ineligibility = []
    /// When it is the slot's turn: breaks ties in favour of who waited longest for its weight. Each call moves it on by
    /// ``turnLength``, so that over time the turns follow the weights.
    var turn: UInt64 = 0
    var priority: Int
    var record: DeploymentRecord
    /// What calls have shown, for each mode of the group.
    var modeHealth: [ModeHealth]
    /// Prompt tokens sent since the last report and not answered yet.
    var dispatchedTokens = 0
    /// Counts reports: an attempt knows by it whether the report has seen it.
    var reports: UInt32 = 0
    var health = HealthState()
    /// The engine's last report, unless it is too old.
    var report: EngineLoad?
    var reportEnds = MonotonicInstant.never
    /// Seconds to the first token, smoothed; nil before the first answer.
    var latency: Double?
    /// Seconds to the first token for each token of the prompt, smoothed; nil before the first answer.
    var latencyPerToken: Double?
    /// Bytes of prompts that the engine is believed to have in its cache.
    var cachedBytes = 0
    /// The price of a million tokens, three of four of them in the prompt; infinite if unknown.
    var price: Double
    /// Tokens that the prefix cache holds, as the engine reports it.
    var reportedCacheTokens: Int?
    var drainEnds = MonotonicInstant.never

    init(_ record: DeploymentRecord, breaker: CircuitBreakerOptions, modes: Int = 0) {
        self.record = record
        modeHealth = Array(repeating: ModeHealth(breaker), count: modes)
        weight = max(0, record.deployment.weight)
        limit = record.deployment.maxConcurrentCalls ?? .max
        priority = record.deployment.priority
        price = record.deployment.blendedPrice
        if weight == 0 { ineligibility.insert(.standby) }
    }

    @inline(__always) var number: UInt64 { record.number }

    /// The load in calls: those under way, and one more forevery 1,024 tokens of prompts that wait to be read.
    @inline(__always) var load: Double { Double(calls) + Double(pendingTokens) / Double(EngineLoad.typicalTokens) }

    /// The load for the weight: twice the weight is meant for twice the load.
    @inline(__always) var loadPerWeight: Double { load / max(weight, Self.leastWeight) }

    /// How far a call moves the slot's turn: less for a greater weight.
    @inline(__always) var turnLength: UInt64 { UInt64(Double(1 << 20) / max(weight, Self.leastWeight)) }

    // Stands for a weight of zero, which is never chosen.
    private static let leastWeight = 1e-9

    /// Seconds until a new prompt would be begun: by the engine's own report, else by what was sent to it for its weight.
    @inline(__always) var expectedWait: Double {
        if let report { return report.expectedWait(dispatched: dispatchedTokens) }
        return loadPerWeight * Double(EngineLoad.typicalTokens) / EngineLoad.typicalThroughput
    }

    /// Takes a measured time to the first token into the smoothed ones.
    mutating func learn(timeToFirstToken: Double, promptTokens: Int) {
        let perToken = timeToFirstToken / Double(max(promptTokens, AnswerPace.shortestPrompt))
        latency = latency.map { $0 + Self.smoothing * (timeToFirstToken - $0) } ?? timeToFirstToken
        latencyPerToken = latencyPerToken.map { $0 + Self.smoothing * (perToken - $0) } ?? perToken
    }

    /// When time alone changes something next.
    var nextEvent: MonotonicInstant {
        var next = MonotonicInstant.never
        for modeHealth in modeHealth { next = min(next, modeHealth.nextEvent) }
        if report != nil { next = min(next, reportEnds) }
        if ineligibility.contains(.draining) { next = min(next, drainEnds) }
        return next
    }

    /// The weight of the newest value in a smoothed one.
    private static let smoothing = 0.2
}

extension Deployment {
    /// The price of a million tokens, three of four of them in the prompt; infinite if unknown.
    var blendedPrice: Double {
        guard inputPrice != nil || outputPrice != nil else { return .infinity }
        return (3 * (inputPrice ?? 0) + (outputPrice ?? 0)) / 4
    }
}
