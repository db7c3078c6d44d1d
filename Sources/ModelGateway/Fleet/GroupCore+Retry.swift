// The part of a group that decides what follows a failed attempt.

extension GroupCore {
    /// What to do after a failed attempt, whose lease has ended, and whether tried deployments may be tried again.
    mutating func retryDecision(
        after error: GatewayError,
        _ attempt: FailedAttempt,
        mode: Mode,
        excluding excluded: [Int],
        now: MonotonicInstant
    ) -> (RetryDecision, mayRepeat: Bool) {
        guard !attempt.isCommitted else { return (.stop, false) }
        let kind = RetryOptions.kind(of: error)
        switch kind {
        case .never: return (.stop, false)
        case .contextFallback: return (fallback(to: configuration.contextWindowFallbacks), false)
        case .contentFallback: return (fallback(to: configuration.contentPolicyFallbacks), false)
        case .elsewhere, .anywhere: break
        }
        let lane = lane(of: mode)
        let othersLeft = tiers.contains { $0.pools[lane].count(excluding: excluded) > 0 }
        guard attempt.attempts < configuration.retry.maximumAttempts,
            let wait = wait(after: error, attempt, kind: kind, othersLeft: othersLeft),
            attempt.remaining.map({ wait < $0 }) ?? true,
            retries.spend(now: now)
        else { return (fallback(to: configuration.fallbacks), false) }
        return (.retry(after: wait), kind == .anywhere || !othersLeft)
    }

    /// The wait before the next attempt; nil if there should be none.
    private mutating func wait(
        after error: GatewayError,
        _ attempt: FailedAttempt,
        kind: RetryOptions.Kind,
        othersLeft: Bool
    ) -> Duration? {
        let backoff = configuration.retry.wait(attempts: attempt.attempts, variation: random.variation())
        // A silent upstream has cost enough time already.
        if othersLeft { return error.code == .timedOut ? .zero : backoff }
        if kind == .anywhere { return backoff }
        // Nobody else can take it: come back when the upstream asked us to, if the call can wait that long.
        return error.retryAfter.map { $0 + backoff }
    }

    private func fallback(to models: [String]) -> RetryDecision {
        models.isEmpty ? .stop : .fallback(models: models)
    }
}
