// The gauges of a fleet: set to its present state before each reading, and gone with what they are about.

internal import CoreMetrics
import GatewayWire
import Synchronization

/// The gauges that stand in the backend.
final class FleetGauges: Sendable {
    struct Key: Hashable {
        var metric: String
        var model: String
        var deployment: String?
    }

    private let factory: any MetricsFactory
    private let gauges = Lock<[Key: Meter]>([:])

    init(factory: any MetricsFactory) {
        self.factory = factory
    }

    /// Sets the gauges to these values, and removes those that have none: a gauge of something that is gone would stand
    /// forever at its last value.
    func set(_ values: [Key: Int]) {
        gauges.withLock { gauges in
            for (key, value) in values {
                let gauge = gauges[key] ?? make(key)
                gauge.set(value)
                gauges[key] = gauge
            }
            guard gauges.count > values.count else { return }
            for (key, gauge) in gauges where values[key] == nil {
                gauge.destroy()
                gauges[key] = nil
            }
        }
    }

    private func make(_ key: Key) -> Meter {
        var labels = [("model", key.model)]
        if let deployment = key.deployment { labels.append(("deployment", deployment)) }
        return Meter(label: key.metric, dimensions: labels, factory: factory)
    }
}

extension Fleet {
    private static let breakerValues = [BreakerState.closed: 0, .open: 1, .halfOpen: 2]

    /// Sets the gauges to the present state, and lets go of the counters of what has been gone for some time.
    package func recordGauges() {
        series.sweep()
        var values: [FleetGauges.Key: Int] = [:]
        for group in status {
            func set(_ metric: MetricDescription, _ value: Int, _ deployment: String? = nil) {
                values[FleetGauges.Key(metric: metric.name, model: group.model, deployment: deployment)] = value
            }
            set(FleetMetrics.queueDepth, group.callsWaiting)
            set(FleetMetrics.prefixCacheBytes, group.prefixCacheBytes)
            for status in group.deployments {
                let id = status.deployment.id
                set(FleetMetrics.callsInFlight, status.callsInFlight, id)
                set(FleetMetrics.eligible, status.isEligible ? 1 : 0, id)
                set(FleetMetrics.healthy, status.isHealthy ? 1 : 0, id)
                set(FleetMetrics.breakerState, Self.breakerValues[status.breaker] ?? 0, id)
            }
        }
        gauges.set(values)
    }
}
