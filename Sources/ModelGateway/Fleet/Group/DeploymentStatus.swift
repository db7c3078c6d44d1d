// What a running deployment looks like from outside.

/// The state of a deployment at one moment.
public struct DeploymentStatus: Sendable {
    /// The deployment, with the changes made while running.
    public var deployment: Deployment
    /// Whether it may take calls of at least one mode.
    public var isEligible: Bool
    /// Why it may not take calls of any mode; empty if it may take some.
    public var reasons: [IneligibilityReason]
    /// The time until it may take calls, if it only has to wait.
    public var timeUntilEligible: Duration?
    /// What differs between the modes that its group has served, in the order of their first calls.
    public var modes: [ModeStatus]
    /// The circuit breaker; the worst of several modes.
    public var breaker: BreakerState
    /// Calls in flight, counted until the last byte of their answers.
    public var callsInFlight: Int
    /// Estimated prompt tokens of calls that have not been answered yet.
    public var pendingTokens: Int
    /// Whether its probes succeed.
    public var isHealthy: Bool
    /// The smoothed time to the first token; nil before the first answer.
    public var timeToFirstToken: Duration?
    /// The engine's last report of its load, if it reports any.
    public var load: EngineLoad?
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
        let modes = modes.indices.map { modeStatus(of: slot, $0, now: now) }
        let isEligible = modes.isEmpty ? member.ineligibility.isEmpty : modes.contains(where: \.isEligible)
        let reasons = member.modeHealth.reduce(member.ineligibility) { $0.union($1.ineligibility) }
        let breakers: [BreakerState] = [.open, .halfOpen]
        return DeploymentStatus(
            deployment: member.record.deployment,
            isEligible: isEligible,
            reasons: isEligible ? [] : reasons.reasons,
            timeUntilEligible: modes.isEmpty
                ? timeUntilEligible(slot, nil, now: now) : modes.compactMap(\.timeUntilEligible).min(),
            modes: modes,
            breaker: breakers.first { state in member.modeHealth.contains { $0.breaker.state == state } } ?? .closed,
            callsInFlight: member.calls,
            pendingTokens: member.pendingTokens,
            isHealthy: member.health.isHealthy,
            timeToFirstToken: member.latency.map { .seconds($0) },
            load: member.report
        )
    }

    private func modeStatus(of slot: Int, _ modeIndex: Int, now: MonotonicInstant) -> ModeStatus {
        let reasons = reasons(slot, modeIndex)
        return ModeStatus(
            mode: modes[modeIndex],
            isEligible: reasons.isEmpty,
            reasons: reasons.reasons,
            timeUntilEligible: timeUntilEligible(slot, modeIndex, now: now),
            breaker: members[slot].modeHealth[modeIndex].breaker.state
        )
    }
}
