// A running group: hands out leases, takes their results, and answers what may be tried after a failure.

internal import Synchronization

/// The live side of a ``DeploymentGroup``. Each call of a method holds the group's lock for a moment, never across I/O.
package final class GroupState: Sendable {
    /// The public name of the model.
    package let model: String

    private let core: Mutex<GroupCore>
    private let time: TimeSource

    private static let numbers = Atomic<UInt64>(1)

    /// Starts a group.
    /// - Parameters:
    ///   - configuration: The deployments and the policy.
    ///   - time: Where the present comes from.
    ///   - seed: Makes every random choice of the group repeatable.
    package init(_ configuration: DeploymentGroup, time: TimeSource = .system, seed: UInt64 = .random(in: .min ... .max)) {
        model = configuration.model
        self.time = time
        var core = GroupCore(configuration, seed: seed)
        for deployment in configuration.deployments { _ = core.add(Self.record(deployment)) }
        self.core = Mutex(core)
    }

    /// Chooses a deployment for a call and counts the attempt as under way. Never waits.
    /// - Parameters:
    ///   - input: What the call tells the router.
    ///   - tried: Deployments that this call has tried already.
    /// - Throws: ``GatewayError/Code/unavailable`` with the time after which the first deployment may take calls.
    package func acquire(
        _ input: RoutingInput,
        excluding tried: TriedDeployments = TriedDeployments()
    ) throws(GatewayError) -> AttemptLease {
        let now = time.now()
        let taken = core.withLock { core -> (DeploymentRecord, Int, UInt32)? in
            core.advance(to: now)
            if tried.entries.isEmpty { core.retries.recordCall(now: now) }
            let excluded = core.slots(tried)
            var chosen = core.select(input, excluding: excluded, now: now)
            if chosen == nil, tried.mayRepeat { chosen = core.select(input, excluding: [], now: now) }
            guard let slot = chosen else { return nil }
            let era = core.begin(slot, tokens: input.estimatedTokens, now: now)
            return (core.members[slot].record, slot, era)
        }
        guard let (record, slot, era) = taken else {
            throw GatewayError(
                .unavailable,
                "No deployment of \(model) can take the call now; try again later.",
                retryAfter: .seconds(1)
            )
        }
        return AttemptLease(group: self, record: record, slot: slot, era: era, input: input)
    }

    /// Chooses a deployment for a call; waits in the group's queue while all places are taken.
    /// - Throws: ``GatewayError/Code/unavailable`` if no deployment can take calls or the wait was too long,
    ///   ``GatewayError/Code/rateLimited`` if the queue is full, ``GatewayError/Code/cancelled`` if the task was
    ///   cancelled while it waited.
    package func lease(
        _ input: RoutingInput,
        excluding tried: TriedDeployments = TriedDeployments()
    ) async throws(GatewayError) -> AttemptLease {
        try acquire(input, excluding: tried)
    }

    /// What to do after a failed attempt whose lease has ended. Takes from the retry budget if the answer is a retry.
    /// - Parameters:
    ///   - error: Why the attempt failed.
    ///   - attempt: What is known about the call.
    ///   - tried: The deployments that were tried, this one included; the next ``acquire(_:excluding:)`` gets the same.
    package func retryDecision(
        after error: GatewayError, _ attempt: FailedAttempt, tried: inout TriedDeployments
    ) -> RetryDecision {
        let now = time.now()
        let known = tried
        let (decision, mayRepeat) = core.withLock { core in
            core.advance(to: now)
            return core.retryDecision(after: error, attempt, excluding: core.slots(known), now: now)
        }
        tried.mayRepeat = mayRepeat
        return decision
    }

    func accepted(_ lease: AttemptLease) {}

    func answered(_ lease: AttemptLease) {
        core.withLock { core in
            guard core.members[lease.slot].number == lease.record.number else { return }
            core.load(lease.slot, calls: 0, tokens: -lease.tokens)
        }
    }

    func finished(_ lease: AttemptLease, pendingTokens: Int, outcome: AttemptOutcome, measure: AttemptMeasure) {
        let now = time.now()
        let verdict = lease.input.countsForHealth ? outcome : .cancelled
        core.withLock { core in
            core.advance(to: now)
            let member = core.members[lease.slot]
            guard member.number == lease.record.number, !member.ineligibility.contains(.absent) else { return }
            core.end(lease.slot, era: lease.era, tokens: pendingTokens, outcome: verdict, measure: measure, now: now)
        }
    }

    private static func record(_ deployment: Deployment) -> DeploymentRecord {
        DeploymentRecord(deployment, number: numbers.wrappingAdd(1, ordering: .relaxed).oldValue)
    }
}
