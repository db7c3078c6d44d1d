// A running group: hands out leases, takes their results, and decides what may be tried after a failure.

package import CoreMetrics
import GatewayWire
internal import Synchronization

/// The live side of a ``DeploymentGroup``. Each method holds the group's lock only for a moment, never across I/O.
package final class GroupState: Sendable {
    /// The public name of the model.
    package let model: String

    let time: TimeSource
    private let core: Lock<GroupCore>
    let series: FleetSeries
    let isDissolved = Atomic(false)
    private let metrics: GroupMetrics
    private let probeNews: ProbeNews?
    private let journal: FleetJournal?
    /// Whether the policy keeps track of prompts; read without the lock.
    private let usesPrefixCache: Atomic<Bool>
    private let policyReadsText: Atomic<Bool>
    private let salt = Atomic<Int>(0)

    private static let numbers = Atomic<UInt64>(1)

    /// Starts a group.
    /// - Parameters:
    ///   - configuration: The deployments and the policy.
    ///   - time: The clock.
    ///   - seed: Makes the group's random choices repeatable.
    ///   - metrics: What makes the counters; by default the program's own backend.
    package convenience init(
        _ configuration: DeploymentGroup,
        time: TimeSource = .system,
        seed: UInt64 = .random(in: .min ... .max),
        metrics: any MetricsFactory = MetricsSystem.factory
    ) {
        let series = FleetSeries(factory: metrics, time: time)
        self.init(configuration, time: time, seed: seed, series: series, probeNews: nil, journal: nil)
    }

    /// - Parameters:
    ///   - series: The counters.
    ///   - probeNews: Receives the deployments that are added.
    ///   - journal: Receives what the log should say.
    init(
        _ configuration: DeploymentGroup,
        time: TimeSource,
        seed: UInt64 = .random(in: .min ... .max),
        series: FleetSeries,
        probeNews: ProbeNews?,
        journal: FleetJournal?
    ) {
        self.probeNews = probeNews
        self.journal = journal
        model = configuration.model
        self.time = time
        self.series = series
        metrics = series.group(configuration.model)
        var core = GroupCore(configuration, seed: seed, series: series)
        for deployment in configuration.deployments { core.set(deployment, number: Self.nextNumber) }
        usesPrefixCache = Atomic(core.policy.prefixCache != nil)
        policyReadsText = Atomic(core.policy.readsText)
        self.core = Lock(core)
        // All that has happened so far is that the deployments were added.
        update { _, _ in }
    }

    /// Whether the policy looks at the prompt's text.
    package var readsText: Bool { policyReadsText.load(ordering: .relaxed) }

    static func nextNumber() -> UInt64 {
        numbers.wrappingAdd(1, ordering: .relaxed).oldValue
    }

    /// Works on the group's state, after doing what is due, and then does what must not be done under the lock.
    @discardableResult
    func update<Result: Sendable>(
        now: MonotonicInstant? = nil,
        _ body: (inout GroupCore, MonotonicInstant) -> Result
    ) -> Result {
        let now = now ?? time.now()
        let (result, deferredEffects) = core.withLock { core in
            core.advance(to: now)
            let result = body(&core, now)
            return (result, core.takeDeferredEffects(now: now))
        }
        if let deferredEffects { handle(deferredEffects) }
        return result
    }

    private func handle(_ deferredEffects: DeferredEffects) {
        for (call, selection) in deferredEffects.served { call.continuation.resume(returning: selection) }
        for event in deferredEffects.events { record(event) }
        forget(deferredEffects.leaving)
    }

    private func forget(_ slots: [Int]) {
        guard !slots.isEmpty else { return }
        let cache = core.withLock { $0.policy.prefixCache }
        for slot in slots {
            cache?.forget(slot)
            core.withLock { $0.release(slot) }
        }
    }

    private func record(_ event: FleetEvent) {
        journal?.note(event, model: model)
        switch event {
        case .breaker(let record, let state): record.metrics.breakerChanged(to: state)
        case .health(let record, let isHealthy): record.metrics.healthChanged(isHealthy: isHealthy)
        case .credentials, .draining, .returned, .left: break
        case .modelMissing(let record):
            probeNews?.missing.tell(MissingModels.Subject(deployment: record.deployment.id, model: model))
        case .probesChanged(let record), .credentialsDoubted(let record):
            probeNews?.tell(ProbeSubject(model: model, id: record.deployment.id, number: record.number))
        }
    }

    /// A copy of the state, for finding out what would happen.
    func snapshot() -> GroupCore {
        update { core, _ in core }
    }

    /// Changes the group's settings. Deployments that stay keep what was learned about them, and so does the policy.
    package func apply(_ configuration: DeploymentGroup) {
        update { core, _ in core.apply(configuration, number: Self.nextNumber) }
        let policy = core.withLock { $0.policy }
        usesPrefixCache.store(policy.prefixCache != nil, ordering: .relaxed)
        policyReadsText.store(policy.readsText, ordering: .relaxed)
    }
}

