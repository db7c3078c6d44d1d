// The counters of deployments and groups: made when these come, let go of some time after they went.

internal import CoreMetrics
import GatewayWire
import Synchronization

/// Makes the counters of a fleet. Those of a deployment or a group that is gone stay for a while, so that the last
/// scrapes see how it ended and a short absence does not start its counters anew; then they leave the backend, or
/// workers that come and go would fill it.
///
/// A group asks for counters while it holds its lock, so nothing in here asks a group.
final class FleetSeries: Sendable {
    /// How long counters are kept that nobody counts with any more.
    static let grace = Duration.seconds(600)

    let factory: any MetricsFactory
    private let time: TimeSource
    private let state = Lock(State())
    private let observer = Lock<(any CallObserver)?>(nil)

    private struct Subject: Hashable {
        var model: String
        var deployment: String?
        var policy: String?
    }

    private struct Entry {
        var counters: any RetirableCounters
        /// How many use the counters: a group with this name may be there before the last one has gone.
        var uses = 0
        /// When they are due to go; never while they are in use.
        var due = MonotonicInstant.never
    }

    private struct State {
        var entries: [Subject: Entry] = [:]
        /// What is not in use, in the order in which it is due. What an entry says otherwise is newer.
        var leaving: [(subject: Subject, due: MonotonicInstant)] = []
        /// How many entries there are for each deployment's id.
        var ids: [String: Int] = [:]
    }

    init(factory: any MetricsFactory, time: TimeSource) {
        self.factory = factory
        self.time = time
    }

    /// Tells an observer of calls which models and deployments are gone for good.
    func tell(_ observer: (any CallObserver)?) {
        self.observer.withLock { $0 = observer }
    }

    /// The counters of a group, until ``release(model:)``.
    func group(_ model: String) -> GroupMetrics {
        take(Subject(model: model)) { GroupMetrics(model: model, factory: factory) }
    }

    /// The counters of a deployment, until ``release(model:deployment:policy:)``.
    func deployment(_ id: String, model: String, policy: String) -> DeploymentMetrics {
        take(Subject(model: model, deployment: id, policy: policy)) {
            DeploymentMetrics(model: model, deployment: id, policy: policy, factory: factory)
        }
    }

    /// A group is gone.
    func release(model: String) {
        release(Subject(model: model))
    }

    /// A deployment is gone.
    func release(_ metrics: DeploymentMetrics) {
        release(Subject(model: metrics.model, deployment: metrics.deployment, policy: metrics.policy))
    }

    private func take<Counters: RetirableCounters>(_ subject: Subject, make: () -> Counters) -> Counters {
        state.withLock { state in
            if let known = state.entries[subject], let counters = known.counters as? Counters {
                state.entries[subject]?.uses += 1
                state.entries[subject]?.due = .never
                return counters
            }
            let counters = make()
            state.entries[subject] = Entry(counters: counters, uses: 1)
            if let id = subject.deployment { state.ids[id, default: 0] += 1 }
            return counters
        }
    }

    private func release(_ subject: Subject) {
        let due = time.now() + Self.grace
        state.withLock { state in
            guard let uses = state.entries[subject]?.uses, uses > 0 else { return }
            state.entries[subject]?.uses = uses - 1
            guard uses == 1 else { return }
            state.entries[subject]?.due = due
            state.leaving.append((subject, due))
        }
    }

    /// Lets go of what has been out of use for long enough. Must not be called with a lock held, since it calls the
    /// observer, which is the program's.
    func sweep() {
        let now = time.now()
        let (models, deployments) = state.withLock { Self.retire(&$0, now: now) }
        guard !models.isEmpty || !deployments.isEmpty, let observer = observer.withLock({ $0 }) else { return }
        for id in deployments { observer.deploymentRetired(id) }
        for model in models { observer.modelRetired(model) }
    }

    private static func retire(
        _ state: inout State,
        now: MonotonicInstant
    ) -> (models: [String], deployments: [String]) {
        let count = state.leaving.prefix { $0.due <= now }.count
        guard count > 0 else { return ([], []) }
        var (models, deployments): ([String], [String]) = ([], [])
        for (subject, due) in state.leaving.prefix(count) where state.entries[subject]?.due == due {
            // Under the lock: whoever takes them from now on must get new ones.
            state.entries.removeValue(forKey: subject)?.counters.retire()
            guard let id = subject.deployment else {
                models.append(subject.model)
                continue
            }
            state.ids[id, default: 1] -= 1
            if state.ids[id] == 0 {
                state.ids[id] = nil
                deployments.append(id)
            }
        }
        state.leaving.removeFirst(count)
        return (models, deployments)
    }
}
