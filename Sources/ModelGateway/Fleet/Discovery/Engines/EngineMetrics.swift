// What each engine calls its load in `/metrics`, and how the numbers become a report.

/// The names of an engine's metrics.
package struct EngineMetrics: Sendable {
    let running: [String]
    let waiting: [String]
    /// The used share of the KV cache, 0 to 1.
    let cacheUsage: [String]
    /// Prompt tokens per second, averaged by the engine.
    let throughput: String?
    /// How many tokens the KV cache holds.
    let cacheTokens: String?
    /// A metric whose labels are the sizes of the KV cache.
    let cacheInfo: String?

    /// The path of the metrics.
    static let path = "/metrics"

    /// The names that an engine uses; nil for engines without metrics about their load.
    package static func of(_ engine: Engine) -> EngineMetrics? {
        switch engine.kind {
        case .vllm:
            // vLLM's engine V1 renamed the metric of the cache's usage.
            EngineMetrics(
                running: ["vllm:num_requests_running"],
                waiting: ["vllm:num_requests_waiting"],
                cacheUsage: ["vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"],
                throughput: nil,
                cacheTokens: nil,
                cacheInfo: "vllm:cache_config_info"
            )
        case .sglang:
            EngineMetrics(
                running: ["sglang:num_running_reqs"],
                waiting: ["sglang:num_queue_reqs"],
                cacheUsage: ["sglang:token_usage"],
                throughput: nil,
                cacheTokens: "sglang:max_total_num_tokens",
                cacheInfo: nil
            )
        case .llamaCpp:
            EngineMetrics(
                running: ["llamacpp:requests_processing"],
                waiting: ["llamacpp:requests_deferred"],
                cacheUsage: ["llamacpp:kv_cache_usage_ratio"],
                throughput: "llamacpp:prompt_tokens_seconds",
                cacheTokens: nil,
                cacheInfo: nil
            )
        default: nil
        }
    }

    /// Reads an engine's metrics; nil if neither its running nor its waiting requests are among them.
    ///
    /// Series with the same name are added up (an engine with data parallelism has one per rank); shares are averaged.
    package func read(_ text: [UInt8]) -> EngineReading? {
        let samples = MetricsReader.samples(in: text) { name in
            running.contains(name) || waiting.contains(name) || cacheUsage.contains(name) || name == throughput
                || name == cacheTokens || name == cacheInfo || name == Self.startTime
        }
        func values(_ names: [String]) -> [Double] {
            for name in names {
                let found = samples.filter { $0.name == name && $0.value.isFinite }.map(\.value)
                if !found.isEmpty { return found }
            }
            return []
        }
        let (runs, waits) = (values(running), values(waiting))
        guard !runs.isEmpty || !waits.isEmpty else { return nil }
        let usages = values(cacheUsage)
        let load = EngineLoad(
            waitingRequests: Self.count(waits.reduce(0, +)),
            runningRequests: Self.count(runs.reduce(0, +)),
            cacheUsage: usages.isEmpty ? 0 : min(max(usages.reduce(0, +) / Double(usages.count), 0), 1),
            throughput: throughput.flatMap { values([$0]).first }.flatMap { $0 > 0 ? $0 : nil },
            cacheTokens: cacheSize(samples, values(cacheTokens.map { [$0] } ?? []))
        )
        return EngineReading(load: load, startTime: values([Self.startTime]).max())
    }

    /// What the Prometheus client libraries say about the process.
    private static let startTime = "process_start_time_seconds"

    private func cacheSize(_ samples: [MetricsReader.Sample], _ stated: [Double]) -> Int? {
        if !stated.isEmpty { return Self.count(stated.reduce(0, +)) }
        let blocks = samples.filter { $0.name == cacheInfo }.compactMap { sample -> Int? in
            guard let size = sample.labels["block_size"].flatMap({ Int($0) }),
                let number = sample.labels["num_gpu_blocks"].flatMap({ Int($0) })
            else { return nil }
            let (tokens, overflow) = size.multipliedReportingOverflow(by: number)
            return overflow || tokens <= 0 ? nil : tokens
        }
        return blocks.isEmpty ? nil : blocks.reduce(0) { $0.addingReportingOverflow($1).partialValue }
    }

    /// A gauge as a count, however the engine wrote it.
    private static func count(_ value: Double) -> Int { Int(min(max(value, 0), 1e12)) }
}

/// What an engine reported about itself at one moment.
package struct EngineReading: Sendable {
    package var load: EngineLoad
    /// When its process started, in seconds since 1970.
    package var startTime: Double?
}
