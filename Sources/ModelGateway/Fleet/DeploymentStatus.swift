// What can be seen of a running deployment and group.

/// The state of a deployment at one moment.
public struct DeploymentStatus: Sendable {
    /// The deployment, with the changes made while running.
    public var deployment: Deployment
    /// Whether it may take calls.
    public var isEligible: Bool
    /// Why it may not: `standby`, `unhealthy`, `breaker_open`, `cooling_down`, `misconfigured`, `overloaded`,
    /// `draining`, `saturated`.
    public var reasons: [String]
    /// The time until it may take calls, if time alone will bring it back.
    public var timeUntilEligible: Duration?
    /// Calls under way, up to the last byte of their answers.
    public var callsInFlight: Int
    /// Estimated prompt tokens of calls that have not been answered yet.
    public var pendingTokens: Int
    /// `closed`, `open` or `half_open`.
    public var breaker: String
    /// Whether its probes succeed.
    public var isHealthy: Bool
    /// Smoothed seconds to the first token; nil before the first answer.
    public var timeToFirstToken: Double?
    /// The engine's last report of its load, if it reports.
    public var load: EngineLoad?
}

/// The state of a group at one moment.
public struct GroupStatus: Sendable {
    /// The public name of the model.
    public var model: String
    /// The name of the policy.
    public var policy: String
    /// Calls under way.
    public var callsInFlight: Int
    /// Calls that wait for a place.
    public var callsWaiting: Int
    /// Bytes of memory that the policy's book of prompts uses.
    public var prefixCacheBytes: Int
    /// The deployments, by their ids.
    public var deployments: [DeploymentStatus]
}

extension GroupCore {
    /// The state of the group now.
    func status(now: MonotonicInstant) -> GroupStatus {
        GroupStatus(
            model: configuration.model,
            policy: configuration.policy.name,
            callsInFlight: calls,
            callsWaiting: queue.count,
            prefixCacheBytes: policy.prefixCache?.bytes ?? 0,
            deployments: present.map { status(of: $0, now: now) }.sorted { $0.deployment.id < $1.deployment.id }
        )
    }

    func status(of slot: Int, now: MonotonicInstant) -> DeploymentStatus {
        let member = members[slot]
        return DeploymentStatus(
            deployment: member.record.deployment,
            isEligible: member.isEligible,
            reasons: member.ineligibility.names,
            timeUntilEligible: timeUntilEligible(slot, now: now),
            callsInFlight: member.calls,
            pendingTokens: member.pendingTokens,
            breaker: member.breaker.state.rawValue,
            isHealthy: member.health.isHealthy,
            timeToFirstToken: member.latency,
            load: member.report
        )
    }
}
