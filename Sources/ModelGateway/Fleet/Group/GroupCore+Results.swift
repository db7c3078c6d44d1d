// The part of a group that learns: from the results of attempts, from probes, from reports, and as time passes.

import GatewayWire

/// Something that happened in a group, for metrics and logs.
enum FleetEvent: Sendable {
    case breaker(DeploymentRecord, to: BreakerState)
    case health(DeploymentRecord, isHealthy: Bool)
    /// The deployment went out because its credentials were rejected, or came back.
    case credentials(DeploymentRecord, Mode, areAccepted: Bool)
    /// The deployment answered that it lacks the model.
    case modelMissing(DeploymentRecord)
    /// Calls have cast doubt on the deployment's credentials, which a probe can clear.
    case credentialsDoubted(DeploymentRecord)
    /// The deployment is new, or the way it is probed has changed.
    case probesChanged(DeploymentRecord)
    /// The deployment receives no new calls and will be removed when those in flight have ended.
    case draining(DeploymentRecord, calls: Int)
    /// The deployment was returned to service.
    case returned(DeploymentRecord)
    /// The deployment is gone; calls in flight continue without being counted.
    case left(DeploymentRecord, GroupCore.Departure, calls: Int)
}

extension GroupCore {
    /// Notes that an attempt ended.
    mutating func end(
        _ lease: AttemptLease,
        wasAnswered: Bool,
        outcome: AttemptOutcome,
        measure: AttemptMeasure,
        now: MonotonicInstant
    ) {
        let (slot, modeIndex, epoch) = (lease.placement.slot, lease.placement.modeIndex, lease.placement.epoch)
        learn(slot, measure, estimatedTokens: lease.input.estimatedTokens, wasAnswered: wasAnswered)
        if !wasAnswered { settleTokens(lease.placement) }
        calls -= 1
        load(slot, calls: -1, tokens: wasAnswered ? 0 : -lease.placement.tokens)
        let before = members[slot].modeHealth[modeIndex].breaker.state
        if lease.placement.isTrial { members[slot].modeHealth[modeIndex].credentials.endTrial() }
        switch outcome {
        case .success:
            succeed(slot, modeIndex, epoch: epoch, now: now)
            noteAcceptance(slot, modeIndex, isTrial: lease.placement.isTrial)
        case .failure:
            fail(slot, modeIndex, epoch: epoch, now: now)
        case .rateLimited(let retryAfter):
            members[slot].modeHealth[modeIndex].breaker.endWithoutVerdict(epoch: epoch)
            coolDown(slot, modeIndex, for: retryAfter, now: now)
        case .misconfigured:
            members[slot].modeHealth[modeIndex].breaker.endWithoutVerdict(epoch: epoch)
            noteRejection(slot, modeIndex, isTrial: lease.placement.isTrial, now: now)
        case .modelMissing:
            members[slot].modeHealth[modeIndex].breaker.endWithoutVerdict(epoch: epoch)
            members[slot].modeHealth[modeIndex].isModelMissing = true
            restUnlessLast(slot, modeIndex, for: nil, from: Self.firstRestWithoutModel, now: now)
            events.append(.modelMissing(members[slot].record))
        case .outOfQuota(let retryAfter):
            members[slot].modeHealth[modeIndex].breaker.endWithoutVerdict(epoch: epoch)
            restUnlessLast(slot, modeIndex, for: retryAfter, from: Self.firstRestWithoutQuota, now: now)
        case .cancelled:
            members[slot].modeHealth[modeIndex].breaker.endWithoutVerdict(epoch: epoch)
        }
        noteBreaker(slot, modeIndex, before: before)
        noteSaturation(slot, modeIndex)
        if members[slot].ineligibility.contains(.draining), members[slot].calls == 0 { remove(slot, .drained) }
        probeEarlyIfNothingIsLeft(modeIndex)
    }

    /// Records how fast an attempt was. For a streamed answer, the first token has been recorded already.
    private mutating func learn(_ slot: Int, _ measure: AttemptMeasure, estimatedTokens: Int, wasAnswered: Bool) {
        let promptTokens = measure.promptTokens ?? estimatedTokens
        let completionTokens = measure.completionTokens ?? 0
        let first = measure.timeToFirstToken?.inSeconds
        let total = measure.total?.inSeconds
        if let first, let total {
            pace.learn(first: first, total: total, promptTokens: promptTokens, completionTokens: completionTokens)
        }
        guard !wasAnswered else { return }
        let whole = total.map {
            pace.timeToFirstToken(total: $0, promptTokens: promptTokens, completionTokens: completionTokens)
        }
        if let time = first ?? whole { members[slot].learn(timeToFirstToken: time, promptTokens: promptTokens) }
    }