// MARK: - Leases

extension GroupState {
    /// Chooses a deployment for a call and counts the attempt as in flight. Never waits.
    /// - Parameters:
    ///   - input: What routing reads from the request.
    ///   - tried: Deployments that this call has tried already.
    /// - Throws: ``GatewayError/Code/unavailable`` with the time after which the first deployment may take calls;
    ///   ``GatewayError/Code/rateLimited`` if all places are taken.
    package func acquire(
        _ input: RoutingInput,
        excluding tried: TriedDeployments = TriedDeployments()
    ) throws(GatewayError) -> AttemptLease {
        let now = time.now()
        let match = match(input, now: now)
        let selection = update(now: now) { core, now in
            if tried.entries.isEmpty { core.retries.recordCall(now: now) }
            return core.take(input, excluding: tried, match: match, now: now)
        }
        if case .full = selection { throw core.withLock { $0.queueFull() } }
        return try lease(selection, input, now: now)
    }

    /// Chooses a deployment for a call; waits in the group's queue while all places are taken.
    /// - Throws: ``GatewayError/Code/unavailable`` if no deployment can take calls or the wait was too long,
    ///   ``GatewayError/Code/rateLimited`` if the queue is full, ``GatewayError/Code/cancelled`` if the task was
    ///   cancelled while it waited; ``GatewayError/Code/invalidRequest`` if the call insists on an unknown deployment.
    package func lease(
        _ input: RoutingInput,
        excluding tried: TriedDeployments = TriedDeployments()
    ) async throws(GatewayError) -> AttemptLease {
        let now = time.now()
        let match = match(input, now: now)
        let selection = update(now: now) { core, now in
            if tried.entries.isEmpty { core.retries.recordCall(now: now) }
            // No call overtakes the waiting ones, unless none of them can use what is free.
            return core.take(input, excluding: tried, match: match, now: now)
        }
        guard case .full = selection else { return try lease(selection, input, now: now) }
        let later = await wait(input, excluding: tried, match: match)
        return try lease(later, input, now: time.now())
    }

    /// The slot of the deployment that a call would get now, or nil if none may take it: just the choice, as a
    /// benchmark measures it. Nothing counts as in flight, but the policy moves on: turns pass, sessions begin.
    package func select(_ input: RoutingInput) -> Int? {
        let now = time.now()
        let match = match(input, now: now)
        return core.withLock { core in
            let modeIndex = core.modeIndex(of: input.mode)
            var context = SelectionContext(now: now, match: match)
            return core.select(input, modeIndex, &context)
        }
    }

    private func lease(
        _ selection: Selection,
        _ input: RoutingInput,
        now: MonotonicInstant
    ) throws(GatewayError) -> AttemptLease {
        switch selection {
        case .chosen(let placement):
            placement.record.metrics.selected()
            if usesPrefixCache.load(ordering: .relaxed) {
                metrics.matched(hit: max(0, input.estimatedTokens - placement.tokens), miss: placement.tokens)
            }
            let known = remember(input.text, placement, now: now)
            return AttemptLease(group: self, placement: placement, input: input, started: now, knownBytes: known)
        case .failed(let error): throw error
        case .full: throw core.withLock { $0.queueFull() }
        }
    }

    private func match(_ input: RoutingInput, now: MonotonicInstant) -> PrefixMatch? {
        guard usesPrefixCache.load(ordering: .relaxed), !input.text.isEmpty else { return nil }
        let cache = core.withLock { $0.policy.prefixCache }
        return cache?.match(input.text, salt: salt.wrappingAdd(7, ordering: .relaxed).newValue & 0xFFFF, now: now)
    }

    /// What to do after a failed attempt whose lease has ended. Draws on the retry budget if the answer is a retry.
    /// - Parameters:
    ///   - error: Why the attempt failed.
    ///   - attempt: What is known about the call.
    ///   - mode: The call's kind of work.
    ///   - tried: The deployments tried so far, including this one; pass the same to the next
    ///     ``acquire(_:excluding:)``.
    package func retryDecision(
        after error: GatewayError,
        _ attempt: FailedAttempt,
        mode: Mode = .chat,
        tried: inout TriedDeployments
    ) -> RetryDecision {
        let known = tried
        let (decision, changed) = update { core, now in
            var tried = known
            let decision = core.retryDecision(after: error, attempt, mode: mode, tried: &tried, now: now)
            return (decision, tried)
        }
        tried = changed
        metrics.decided(decision)
        return decision
    }

