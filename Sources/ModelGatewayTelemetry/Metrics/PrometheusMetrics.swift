// A backend for swift-metrics that keeps its numbers in this process and writes Prometheus' text format.

public import CoreMetrics
import GatewayWire
public import ModelGateway
import Synchronization

/// Collects what is recorded through swift-metrics and renders it for a Prometheus server.
///
/// ```swift
/// let metrics = PrometheusMetrics()
/// MetricsSystem.bootstrap(metrics)
/// // … in the handler of GET /metrics:
/// let body = metrics.render()
/// ```
///
/// Recording is one or two atomic additions; making a handle takes a lock, so make it once and keep it. A metric has at
/// most ``seriesLimit`` combinations of label values: further ones are counted together under the label value `other`,
/// and `metrics_series_limited_total` says how often that happened. Handles that are destroyed take their series along.
public final class PrometheusMetrics: MetricsFactory, Sendable {
    /// The combinations of label values that one metric may have.
    public let seriesLimit: Int

    private struct State {
        var families: [String: MetricFamily] = [:]
        /// Where each series is that may be given back. Those for `other` are not here: many handles share them.
        var places: [ObjectIdentifier: (family: String, labels: String)] = [:]
    }

    private let state = Lock(State())
    private let descriptions: [String: MetricDescription]

    /// Creates an empty collection.
    /// - Parameters:
    ///   - descriptions: The help texts and histogram bounds of metrics that are known beforehand.
    ///   - seriesLimit: The combinations of label values that one metric may have, at least 1. Default 10,000.
    public init(descriptions: [MetricDescription] = GatewayMetrics.descriptions, seriesLimit: Int = 10_000) {
        self.seriesLimit = max(1, seriesLimit)
        self.descriptions = Dictionary(descriptions.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// All metrics in Prometheus' text format, version 0.0.4, sorted by name.
    ///
    /// Serve it as `text/plain; version=0.0.4; charset=utf-8`. Numbers that change meanwhile may be from before or after.
    public func render() -> [UInt8] {
        let families = state.withLock { $0.families.values.sorted { $0.name < $1.name } }
        var output: [UInt8] = []
        output.reserveCapacity(families.count * 1024)
        for family in families { family.render(to: &output) }
        return output
    }

    // MARK: MetricsFactory

    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(PrometheusText.name(label, suffix: "_total"), .counter, dimensions) { _ in PrometheusCounter() }
    }

    public func makeFloatingPointCounter(
        label: String,
        dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        series(PrometheusText.name(label, suffix: "_total"), .counter, dimensions) { _ in PrometheusCounter() }
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(PrometheusText.name(label), .gauge, dimensions) { _ in PrometheusGauge() }
    }

    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        guard aggregate else {
            return series(PrometheusText.name(label), .gauge, dimensions) { _ in PrometheusGauge() }
        }
        return series(PrometheusText.name(label), .histogram, dimensions) {
            PrometheusHistogram(bounds: $0?.buckets ?? MetricDescription.tokenBuckets)
        }
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        series(PrometheusText.name(label, suffix: "_seconds"), .histogram, dimensions) {
            PrometheusHistogram(bounds: $0?.buckets ?? MetricDescription.durationBuckets)
        }
    }

    public func destroyCounter(_ handler: any CounterHandler) { destroy(handler) }
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { destroy(handler) }
    public func destroyMeter(_ handler: any MeterHandler) { destroy(handler) }
    public func destroyRecorder(_ handler: any RecorderHandler) { destroy(handler) }
    public func destroyTimer(_ handler: any TimerHandler) { destroy(handler) }

    // MARK: Series

    /// The series with these labels: the one that there is, or a new one. A name that is taken by another type of metric
    /// gets a series that nobody sees, since the format cannot hold both.
    private func series<Series: MetricSeries>(
        _ name: String,
        _ kind: MetricDescription.Kind,
        _ dimensions: [(String, String)],
        make: (MetricDescription?) -> Series
    ) -> Series {
        let labels = PrometheusText.labels(dimensions)
        let description = descriptions[name]
        return state.withLock { state in
            let family = state.families[name] ?? MetricFamily(name: name, kind: kind, help: description?.help)
            state.families[name] = family
            if let found = family.series[labels] { return found as? Series ?? make(description) }
            guard family.kind == kind else { return make(description) }
            if family.count < seriesLimit {
                let series = make(description)
                state.families[name]?.series[labels] = series
                state.places[ObjectIdentifier(series)] = (name, labels)
                return series
            }
            Self.countLimited(name, &state.families)
            let other = PrometheusText.labels(dimensions.map { ($0.0, "other") })
            if let found = family.series[other] { return found as? Series ?? make(description) }
            let series = make(description)
            state.families[name]?.series[other] = series
            state.families[name]?.hasOther = true
            return series
        }
    }

    private static let limitedName = "metrics_series_limited_total"

    private static func countLimited(_ name: String, _ families: inout [String: MetricFamily]) {
        let help = "Combinations of label values that were counted as other, by metric."
        var family = families[limitedName] ?? MetricFamily(name: limitedName, kind: .counter, help: help)
        let labels = PrometheusText.labels([("metric", name)])
        let counter = family.series[labels] as? PrometheusCounter ?? PrometheusCounter()
        counter.increment(by: 1 as Int64)
        family.series[labels] = counter
        families[limitedName] = family
    }

    private func destroy(_ handler: AnyObject) {
        state.withLock { state in
            guard let place = state.places.removeValue(forKey: ObjectIdentifier(handler)) else { return }
            state.families[place.family]?.series[place.labels] = nil
            if state.families[place.family]?.series.isEmpty ?? false { state.families[place.family] = nil }
        }
    }
}

/// One metric with all its combinations of label values.
struct MetricFamily: Sendable {
    var name: String
    var kind: MetricDescription.Kind
    var help: String?
    /// By the labels as they are rendered, without braces.
    var series: [String: any MetricSeries] = [:]
    /// Whether one of them stands for all that were beyond the limit.
    var hasOther = false

    /// The series that count against the limit.
    var count: Int { hasOther ? series.count - 1 : series.count }

    init(name: String, kind: MetricDescription.Kind, help: String?) {
        self.name = name
        self.kind = kind
        self.help = help
    }

    func render(to output: inout [UInt8]) {
        if let help {
            output += "# HELP \(name) ".utf8
            PrometheusText.appendHelp(help, to: &output)
            output.append(UInt8(ascii: "\n"))
        }
        output += "# TYPE \(name) \(kind.rawValue)\n".utf8
        for (labels, series) in series.sorted(by: { $0.key < $1.key }) {
            series.render(name: name, labels: labels, to: &output)
        }
    }
}
