// The metrics of routing and reliability: counters for what happens, gauges for what is.

internal import CoreMetrics

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
        help:
            "Results of attempts: success, failure, rate_limited, model_missing, out_of_quota, cancelled or misconfigured."
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
        help: "Calls that wait for a free slot."
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
        help: "0 closed, 1 open, 2 half-open; the worst of several modes."
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
        help: "Memory used by the prompt index of cache_aware."
    )
}

extension MetricDescription {
    /// The counter whose labels have these values, in the order of their names.
    func counter(_ values: String..., factory: any MetricsFactory) -> Counter {
        Counter(label: name, dimensions: Array(zip(labels, values)), factory: factory)
    }
}
