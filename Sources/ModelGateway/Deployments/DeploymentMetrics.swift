// What is counted of one deployment.

internal import CoreMetrics
import GatewayWire
import Synchronization

/// The counters of one deployment, made once.
final class DeploymentMetrics: RetirableCounters {
    let model: String
    let deployment: String
    let policy: String
    private let factory: any MetricsFactory
    private let selections: Counter
    private let successes: Counter
    private let failures: Counter
    private let rateLimited: Counter
    private let modelMissing: Counter
    private let outOfQuota: Counter
    private let cancelled: Counter
    private let misconfigured: Counter
    /// Made when they are first needed, which most never are.
    private let transitions = Lock<[String: Counter]>([:])

    init(model: String, deployment: String, policy: String, factory: any MetricsFactory) {
        self.model = model
        self.deployment = deployment
        self.policy = policy
        self.factory = factory
        func outcome(_ name: String) -> Counter {
            FleetMetrics.outcomes.counter(model, deployment, name, factory: factory)
        }
        selections = FleetMetrics.selections.counter(model, deployment, policy, factory: factory)
        successes = outcome("success")
        failures = outcome("failure")
        rateLimited = outcome("rate_limited")
        modelMissing = outcome("model_missing")
        outOfQuota = outcome("out_of_quota")
        cancelled = outcome("cancelled")
        misconfigured = outcome("misconfigured")
    }

    func selected() {
        selections.increment()
    }

    func ended(_ outcome: AttemptOutcome) {
        switch outcome {
        case .success: successes.increment()
        case .failure: failures.increment()
        case .rateLimited: rateLimited.increment()
        case .modelMissing: modelMissing.increment()
        case .outOfQuota: outOfQuota.increment()
        case .cancelled: cancelled.increment()
        case .misconfigured: misconfigured.increment()
        }
    }

    func breakerChanged(to state: BreakerState) {
        transition(FleetMetrics.breakerTransitions, to: state.rawValue).increment()
    }

    func healthChanged(isHealthy: Bool) {
        transition(FleetMetrics.healthTransitions, to: isHealthy ? "healthy" : "unhealthy").increment()
    }

    private func transition(_ metric: MetricDescription, to state: String) -> Counter {
        transitions.withLock { transitions in
            let key = "\(metric.name) \(state)"
            if let known = transitions[key] { return known }
            let made = metric.counter(model, deployment, state, factory: factory)
            transitions[key] = made
            return made
        }
    }

    func retire() {
        let rare = transitions.withLock { Array($0.values) }
        let outcomes = [successes, failures, rateLimited, modelMissing, outOfQuota, cancelled, misconfigured]
        for counter in [selections] + outcomes + rare {
            counter.destroy()
        }
    }
}
