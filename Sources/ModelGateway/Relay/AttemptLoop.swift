// Attempts of one call, one after the other, until one succeeds or nothing more may be tried.

import GatewayWire

/// Runs the attempts of one call: a deployment, a try, a verdict, maybe the next one, maybe another model.
///
/// It is large, and made and run once: that it cannot be copied keeps each call from doing so unseen.
struct AttemptLoop: ~Copyable {
    let fleet: Fleet
    let observer: (any CallObserver)?
    let input: RoutingInput
    /// Header lines that go upstream.
    let headers: [HTTPHeader]
    let names: ModelNames
    /// What follows the call, if anything does.
    let watch: CallWatch?
    let started = MonotonicInstant.now
    var record: CallRecord

    private var attempts = 0
    private var waited = Duration.zero

    init(
        fleet: Fleet,
        observer: (any CallObserver)?,
        input: RoutingInput,
        headers: [HTTPHeader] = [],
        names: ModelNames = ModelNames(),
        record: CallRecord,
        watch: CallWatch? = nil
    ) {
        self.fleet = fleet
        self.observer = observer
        self.input = input
        self.headers = headers
        self.names = names
        self.record = record
        self.watch = watch
    }

    /// One try: where it goes, what its provider must know, and what settles it.
    struct Attempt {
        let lease: AttemptLease
        let context: AttemptContext
        let settlement: CallSettlement
        /// Which attempt of the call this is, from 1.
        let number: Int
    }

    /// Runs attempts until `body` returns.
    ///
    /// A body that returns takes over the settlement: it settles the call at its end. One that throws has failed, and
    /// nothing of it has gone to the client.
    mutating func run<Result>(
        _ body: (Attempt) async throws(GatewayError) -> Result
    ) async throws(GatewayError) -> Result {
        do {
            try names.check(record.mode, of: record.model)
            return try await run(model: record.model, visited: [], body)
        } catch {
            if attempts == 0, fleet.existingGroup(record.model) == nil { record.isModelKnown = false }
            record.error = error.code
            record.attempts = attempts
            record.duration = MonotonicInstant.now - started
            observer?.callFinished(record)
            var error = error
            error.attempts = attempts
            error.deployment = record.deployment
            watch?.finished(record, error: error)
            throw error
        }
    }

    private mutating func run<Result>(
        model: String,
        visited: Set<String>,
        _ body: (Attempt) async throws(GatewayError) -> Result
    ) async throws(GatewayError) -> Result {
        let group = try fleet.group(model)
        var tried = TriedDeployments()
        var failures = CallFailures()
        while true {
            let lease: AttemptLease
            do {
                lease = try await group.lease(input, excluding: tried)
            } catch {
                // With everyone tried, what they said is worth more than that nobody is left.
                let reason = group.verdict(on: failures, mode: input.mode, tried: tried) ?? error
                let isLast = FailedAttempt(attempts: Int.max, remaining: nil)
                let decision = group.retryDecision(after: reason, isLast, mode: input.mode, tried: &tried)
                guard case .fallback(let models) = decision else { throw reason }
                watch?.continues(decision, after: reason, nil)
                return try await fallBack(to: models, visited: visited.union([model]), after: reason, body)
            }
            let attempt = begin(lease)
            do {
                return try await body(attempt)
            } catch let cause {
                let error = lease.deployment.provider.masked(cause)
                attempt.settlement.abandon(error)
                failures.insert(error, now: group.time.now())
                tried.insert(lease)
                let decision = group.retryDecision(after: error, failed(attempt), mode: input.mode, tried: &tried)
                watch?.continues(decision, after: error, attempt.settlement.watch)
                switch decision {
                case .stop: throw group.verdict(on: failures, mode: input.mode, tried: tried) ?? error
                case .retry(let delay): try await pause(delay, group.time)
                case .fallback(let models):
                    let reason = group.verdict(on: failures, mode: input.mode, tried: tried) ?? error
                    return try await fallBack(to: models, visited: visited.union([model]), after: reason, body)
                }
            }
        }
    }

    private mutating func fallBack<Result>(
        to models: [String],
        visited: Set<String>,
        after failure: GatewayError,
        _ body: (Attempt) async throws(GatewayError) -> Result
    ) async throws(GatewayError) -> Result {
        var failure = failure
        for model in models where !visited.contains(model) {
            do {
                return try await run(model: model, visited: visited.union(models), body)
            } catch {
                if error.code == .cancelled { throw error }
                failure = error
            }
        }
        throw failure
    }

    private mutating func begin(_ lease: AttemptLease) -> Attempt {
        attempts += 1
        let deployment = lease.deployment
        record.attempts = attempts
        record.deployment = deployment.id
        record.provider = deployment.provider.name
        let watch = watch?.attemptStarted(AttemptStart(deployment, number: attempts))
        let settlement = CallSettlement(
            lease: lease,
            record: record,
            started: started,
            observer: observer,
            watch: watch
        )
        let context = AttemptContext(
            upstreamModel: deployment.upstreamModel,
            requestID: record.requestID,
            timeouts: deployment.timeouts,
            headers: watch?.headers(headers) ?? headers
        )
        return Attempt(lease: lease, context: context, settlement: settlement, number: attempts)
    }

    private func failed(_ attempt: Attempt) -> FailedAttempt {
        let total = attempt.lease.deployment.timeouts.total
        let remaining = total == .zero ? nil : total - (MonotonicInstant.now - started)
        return FailedAttempt(attempts: attempts, remaining: remaining, waited: waited)
    }

    private mutating func pause(_ delay: Duration, _ time: TimeSource) async throws(GatewayError) {
        guard delay > .zero else { return }
        waited += delay
        do {
            try await time.sleep(delay)
        } catch {
            throw GatewayError(.cancelled, "The call was cancelled between two attempts.")
        }
    }
}
