// That the metrics do not grow with what callers invent, nor with deployments that come and go.

import CoreMetrics
import ModelGatewayTelemetry
import ModelGatewayTesting
import Testing

@testable import ModelGateway

@Suite("Metric series", .timeLimit(.minutes(1)))
struct MetricSeriesTests {
    private let clock = VirtualClock(start: .seconds(1000))
    private let metrics = PrometheusMetrics()

    private func lines(_ prefix: String) -> [String] {
        String(decoding: metrics.render(), as: UTF8.self).split(separator: "\n").map(String.init)
            .filter { $0.hasPrefix(prefix) }
    }

    /// A gateway whose only model is `m`, with a deployment `d0`.
    private func gateway() -> Gateway {
        let fleet = Fleet(
            [DeploymentGroup(model: "m", deployments: deployments(1))],
            time: clock.source,
            metrics: metrics
        )
        let observer = GatewayMetrics(factory: metrics)
        return Gateway(groups: [], registry: WorkerRegistry(fleet, time: clock.source), observer: observer)
    }

    private func call(_ model: String, of gateway: Gateway) async {
        let body = #"{"model":"\#(model)","messages":[{"role":"user","content":"Hi"}]}"#
        _ = try? await gateway.relay(WireRequest(.openAIChat, body: Array(body.utf8), requestID: "r"))
    }

    @Test func `A4: models that do not exist share one label, and one added later has its own`() async {
        let gateway = gateway()
        for index in 0..<2000 { await call("made-up-\(index)", of: gateway) }
        _ = try? await gateway.relay(WireRequest(.openAIChat, body: Array("no JSON".utf8), requestID: "r"))
        // Good ones, bad bodies, and unknown models.
        #expect(lines("gateway_calls_total").count == 3)
        #expect(
            lines("gateway_calls_total{code=\"model_not_found\"") == [
                #"gateway_calls_total{code="model_not_found",deployment="",mode="chat",model="unknown",provider=""} 2000"#
            ]
        )
        #expect(metrics.render().count < 20_000)
        gateway.fleet.set(deployment("late"), of: "later", template: DeploymentGroup(model: "later"))
        await call("later", of: gateway)
        #expect(lines("gateway_calls_total").contains { $0.contains(#"deployment="late",mode="chat",model="later""#) })
        #expect(lines("metrics_series_limited_total").isEmpty)
    }

    @Test func `A4: a deployment that is gone keeps its counters for ten minutes and its gauges not at all`()
        async throws
    {
        let gateway = gateway()
        let group = try gateway.fleet.group("m")
        group.set(deployment("d1"))
        for _ in 0..<5 { try group.acquire(RoutingInput(forcedDeployment: "d1")).finish(.failure) }
        var record = CallRecord(requestID: "r", model: "m", mode: .chat, deployment: "d1", provider: "p")
        record.error = .upstreamFailed
        gateway.registry.fleet.series.tell(nil)
        let counted = GatewayMetrics(factory: metrics)
        gateway.registry.fleet.series.tell(counted)
        counted.callFinished(record)
        gateway.recordGauges()
        func named(_ id: String) -> [String] { lines("gateway_").filter { $0.contains("deployment=\"\(id)\"") } }
        #expect(named("d1").contains { $0.hasPrefix("gateway_breaker_transitions_total") })
        #expect(named("d1").contains { $0.hasPrefix("gateway_deployment_eligible") })
        #expect(named("d1").contains { $0.hasPrefix("gateway_calls_total") })
        group.remove("d1")
        gateway.recordGauges()
        #expect(!named("d1").contains { $0.hasPrefix("gateway_deployment_") || $0.hasPrefix("gateway_breaker_state") })
        clock.advance(by: .seconds(599))
        gateway.recordGauges()
        let failures = #"gateway_attempt_outcomes_total{deployment="d1",model="m",outcome="failure"}"#
        #expect(lines(failures) == ["\(failures) 5"])

        // It comes back in time, and goes on counting where it was.
        group.set(deployment("d1"))
        clock.advance(by: .seconds(1000))
        gateway.recordGauges()
        try group.acquire(RoutingInput(forcedDeployment: "d1")).finish(.failure)
        #expect(lines(failures) == ["\(failures) 6"])

        group.remove("d1")
        clock.advance(by: .seconds(601))
        gateway.recordGauges()
        #expect(named("d1").isEmpty)
        #expect(named("d0").isEmpty == false)
        counted.callFinished(record)
        #expect(lines("gateway_calls_total").contains { $0.contains(#"deployment="d1""#) && $0.hasSuffix(" 1") })
        group.set(deployment("d1"))
        try group.acquire(RoutingInput(forcedDeployment: "d1")).finish(.failure)
        #expect(lines(failures) == ["\(failures) 1"])
    }

    @Test func `A4: a model that is gone takes its gauges along, and later its counters`() async throws {
        let gateway = gateway()
        await call("m", of: gateway)
        gateway.recordGauges()
        #expect(lines("gateway_queue_depth").count == 1)
        #expect(lines("gateway_retries_total").count == 3)
        gateway.fleet.apply([])
        gateway.recordGauges()
        #expect(lines("gateway_queue_depth").isEmpty && lines("gateway_deployment_eligible").isEmpty)
        #expect(!lines("gateway_calls_total").isEmpty)
        clock.advance(by: .seconds(601))
        gateway.recordGauges()
        #expect(lines("gateway_").isEmpty)
    }

    @Test func `A4: workers that come and go leave nothing behind, without anyone reading the metrics`() throws {
        let gateway = gateway()
        let group = try gateway.fleet.group("m")
        for index in 0..<200 {
            group.set(deployment("w\(index)"))
            try group.acquire(RoutingInput(forcedDeployment: "w\(index)")).finish(.success)
            group.remove("w\(index)")
            clock.advance(by: .seconds(60))
            gateway.fleet.series.sweep()
        }
        #expect(lines("gateway_selections_total").count <= 12)
    }

    @Test func `A4: what is given back makes room below the limit, and what was folded stays counted`() {
        let metrics = PrometheusMetrics(descriptions: [], seriesLimit: 2)
        func counter(_ user: String) -> Counter { Counter(label: "n", dimensions: [("user", user)], factory: metrics) }
        let first = counter("a")
        let folded = [counter("b"), counter("c"), counter("d")]
        for counter in folded { counter.increment() }
        folded[2].destroy()
        first.destroy()
        counter("e").increment()
        let text = String(decoding: metrics.render(), as: UTF8.self)
        #expect(text.contains("n_total{user=\"other\"} 2\n") && text.contains("n_total{user=\"e\"} 1\n"))
        #expect(!text.contains("user=\"a\"") && text.contains("metrics_series_limited_total{metric=\"n_total\"} 2\n"))
    }
}