    /// Notes that the first byte of an answer arrived.
    mutating func answer(_ lease: AttemptLease, now: MonotonicInstant) {
        let slot = lease.placement.slot
        settleTokens(lease.placement)
        members[slot].learn(
            timeToFirstToken: (now - lease.started).inSeconds,
            promptTokens: lease.input.estimatedTokens
        )
        load(slot, calls: 0, tokens: -lease.placement.tokens)
    }

    /// Notes that prompt tokens are no longer waiting; if the engine has reported since, its report includes them.
    private mutating func settleTokens(_ placement: Placement) {
        guard members[placement.slot].reports == placement.report else { return }
        members[placement.slot].dispatchedTokens -= placement.tokens
    }

    /// Whether the deployment that was chosen is still a member.
    func isPresent(_ placement: Placement) -> Bool {
        members[placement.slot].number == placement.record.number
            && !members[placement.slot].ineligibility.contains(.absent)
    }

    private mutating func succeed(_ slot: Int, _ modeIndex: Int, epoch: UInt32, now: MonotonicInstant) {
        members[slot].modeHealth[modeIndex].cooldowns = 0
        members[slot].modeHealth[modeIndex].isModelMissing = false
        if members[slot].modeHealth[modeIndex].breaker.succeed(epoch: epoch, now: now) {
            change(slot, modeIndex, removing: .breakerOpen)
        }
        // Only recovery depends on the options, and nearly every deployment is up, so looking them up is not worth it.
        let options = members[slot].health.isHealthy ? HealthOptions() : probes(of: slot) ?? HealthOptions()
        if members[slot].health.succeed(options) {
            change(slot, removing: .unhealthy)
            events.append(.health(members[slot].record, isHealthy: true))
        }
    }

    private mutating func fail(_ slot: Int, _ modeIndex: Int, epoch: UInt32, now: MonotonicInstant) {
        let others = hasOthers(slot, modeIndex)
        let variation = random.variation()
        guard
            members[slot].modeHealth[modeIndex].breaker.fail(
                epoch: epoch,
                now: now,
                isLast: !others,
                variation: variation
            ),
            members[slot].modeHealth[modeIndex].breaker.state == .open
        else { return }
        change(slot, modeIndex, adding: .breakerOpen)
        nextEvent = min(nextEvent, members[slot].modeHealth[modeIndex].breaker.reopening)
    }

    /// Whether another deployment may take calls of a mode.
    func hasOthers(_ slot: Int, _ modeIndex: Int) -> Bool {
        tiers.contains { $0.pools[modeIndex].count(excluding: [slot]) > 0 }
    }

    private mutating func noteBreaker(_ slot: Int, _ modeIndex: Int, before: BreakerState) {
        let after = members[slot].modeHealth[modeIndex].breaker.state
        if after != before { events.append(.breaker(members[slot].record, to: after)) }
    }

    private mutating func coolDown(_ slot: Int, _ modeIndex: Int, for wanted: Duration?, now: MonotonicInstant) {
        let modeHealth = members[slot].modeHealth[modeIndex]
        let backoff = min(60, Double(1 << min(modeHealth.cooldowns, 10))) * (1 + 0.2 * random.variation())
        let wait = wanted.map { min(max($0, .zero), .seconds(3600)) } ?? .seconds(backoff)
        members[slot].modeHealth[modeIndex].cooldowns += 1
        rest(slot, modeIndex, until: now + wait)
    }

    // Seconds that a deployment rests the first time; it doubles each further time, up to the longest rest.
    private static let firstRestWithoutModel = 5.0
    private static let firstRestWithoutQuota = 30.0
    private static let longestRest = 600.0

    /// Keeps calls of a mode away from a deployment that cannot serve them, if another one can: the last one keeps
    /// saying so to the callers, and is back with its first success.
    private mutating func restUnlessLast(
        _ slot: Int,
        _ modeIndex: Int,
        for wanted: Duration?,
        from first: Double,
        now: MonotonicInstant
    ) {
        let doublings = min(members[slot].modeHealth[modeIndex].cooldowns, 10)
        let seconds = min(Self.longestRest, first * Double(1 << doublings)) * (1 + 0.2 * random.variation())
        guard hasOthers(slot, modeIndex) else { return }
        members[slot].modeHealth[modeIndex].cooldowns += 1
        rest(slot, modeIndex, until: now + (wanted.map { min(max($0, .zero), .seconds(3600)) } ?? .seconds(seconds)))
    }

    /// Keeps calls of a mode away until an instant, or longer if that has been decided before.
    mutating func rest(_ slot: Int, _ modeIndex: Int, until end: MonotonicInstant) {
        let isResting = members[slot].modeHealth[modeIndex].ineligibility.contains(.coolingDown)
        let end = isResting ? max(end, members[slot].modeHealth[modeIndex].cooldownEnds) : end
        members[slot].modeHealth[modeIndex].cooldownEnds = end
        change(slot, modeIndex, adding: .coolingDown)
        nextEvent = min(nextEvent, end)
    }

