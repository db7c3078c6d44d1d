// The part of a group that decides what follows a failed attempt, and which error a call ends with.

extension GroupCore {
    /// What to do after a failed attempt, whose lease has ended and whose deployment is the last of the tried ones.
    mutating func retryDecision(
        after error: GatewayError,
        _ attempt: FailedAttempt,
        mode: Mode,
        tried: inout TriedDeployments,
        now: MonotonicInstant
    ) -> RetryDecision {
        guard !attempt.isCommitted else { return .stop }
        switch RetryOptions.kind(of: error) {
        case .never: return .stop
        case .contextFallback: return fallback(to: configuration.contextWindowFallbacks)
        case .contentFallback: return fallback(to: configuration.contentPolicyFallbacks)
        case .anywhere: tried.allowReturn(at: now)
        case .elsewhere:
            // A deployment that refuses calls and says for how long is asking us to come back then.
            if error.code == .rateLimited, let wait = error.retryAfter { tried.allowReturn(at: now + wait) }
        }
        guard attempt.attempts < configuration.retry.maxAttempts,
            let wait = wait(after: error, attempt, modeIndex: modeIndex(of: mode), tried: tried, now: now),
            attempt.remaining.map({ wait < $0 }) ?? true,
            retries.spend(now: now)
        else { return fallback(to: configuration.fallbacks) }
        return .retry(after: wait)
    }

    /// The wait before the next attempt; nil if there should be none.
    private mutating func wait(
        after error: GatewayError,
        _ attempt: FailedAttempt,
        modeIndex: Int,
        tried: TriedDeployments,
        now: MonotonicInstant
    ) -> Duration? {
        let backoff = configuration.retry.wait(attempts: attempt.attempts, variation: random.variation())
        let excluded = slots(tried)
        if tiers.contains(where: { $0.pools[modeIndex].count(excluding: excluded) > 0 }) {
            // A silent upstream has cost enough time already, and one that cannot serve the call says nothing about
            // others.
            return error.code == .timedOut || error.isOwnToDeployment ? .zero : backoff
        }
        let waits = present.compactMap { timeUntilReturn($0, modeIndex, tried: tried, now: now) }
        guard let least = waits.min(), attempt.waited + least <= configuration.retry.maxWait else { return nil }
        return least + backoff
    }

    /// The time until a call may go to a slot that is not eligible now or that it has tried; nil if that is unknown, or
    /// if it may not go there again.
    private func timeUntilReturn(
        _ slot: Int,
        _ modeIndex: Int,
        tried: TriedDeployments,
        now: MonotonicInstant
    ) -> Duration? {
        let reasons = reasons(slot, modeIndex)
        // A missing model is unlikely to be back in a moment.
        guard reasons.isSubset(of: [.coolingDown, .saturated]), !members[slot].modeHealth[modeIndex].isModelMissing
        else {
            return nil
        }
        let rest = reasons.contains(.coolingDown) ? members[slot].modeHealth[modeIndex].cooldownEnds - now : .zero
        guard let entry = tried.entries.last(where: { $0.slot == slot && $0.number == members[slot].number }) else {
            return max(rest, .zero)
        }
        return entry.returns == .never ? nil : max(rest, entry.returns - now, .zero)
    }

    private func fallback(to models: [String]) -> RetryDecision {
        models.isEmpty ? .stop : .fallback(models: models)
    }

    /// The error of a call whose attempts have all failed.
    mutating func verdict(
        on failures: CallFailures,
        mode: Mode,
        tried: TriedDeployments,
        now: MonotonicInstant
    ) -> GatewayError? {
        let modeIndex = modeIndex(of: mode)
        let excluded = slots(tried)
        guard var error = failures.telling else {
            guard let missing = failures.missing else { return nil }
            let isMissingEverywhere = present.allSatisfy {
                !members[$0].ineligibility.isDisjoint(with: [.standby, .draining]) || excluded.contains($0)
                    || members[$0].modeHealth[modeIndex].isModelMissing
            }
            return isMissingEverywhere ? missing.asMissingModel(configuration.model) : unavailable(modeIndex, now: now)
        }
        if error.code == .rateLimited || error.code == .unavailable {
            let rests = present.filter { reasons($0, modeIndex).contains(.coolingDown) }
                .compactMap { timeUntilEligible($0, modeIndex, now: now) }
            let asked = failures.timeUntilReturn(now: now)
            error.retryAfter = (rests + [asked, error.retryAfter].compactMap(\.self)).map(\.roundedUpToSeconds).min()
        }
        return error
    }
}

extension Duration {
    /// As clients see it: a second that has just begun counts as a whole one.
    fileprivate var roundedUpToSeconds: Duration {
        .seconds(components.seconds + (components.attoseconds > 0 ? 1 : 0))
    }
}
