// That the text format is right, that numbers are not lost, and that label values are bounded.

import CoreMetrics
import ModelGateway
import ModelGatewayTelemetry
import Testing

@Suite("Prometheus metrics")
struct PrometheusMetricsTests {
    private func lines(_ metrics: PrometheusMetrics) -> [String] {
        String(decoding: metrics.render(), as: UTF8.self).split(separator: "\n").map(String.init)
    }

    @Test func `Every type is rendered`() {
        let help = MetricDescription(name: "calls_total", kind: .counter, labels: [], help: "All\ncalls \\ of it.")
        let metrics = PrometheusMetrics(descriptions: [help])
        Counter(label: "calls", dimensions: [("b", "x\"y\\z\n"), ("a", "1")], factory: metrics).increment(by: 3)
        Meter(label: "load", factory: metrics).set(1.5)
        Gauge(label: "temp-now", factory: metrics).record(7)
        Recorder(label: "size", factory: metrics).record(5)
        CoreMetrics.Timer(label: "wait", factory: metrics).recordMilliseconds(30)
        let text = lines(metrics)
        #expect(
            text.prefix(3) == [
                "# HELP calls_total All\\ncalls \\\\ of it.", "# TYPE calls_total counter",
                "calls_total{a=\"1\",b=\"x\\\"y\\\\z\\n\"} 3",
            ]
        )
        #expect(text.contains("# TYPE load gauge") && text.contains("load 1.5"))
        #expect(text.contains("temp_now 7"))
        #expect(text.contains("size_bucket{le=\"4\"} 0") && text.contains("size_bucket{le=\"16\"} 1"))
        #expect(text.contains("size_bucket{le=\"+Inf\"} 1") && text.contains("size_sum 5"))
        #expect(text.contains("wait_seconds_bucket{le=\"0.02\"} 0"))
        #expect(text.contains("wait_seconds_bucket{le=\"0.04\"} 1"))
        #expect(text.contains("wait_seconds_sum 0.03") && text.contains("wait_seconds_count 1"))
    }

    @Test func `A value on a bound belongs to its bucket`() {
        let metrics = PrometheusMetrics(descriptions: [])
        Recorder(label: "size", factory: metrics).record(16)
        #expect(lines(metrics).contains("size_bucket{le=\"16\"} 1"))
    }

    @Test func `Many threads lose nothing`() async {
        let metrics = PrometheusMetrics(descriptions: [])
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let counter = Counter(label: "n", factory: metrics)
                    let meter = Meter(label: "m", factory: metrics)
                    let recorder = Recorder(label: "r", factory: metrics)
                    for _ in 0..<1000 {
                        counter.increment()
                        meter.increment(by: 0.5)
                        recorder.record(1)
                    }
                }
            }
        }
        let text = lines(metrics)
        #expect(text.contains("n_total 8000") && text.contains("m 4000"))
        #expect(text.contains("r_count 8000") && text.contains("r_sum 8000"))
    }

    @Test func `Label values beyond the limit are counted as other`() {
        let metrics = PrometheusMetrics(descriptions: [], seriesLimit: 3)
        for index in 0..<10 {
            Counter(label: "n", dimensions: [("user", "\(index)")], factory: metrics).increment()
        }
        let text = lines(metrics)
        #expect(text.filter { $0.hasPrefix("n_total") }.count == 4)
        #expect(text.contains("n_total{user=\"other\"} 7"))
        #expect(text.contains("metrics_series_limited_total{metric=\"n_total\"} 7"))
    }

    @Test func `One name has one type`() {
        let metrics = PrometheusMetrics(descriptions: [])
        Meter(label: "x", factory: metrics).set(1)
        Recorder(label: "x", factory: metrics).record(5)
        #expect(lines(metrics) == ["# TYPE x gauge", "x 1"])
    }

    @Test func `Calls are counted by model and outcome`() {
        let metrics = PrometheusMetrics()
        let gateway = GatewayMetrics(factory: metrics)
        var record = CallRecord(requestID: "r", model: "m", mode: .chat, deployment: "d", provider: "p", attempts: 2)
        record.duration = .milliseconds(1500)
        record.timeToFirstToken = .milliseconds(80)
        record.usage = Usage(promptTokens: 10, completionTokens: 4)
        gateway.callFinished(record)
        record.error = .timedOut
        record.usage = nil
        gateway.callFinished(record)
        let text = lines(metrics)
        let labels = "deployment=\"d\",mode=\"chat\",model=\"m\",provider=\"p\""
        #expect(text.contains("gateway_calls_total{code=\"ok\",\(labels)} 1"))
        #expect(text.contains("gateway_calls_total{code=\"timed_out\",\(labels)} 1"))
        #expect(text.contains("gateway_call_attempts_total{\(labels)} 4"))
        #expect(text.contains("gateway_input_tokens_total{\(labels)} 10"))
        #expect(text.contains("gateway_call_duration_seconds_sum{\(labels)} 3"))
        #expect(text.contains("gateway_time_to_first_token_seconds_bucket{\(labels),le=\"0.08\"} 2"))
    }

    @Test func `Every metric that is made is described`() {
        let metrics = PrometheusMetrics()
        let gateway = GatewayMetrics(factory: metrics)
        gateway.callFinished(CallRecord(requestID: "r", model: "m", mode: .chat))
        let server = HTTPMetrics(endpoints: ["/x"], factory: metrics)
        server.requestFinished(path: "/y", status: 404, duration: .zero, bytesIn: 1, bytesOut: 2)
        server.certificateLoaded("api.example", expiresAt: 1_800_000_000)
        useFleet(metrics)
        let text = lines(metrics)
        let types = text.filter { $0.hasPrefix("# TYPE ") }.map { $0.split(separator: " ") }
        let made = Set(types.map { "\($0[2]) \($0[3])" })
        #expect(made == Set(GatewayMetrics.descriptions.map { "\($0.name) \($0.kind.rawValue)" }))
        #expect(text.contains("gateway_http_requests_total{endpoint=\"other\",status=\"4xx\"} 1"))
        #expect(text.contains("gateway_tls_certificate_expiry_seconds{name=\"api.example\"} 1800000000"))
    }

    /// A provider that is never called.
    private struct SilentProvider: Provider {
        let name = "silent"
        let modes: Set<Mode> = [.chat]
        func models(timeouts: Timeouts) async throws(GatewayError) -> [ModelInfo] { [] }
    }

    private static func deployment(_ id: String) -> Deployment {
        Deployment(id: id, provider: SilentProvider(), upstreamModel: "upstream")
    }

    /// Makes everything happen once that the fleet counts.
    private func useFleet(_ metrics: PrometheusMetrics) {
        let policy = RoutingPolicyKind.cacheAware()
        let group = DeploymentGroup(
            model: "m",
            deployments: ["d0", "d1"].map(Self.deployment),
            policy: policy,
            health: HealthOptions()
        )
        let fleet = Fleet([group], metrics: metrics)
        let input = RoutingInput(text: Array("a prompt".utf8))
        guard let group = try? fleet.group("m") else { return }
        for _ in 0..<5 { try? group.acquire(RoutingInput(forcedDeployment: "d0")).finish(.failure) }
        for _ in 0..<3 { group.probed("d0", succeeded: false) }
        for _ in 0..<2 {
            let lease = try? group.acquire(input)
            lease?.accepted()
            lease?.finish(.success)
        }
        var tried = TriedDeployments()
        let attempt = FailedAttempt(attempts: 1, remaining: nil)
        _ = group.retryDecision(after: GatewayError(.timedOut, "test"), attempt, tried: &tried)
        fleet.recordGauges()
    }
}
