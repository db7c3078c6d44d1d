// The metrics of calls: made once for each model and deployment, then a few atomic additions for each call.

public import CoreMetrics
import GatewayWire
public import ModelGateway
import Synchronization

/// Counts calls, their durations and their tokens.
///
/// Give it to a `Gateway` as its observer. <doc:Metrics> lists the names. The handles of a model and deployment are made
/// with their first call, and kept until the model or the deployment has been gone for ten minutes. Calls of models that
/// do not exist are counted together, as those of ``unknownModel``.
public final class GatewayMetrics: CallObserver, Sendable {
    private struct Key: Hashable {
        var model: String
        var deployment: String
        var mode: String
    }

    private let factory: any MetricsFactory
    private let handles = Lock<[Key: CallMetrics]>([:])

    /// Creates the metrics of a gateway.
    /// - Parameter factory: Where the numbers go. Default: what the program gave to `MetricsSystem.bootstrap`.
    public init(factory: any MetricsFactory = MetricsSystem.factory) {
        self.factory = factory
    }

    /// The value of the label `model` for calls of models that do not exist: `unknown`.
    public static let unknownModel = "unknown"

    /// The handles for the calls of a model that a deployment answers. Keep them where that is easy: it saves a look-up.
    /// They count for nobody once the deployment is retired.
    package func calls(model: String, deployment: String?, provider: String?, mode: Mode) -> CallMetrics {
        let key = Key(model: model, deployment: deployment ?? "", mode: mode.rawValue)
        return handles.withLock { handles in
            if let found = handles[key] { return found }
            let made = CallMetrics(key.model, key.deployment, provider ?? "", key.mode, factory)
            // For programs that count calls of their own under names that nobody bounds.
            if handles.count < Self.handleLimit { handles[key] = made }
            return made
        }
    }

    private static let handleLimit = 10_000

    public func callFinished(_ record: CallRecord) {
        calls(
            model: record.isModelKnown ? record.model : Self.unknownModel,
            deployment: record.deployment,
            provider: record.provider,
            mode: record.mode
        ).finished(record)
    }

    public func deploymentRetired(_ id: String) {
        retire { $0.deployment == id }
    }

    public func modelRetired(_ model: String) {
        retire { $0.model == model }
    }

    /// Gives handles back. Under the lock: whoever asks for them from now on must get new ones.
    private func retire(where isGone: (Key) -> Bool) {
        handles.withLock { handles in
            for (key, metrics) in handles where isGone(key) {
                metrics.retire()
                handles[key] = nil
            }
        }
    }

    private static let callLabels = ["model", "deployment", "provider", "mode"]

    /// All metrics of the gateway: of calls, of requests over HTTP, and of routing and reliability. Give them to
    /// whatever publishes metrics, so that it knows their help texts and the ranges of histograms; ``PrometheusMetrics``
    /// has them by default.
    public static let descriptions: [MetricDescription] =
        [
            MetricDescription(
                name: "gateway_calls_total",
                kind: .counter,
                labels: callLabels + ["code"],
                help: "Finished calls by their outcome: ok, or the code of the error."
            ),
            MetricDescription(
                name: "gateway_call_attempts_total",
                kind: .counter,
                labels: callLabels,
                help: "Attempts of finished calls, counted for the deployment that answered or was tried last."
            ),
            MetricDescription(
                name: "gateway_call_duration_seconds",
                kind: .histogram,
                labels: callLabels,
                help: "Time from a call's start to its last byte, in seconds.",
                buckets: MetricDescription.durationBuckets
            ),
            MetricDescription(
                name: "gateway_time_to_first_token_seconds",
                kind: .histogram,
                labels: callLabels,
                help: "Time from a call's start to the first piece of the answer, in seconds.",
                buckets: MetricDescription.firstTokenBuckets
            ),
            MetricDescription(
                name: "gateway_input_tokens_total",
                kind: .counter,
                labels: callLabels,
                help: "Tokens of prompts, as providers reported them."
            ),
            MetricDescription(
                name: "gateway_output_tokens_total",
                kind: .counter,
                labels: callLabels,
                help: "Tokens of answers, as providers reported them."
            ),
        ] + HTTPMetrics.descriptions + FleetMetrics.all
}

/// The handles for the calls of one model that one deployment answers.
package final class CallMetrics: Sendable {
    private let dimensions: [(String, String)]
    private let factory: any MetricsFactory
    private let succeeded: Counter
    private let failed = Lock<[GatewayError.Code: Counter]>([:])
    private let attempts: Counter
    private let duration: CoreMetrics.Timer
    private let timeToFirstToken: CoreMetrics.Timer
    private let inputTokens: Counter
    private let outputTokens: Counter

    init(
        _ model: String,
        _ deployment: String,
        _ provider: String,
        _ mode: String,
        _ factory: any MetricsFactory
    ) {
        let labels = [("model", model), ("deployment", deployment), ("provider", provider), ("mode", mode)]
        func counter(_ label: String) -> Counter { Counter(label: label, dimensions: labels, factory: factory) }
        func timer(_ label: String) -> CoreMetrics.Timer {
            CoreMetrics.Timer(label: label, dimensions: labels, factory: factory)
        }
        dimensions = labels
        self.factory = factory
        succeeded = Counter(label: "gateway_calls_total", dimensions: labels + [("code", "ok")], factory: factory)
        attempts = counter("gateway_call_attempts_total")
        duration = timer("gateway_call_duration_seconds")
        timeToFirstToken = timer("gateway_time_to_first_token_seconds")
        inputTokens = counter("gateway_input_tokens_total")
        outputTokens = counter("gateway_output_tokens_total")
    }

    /// Counts a finished call.
    package func finished(_ record: CallRecord) {
        if let code = record.error {
            failureCounter(code).increment()
        } else {
            succeeded.increment()
        }
        attempts.increment(by: record.attempts)
        duration.recordNanoseconds(record.duration.inNanoseconds)
        if let first = record.timeToFirstToken { timeToFirstToken.recordNanoseconds(first.inNanoseconds) }
        if let usage = record.usage {
            inputTokens.increment(by: usage.promptTokens)
            outputTokens.increment(by: usage.completionTokens)
        }
    }

    fileprivate func retire() {
        let failed = failed.withLock { Array($0.values) }
        for counter in [succeeded, attempts, inputTokens, outputTokens] + failed { counter.destroy() }
        for timer in [duration, timeToFirstToken] { timer.destroy() }
    }

    private func failureCounter(_ code: GatewayError.Code) -> Counter {
        failed.withLock { failed in
            if let found = failed[code] { return found }
            let labels = dimensions + [("code", code.rawValue)]
            let made = Counter(label: "gateway_calls_total", dimensions: labels, factory: factory)
            failed[code] = made
            return made
        }
    }
}

extension Duration {
    /// The whole in nanoseconds, at most what 64 bits hold.
    var inNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? (seconds < 0 ? .min : .max) : product &+ attoseconds / 1_000_000_000
    }
}
