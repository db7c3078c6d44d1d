// What a group knows about one of its deployments while it runs.

/// Why a deployment gets no calls at the moment.
package struct Ineligibility: OptionSet, Sendable, Hashable {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// The slot is empty.
    static let absent = Ineligibility(rawValue: 1 << 0)
    /// Its weight is zero.
    package static let standby = Ineligibility(rawValue: 1 << 1)
    /// Health probes failed.
    package static let unhealthy = Ineligibility(rawValue: 1 << 2)
    /// Its circuit breaker is open.
    package static let breakerOpen = Ineligibility(rawValue: 1 << 3)
    /// It answered 429 and rests.
    package static let coolingDown = Ineligibility(rawValue: 1 << 4)
    /// It rejected the gateway's credentials.
    package static let misconfigured = Ineligibility(rawValue: 1 << 5)
    /// It reports more load than the group allows.
    package static let overloaded = Ineligibility(rawValue: 1 << 6)
    /// It is about to be removed.
    package static let draining = Ineligibility(rawValue: 1 << 7)
    /// All its places are taken; one gets free when a call ends.
    package static let saturated = Ineligibility(rawValue: 1 << 8)

    /// The reasons as words, in a fixed order.
    package var names: [String] {
        let all: [(Ineligibility, String)] = [
            (.absent, "absent"), (.standby, "standby"), (.unhealthy, "unhealthy"), (.breakerOpen, "breaker_open"),
            (.coolingDown, "cooling_down"), (.misconfigured, "misconfigured"), (.overloaded, "overloaded"),
            (.draining, "draining"), (.saturated, "saturated"),
        ]
        return all.filter { contains($0.0) }.map(\.1)
    }
}

/// A deployment and its number, which no other deployment of the process ever gets.
package final class DeploymentRecord: Sendable {
    package let deployment: Deployment
    package let number: UInt64

    init(_ deployment: Deployment, number: UInt64) {
        self.deployment = deployment
        self.number = number
    }
}

/// The live state of one deployment. The fields that selections read come first.
struct Member: Sendable {
    /// Attempts under way, up to the last byte of their answers.
    var calls = 0
    /// Estimated prompt tokens of the attempts that have not answered yet.
    var pendingTokens = 0
    var weight: Double
    var ineligibility: Ineligibility = []
    /// When the slot was last taken, as a sequence number: breaks ties in favour of who waited longest.
    var turn: UInt64 = 0
    var priority: Int
    var record: DeploymentRecord
    var breaker: CircuitBreaker
    var cooldownEnds = MonotonicInstant.never
    var cooldowns = 0
    var health = HealthState()

    init(_ record: DeploymentRecord, breaker: CircuitBreakerOptions) {
        self.record = record
        self.breaker = CircuitBreaker(breaker)
        weight = max(0, record.deployment.weight)
        priority = record.deployment.priority
        if weight == 0 { ineligibility.insert(.standby) }
    }

    var number: UInt64 { record.number }
    var isEligible: Bool { ineligibility.isEmpty }

    /// Whether all places are taken.
    var isFull: Bool {
        if let limit = record.deployment.maximumConcurrentCalls, calls >= limit { return true }
        return breaker.state == .halfOpen && !breaker.admits
    }
}