    /// The error of a call whose attempts have all failed; nil if there were none.
    package func verdict(on failures: CallFailures, mode: Mode, tried: TriedDeployments) -> GatewayError? {
        guard failures.last != nil else { return nil }
        return update { core, now in core.verdict(on: failures, mode: mode, tried: tried, now: now) }
    }
}

// MARK: - Results

extension GroupState {
    /// Notes that a deployment is sent a prompt, before it has read it: the next prompt that begins the same should
    /// follow it there, even while this one waits in the engine. Returns how much of it the deployment had already
    /// read.
    private func remember(_ text: [UInt8], _ placement: Placement, now: MonotonicInstant) -> Int? {
        guard usesPrefixCache.load(ordering: .relaxed), !text.isEmpty else { return nil }
        guard let cache = core.withLock({ $0.policy.prefixCache }) else { return nil }
        let (held, known) = cache.insert(text, slot: placement.slot, number: placement.record.number, now: now)
        noteHeld(held, placement)
        return known
    }

    /// Forgets that a deployment was sent a prompt, because it did not accept it.
    func refused(_ lease: AttemptLease) {
        guard let known = lease.knownBytes, let cache = core.withLock({ $0.policy.prefixCache }) else { return }
        let placement = lease.placement
        let held = cache.retract(lease.input.text, slot: placement.slot, number: placement.record.number, known: known)
        noteHeld(held, placement)
    }

    private func noteHeld(_ bytes: Int, _ placement: Placement) {
        core.withLock { core in
            if core.isPresent(placement) { core.members[placement.slot].cachedBytes = bytes }
        }
    }

    func answered(_ lease: AttemptLease) {
        update { core, now in
            guard core.isPresent(lease.placement) else { return }
            core.answer(lease, now: now)
        }
    }

    func finished(_ lease: AttemptLease, wasAnswered: Bool, outcome: AttemptOutcome, measure: AttemptMeasure) {
        lease.placement.record.metrics.ended(outcome)
        let verdict = lease.input.countsForHealth ? outcome : .cancelled
        update { core, now in
            guard core.isPresent(lease.placement) else { return }
            core.end(lease, wasAnswered: wasAnswered, outcome: verdict, measure: measure, now: now)
        }
        if let tokens = measure.completionTokens, usesPrefixCache.load(ordering: .relaxed) {
            let cache = core.withLock { $0.policy.prefixCache }
            cache?.fill(
                lease.placement.slot,
                number: lease.placement.record.number,
                bytes: tokens * CacheAwarePolicy.bytesPerToken
            )
        }
    }
}

// MARK: - Waiting

extension GroupState {
    private func wait(
        _ input: RoutingInput,
        excluding tried: TriedDeployments,
        match: PrefixMatch?
    ) async -> Selection {
        let number = Self.nextNumber()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let call = { (deadline: MonotonicInstant) in
                    WaitingCall(
                        number: number,
                        input: input,
                        tried: tried,
                        match: match,
                        deadline: deadline,
                        continuation: continuation
                    )
                }
                enqueue(call)
                // A cancellation that came before the call was in the queue did not find it there.
                if Task.isCancelled { cancelWait(number) }
            }
        } onCancel: {
            cancelWait(number)
        }
    }

    private func enqueue(_ call: (MonotonicInstant) -> WaitingCall) {
        let (refused, mustWatch) = update { core, now -> (WaitingCall?, Bool) in
            let options = core.configuration.admission
            let deadline = options.queueTimeout > .zero ? now + options.queueTimeout : .never
            let call = call(deadline)
            guard core.queue.count < options.queueSize else { return (call, false) }
            core.queue.insert(call)
            defer { core.queue.isWatched = true }
            return (nil, !core.queue.isWatched)
        }
        if let refused {
            refused.continuation.resume(returning: .failed(core.withLock { $0.queueFull() }))
        }
        if mustWatch { Task { await watchQueue() } }
    }

    private func cancelWait(_ number: UInt64) {
        let call = core.withLock { $0.queue.remove(number) }
        let error = GatewayError(.cancelled, "The call was cancelled while it waited for a free slot.")
        call?.continuation.resume(returning: .failed(error))
    }

    /// Ends waits that take too long, as long as any calls are waiting.
    private func watchQueue() async {
        while let pause = nextPause() {
            // Only a cancelled task's sleep throws, and nobody cancels this one.
            try? await time.sleep(pause)
            let (expired, error) = update { core, now in (core.queue.expire(now: now), core.queueTimedOut()) }
            for call in expired { call.continuation.resume(returning: .failed(error)) }
        }
    }

    private func nextPause() -> Duration? {
        let now = time.now()
        return core.withLock { core in
            guard !core.queue.isEmpty else {
                core.queue.isWatched = false
                return nil
            }
            let next = min(core.queue.nextDeadline, core.nextEvent)
            return next == .never ? .seconds(1) : max(next - now, .milliseconds(1))
        }
    }
}
