// What is counted of one group.

internal import CoreMetrics

/// The counters of one group, made once.
final class GroupMetrics: RetirableCounters {
    private let retries: Counter
    private let fallbacks: Counter
    private let stops: Counter
    private let hits: Counter
    private let misses: Counter

    init(model: String, factory: any MetricsFactory) {
        retries = FleetMetrics.retries.counter(model, "retry", factory: factory)
        fallbacks = FleetMetrics.retries.counter(model, "fallback", factory: factory)
        stops = FleetMetrics.retries.counter(model, "stop", factory: factory)
        hits = FleetMetrics.prefixCacheTokens.counter(model, "hit", factory: factory)
        misses = FleetMetrics.prefixCacheTokens.counter(model, "miss", factory: factory)
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

    func retire() {
        for counter in [retries, fallbacks, stops, hits, misses] { counter.destroy() }
    }
}
