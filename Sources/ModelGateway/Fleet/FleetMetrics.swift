// The metrics of routing and reliability: counters for what happens, gauges for what is.

import Metrics

/// The metrics that the fleet writes through swift-metrics. Counters count as things happen; gauges are set by ``Fleet/recordGauges()``,
/// which a metrics endpoint calls before each reading.
package enum FleetMetrics {
    /// All metrics, for the reference and the test that holds it against the code.
    package static let all: [MetricDescription] = [
        selections, outcomes, retries, breakerTransitions, healthTransitions, prefixCacheTokens, callsInFlight,
        queueDepth, eligible, breakerState, healthy, prefixCacheBytes,
    ]

    static let selections = MetricDescription(
        name: "gateway_selections_total",
        kind: .counter,
        labels: ["model", "deployment", "policy"],
        help: "Attempts that were sent to a deployment."
    )
    static let outcomes = MetricDescription(
        name: "gateway_attempt_outcomes_total",
        kind: .counter,
        labels: ["model", "deployment", "outcome"],
        help: "Ends of attempts: success, failure, rate_limited, cancelled or misconfigured."
    )
    static let retries = MetricDescription(
        name: "gateway_retries_total",
        kind: .counter,
        labels: ["model", "decision"],
        help: "What followed failed attempts: retry, fallback or stop."
    )
    static let breakerTransitions = MetricDescription(
        name: "gateway_breaker_transitions_total",
        kind: .counter,
        labels: ["model", "deployment", "to"],
        help: "Changes of a circuit breaker's state; each mode has a breaker of its own."
    )
    static let healthTransitions = MetricDescription(
        name: "gateway_health_transitions_total",
        kind: .counter,
        labels: ["model", "deployment", "to"],
        help: "Changes between healthy and unhealthy."
    )
    static let prefixCacheTokens = MetricDescription(
        name: "gateway_prefix_cache_tokens_total",
        kind: .counter,
        labels: ["model", "result"],
        help: "Estimated prompt tokens by whether cache_aware expects them in the chosen engine's cache: hit or miss."
    )
    static let callsInFlight = MetricDescription(
        name: "gateway_deployment_calls_in_flight",
        kind: .gauge,
        labels: ["model", "deployment"],
        help: "Attempts under way, up to the last byte of their answers."
    )
    static let queueDepth = MetricDescription(
        name: "gateway_queue_depth",
        kind: .gauge,
        labels: ["model"],
        help: "Calls that wait for a place."
    )
    static let eligible = MetricDescription(
        name: "gateway_deployment_eligible",
        kind: .gauge,
        labels: ["model", "deployment"],
        help: "1 if the deployment may take calls of at least one mode."
    )
    static let breakerState = MetricDescription(
        name: "gateway_breaker_state",
        kind: .gauge,
        labels: ["model", "deployment"],
        help: "0 closed, 1 open, 2 half-open; of several modes the worst."
    )
    static let healthy = MetricDescription(
        name: "gateway_deployment_healthy",
        kind: .gauge,
        labels: ["model", "deployment"],
        help: "1 unless the deployment's probes fail."
    )
    static let prefixCacheBytes = MetricDescription(
        name: "gateway_prefix_cache_bytes",
        kind: .gauge,
        labels: ["model"],
        help: "Memory of the book of prompts that cache_aware keeps."
    )
}

/// The counters of one deployment, made once.
final class DeploymentMetrics: Sendable {
    private let labels: [(String, String)]
    private let factory: any MetricsFactory
    private let selections: Counter
    private let successes: Counter
    private let failures: Counter
    private let rateLimited: Counter
    private let cancelled: Counter
    private let misconfigured: Counter

    init(model: String, deployment: String, policy: String, factory: any MetricsFactory) {
        let labels = [("model", model), ("deployment", deployment)]
        self.labels = labels
        self.factory = factory
        selections = Counter(
            label: FleetMetrics.selections.name,
            dimensions: labels + [("policy", policy)],
            factory: factory
        )
        func outcome(_ name: String) -> Counter {
            Counter(label: FleetMetrics.outcomes.name, dimensions: labels + [("outcome", name)], factory: factory)
        }
        successes = outcome("success")
        failures = outcome("failure")
        rateLimited = outcome("rate_limited")
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
        case .cancelled: cancelled.increment()
        case .misconfigured: misconfigured.increment()
        }
    }

    // These are rare: their counters are found by name each time.

    func breakerChanged(to state: CircuitBreaker.State) {
        count(FleetMetrics.breakerTransitions, to: state.rawValue)
    }

    func healthChanged(isHealthy: Bool) {
        count(FleetMetrics.healthTransitions, to: isHealthy ? "healthy" : "unhealthy")
    }

    private func count(_ metric: MetricDescription, to state: String) {
        Counter(label: metric.name, dimensions: labels + [("to", state)], factory: factory).increment()
    }
}

/// The counters of one group, made once.
final class GroupMetrics: Sendable {
    private let retries: Counter
    private let fallbacks: Counter
    private let stops: Counter
    private let hits: Counter
    private let misses: Counter

    init(model: String, factory: any MetricsFactory) {
        func decision(_ name: String) -> Counter {
            let labels = [("model", model), ("decision", name)]
            return Counter(label: FleetMetrics.retries.name, dimensions: labels, factory: factory)
        }
        retries = decision("retry")
        fallbacks = decision("fallback")
        stops = decision("stop")
        func result(_ name: String) -> Counter {
            let labels = [("model", model), ("result", name)]
            return Counter(label: FleetMetrics.prefixCacheTokens.name, dimensions: labels, factory: factory)
        }
        hits = result("hit")
        misses = result("miss")
    }

    func decided(_ decision: RetryDecision) {
        switch decision {
        case .retry: retries.increment()
        case .fallback: fallbacks.increment()
        case .stop: stops.increment()
        }
    }

    func matched(hit: Int, miss: Int) {
        if hit > 0 { hits.increment(by: hit) }
        if miss > 0 { misses.increment(by: miss) }
    }
}

extension Fleet {
    /// Sets the gauges to the present state.
    package func recordGauges() {
        for group in status {
            let model = [("model", group.model)]
            set(FleetMetrics.queueDepth, model, group.callsWaiting)
            set(FleetMetrics.prefixCacheBytes, model, group.prefixCacheBytes)
            for deployment in group.deployments {
                let labels = model + [("deployment", deployment.deployment.id)]
                set(FleetMetrics.callsInFlight, labels, deployment.callsInFlight)
                set(FleetMetrics.eligible, labels, deployment.isEligible ? 1 : 0)
                set(FleetMetrics.healthy, labels, deployment.isHealthy ? 1 : 0)
                let states = ["closed": 0, "open": 1, "half_open": 2]
                set(FleetMetrics.breakerState, labels, states[deployment.breaker] ?? 0)
            }
        }
    }

    private func set(_ metric: MetricDescription, _ labels: [(String, String)], _ value: Int) {
        Meter(label: metric.name, dimensions: labels, factory: metrics).set(value)
    }
}
