// Asks deployments whether they are up, each on its own schedule.

import GatewayWire
import Synchronization

/// Probes the deployments of a fleet as their groups are configured, for as long as ``run()`` runs.
///
/// It costs no more than its probes, however large the fleet is: deployments wait in the order in which they are due,
/// and groups report new ones. Nothing ever scans the fleet.
package final class HealthProber: Sendable {
    /// Asks one deployment, and returns what that has shown about its credentials; throws if it does not answer as it
    /// should.
    package typealias Probe = @Sendable (ProbeQuestion) async throws(GatewayError) -> CredentialFinding

    // Probes that are due at about the same time start together.
    private static let leastPause = Duration.milliseconds(10)

    private let fleet: Fleet
    private let time: TimeSource
    private let limit: Int
    private let probe: Probe
    private let state = Lock(State())

    private struct State {
        var queue = DeadlineQueue<ProbeSubject>()
        /// When each deployment is due; never while its probe is in progress. Anything else in the queue is outdated.
        var due: [ProbeSubject: MonotonicInstant] = [:]
        var underWay = 0
        /// When ``run()`` will wake up.
        var wakes = MonotonicInstant.never
    }

    /// Creates a prober. A fleet has one at a time.
    /// - Parameters:
    ///   - limit: Probes in progress at a time; the others wait for their turn.
    ///   - probe: Asks one deployment.
    package init(_ fleet: Fleet, time: TimeSource = .system, limit: Int = 256, probe: @escaping Probe) {
        self.fleet = fleet
        self.time = time
        self.limit = limit
        self.probe = probe
    }

    /// Probes until the task is cancelled.
    package func run() async {
        fleet.probeNews.watch(true)
        defer { fleet.probeNews.watch(false) }
        plan(fleet.allGroups.flatMap(\.probeSubjects))
        await withDiscardingTaskGroup { tasks in
            while !Task.isCancelled {
                plan(fleet.probeNews.take())
                while let (subject, question) = next() {
                    tasks.addTask { await self.probe(subject, question) }
                }
                await fleet.probeNews.changed.wait(atMost: pause(), time)
            }
            tasks.cancelAll()
        }
    }

    /// Makes deployments due now, unless they are being probed anyway.
    private func plan(_ subjects: [ProbeSubject]) {
        guard !subjects.isEmpty else { return }
        let now = time.now()
        state.withLock { state in
            for subject in subjects where state.due[subject] != .never {
                state.due[subject] = now
                state.queue.insert(subject, due: now)
            }
        }
    }

    /// The next probe that is due, if there is room for it.
    private func next() -> (ProbeSubject, ProbeQuestion)? {
        let now = time.now()
        while let subject = takeDue(now) {
            if let question = fleet.existingGroup(subject.model)?.probe(of: subject) { return (subject, question) }
            finish(subject, next: nil)
        }
        return nil
    }

    private func takeDue(_ now: MonotonicInstant) -> ProbeSubject? {
        state.withLock { state in
            while state.underWay < limit, let (due, subject) = state.queue.take(now: now) {
                guard state.due[subject] == due else { continue }
                state.due[subject] = .never
                state.underWay += 1
                return subject
            }
            return nil
        }
    }

    /// The time until the next probe; nil if something else must happen before.
    private func pause() -> Duration? {
        let now = time.now()
        return state.withLock { state in
            state.wakes = state.underWay < limit ? state.queue.nextDeadline : .never
            return state.wakes == .never ? nil : max(Self.leastPause, state.wakes - now)
        }
    }

    private func probe(_ subject: ProbeSubject, _ question: ProbeQuestion) async {
        var succeeded: Bool? = true
        var credentials = CredentialFinding.unknown
        do {
            credentials = try await probe(question)
        } catch {
            switch AttemptOutcome(error) {
            case .failure: succeeded = false
            case .misconfigured:
                succeeded = nil
                credentials = .rejected
            // The server is up; what it said has nothing to do with health.
            default: succeeded = nil
            }
        }
        let group = fleet.existingGroup(subject.model)
        let pause = group?.probed(subject, succeeded: succeeded, credentials: credentials)
        finish(subject, next: pause.map { time.now() + $0 })
    }

    /// Ends a probe, and schedules the next one if there is to be one.
    private func finish(_ subject: ProbeSubject, next: MonotonicInstant?) {
        let isWaitedFor = state.withLock { state in
            let wasFull = state.underWay >= limit
            state.underWay -= 1
            state.due[subject] = next
            if let next { state.queue.insert(subject, due: next) }
            return wasFull || (next ?? .never) < state.wakes
        }
        if isWaitedFor { fleet.probeNews.changed.send() }
    }
}