    /// If only breakers keep all deployments out of a mode, the one that would come back first is tried now.
    private mutating func probeEarlyIfNothingIsLeft(_ modeIndex: Int) {
        guard tiers.allSatisfy({ $0.pools[modeIndex].isEmpty }),
            !present.contains(where: { reasons($0, modeIndex) == .saturated })
        else { return }
        let soonest = present.filter { reasons($0, modeIndex) == .breakerOpen }
            .min {
                members[$0].modeHealth[modeIndex].breaker.reopening
                    < members[$1].modeHealth[modeIndex].breaker.reopening
            }
        guard let slot = soonest, members[slot].modeHealth[modeIndex].breaker.probeEarly() else { return }
        noteBreaker(slot, modeIndex, before: .open)
        change(slot, modeIndex, removing: .breakerOpen)
    }
}

// MARK: - Probes and reports

extension GroupCore {
    /// Notes the result of a health probe.
    mutating func probed(_ slot: Int, succeeded: Bool) {
        let options = probes(of: slot) ?? HealthOptions()
        if succeeded {
            guard members[slot].health.succeed(options) else { return }
            change(slot, removing: .unhealthy)
        } else {
            guard members[slot].health.fail(options) else { return }
            change(slot, adding: .unhealthy)
            for modeIndex in modes.indices { probeEarlyIfNothingIsLeft(modeIndex) }
        }
        events.append(.health(members[slot].record, isHealthy: succeeded))
    }

    /// Notes what an engine reports about its load, which is trusted for a while; nil if it could not be asked.
    mutating func reported(_ slot: Int, _ report: EngineLoad?, until ends: MonotonicInstant) {
        members[slot].report = report
        members[slot].reportEnds = ends
        members[slot].reports &+= 1
        members[slot].dispatchedTokens = 0
        if let tokens = report?.cacheTokens, members[slot].reportedCacheTokens != tokens {
            members[slot].reportedCacheTokens = tokens
            policy.prefixCache?.admit(
                slot,
                number: members[slot].number,
                capacity: members[slot].cacheCapacity
            )
        }
        if report.map({ configuration.overload.isExceeded(by: $0) }) ?? false {
            change(slot, adding: .overloaded)
        } else {
            change(slot, removing: .overloaded)
        }
        if report != nil { nextEvent = min(nextEvent, ends) }
        load(slot, calls: 0, tokens: 0)
    }

    /// Lets a deployment finish what it has begun, and removes it when it has finished, or at a deadline.
    mutating func drain(_ slot: Int, until deadline: MonotonicInstant) {
        members[slot].drainEnds = deadline
        if !members[slot].ineligibility.contains(.draining) {
            events.append(.draining(members[slot].record, calls: members[slot].calls))
        }
        change(slot, adding: .draining)
        nextEvent = min(nextEvent, deadline)
        if members[slot].calls == 0 { remove(slot, .drained) }
    }

    /// Returns a draining deployment to service.
    mutating func stopDraining(_ slot: Int) {
        guard members[slot].ineligibility.contains(.draining) else { return }
        members[slot].drainEnds = .never
        change(slot, removing: .draining)
        events.append(.returned(members[slot].record))
    }
}

// MARK: - Time

extension GroupCore {
    /// Does whatever is due by now: ends open times, cooldowns, the validity of reports, and drains.
    mutating func advance(to now: MonotonicInstant) {
        guard now >= nextEvent else { return }
        nextEvent = .never
        for slot in Array(present) {
            for modeIndex in modes.indices { advance(slot, modeIndex, to: now) }
            if members[slot].report != nil, now >= members[slot].reportEnds {
                reported(slot, nil, until: .never)
            }
            if members[slot].ineligibility.contains(.draining), now >= members[slot].drainEnds {
                remove(slot, .atDeadline)
                continue
            }
            nextEvent = min(nextEvent, members[slot].nextEvent)
        }
    }

    private mutating func advance(_ slot: Int, _ modeIndex: Int, to now: MonotonicInstant) {
        if members[slot].modeHealth[modeIndex].breaker.advance(to: now) {
            noteBreaker(slot, modeIndex, before: .open)
            change(slot, modeIndex, removing: .breakerOpen)
        }
        if members[slot].modeHealth[modeIndex].credentials.advance(to: now) {
            change(slot, modeIndex, removing: .misconfigured)
        }
        if members[slot].modeHealth[modeIndex].ineligibility.contains(.coolingDown),
            now >= members[slot].modeHealth[modeIndex].cooldownEnds
        {
            change(slot, modeIndex, removing: .coolingDown)
        }
    }
}

extension OverloadOptions {
    func isExceeded(by report: EngineLoad) -> Bool {
        if let limit = waitingRequests, report.waitingRequests >= limit { return true }
        if let limit = cacheUsage, report.cacheUsage >= limit { return true }
        return false
    }
}
