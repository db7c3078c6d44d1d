// What engines write at /metrics, and what is read from it.

import ModelGateway
import Testing

@Suite struct EngineMetricsTests {
    private func read(_ kind: Engine.Kind, _ text: String) throws -> EngineReading? {
        try #require(EngineMetrics.of(Engine(kind: kind))).read(Array(text.utf8))
    }

    @Test func `vLLM`() throws {
        let reading = try #require(
            try read(
                .vllm,
                """
                # HELP process_start_time_seconds Start time of the process since unix epoch in seconds.
                # TYPE process_start_time_seconds gauge
                process_start_time_seconds 1.76371234567e+09
                # HELP vllm:num_requests_running Number of requests in model execution batches.
                # TYPE vllm:num_requests_running gauge
                vllm:num_requests_running{engine="0",model_name="Qwen/Qwen3-8B"} 7.0
                vllm:num_requests_running{engine="1",model_name="Qwen/Qwen3-8B"} 5.0
                vllm:num_requests_waiting{engine="0",model_name="Qwen/Qwen3-8B"} 3.0
                vllm:num_requests_waiting{engine="1",model_name="Qwen/Qwen3-8B"} 0.0
                vllm:kv_cache_usage_perc{engine="0",model_name="Qwen/Qwen3-8B"} 0.5
                vllm:kv_cache_usage_perc{engine="1",model_name="Qwen/Qwen3-8B"} 0.25
                vllm:cache_config_info{block_size="16",cache_dtype="auto",engine="0",num_gpu_blocks="1000"} 1.0
                vllm:cache_config_info{block_size="16",cache_dtype="auto",engine="1",num_gpu_blocks="500"} 1.0
                vllm:prompt_tokens_total{engine="0",model_name="Qwen/Qwen3-8B"} 12345.0
                """
            )
        )
        #expect(
            reading.load
                == EngineLoad(waitingRequests: 3, runningRequests: 12, cacheUsage: 0.375, cacheTokens: 24_000)
        )
        #expect(reading.startTime == 1_763_712_345.67)
    }

    @Test func `vLLM before its engine V1`() throws {
        let reading = try read(
            .vllm,
            """
            vllm:num_requests_running{model_name="m"} 1.0
            vllm:num_requests_waiting{model_name="m"} 2.0
            vllm:gpu_cache_usage_perc{model_name="m"} 0.75
            """
        )
        #expect(reading?.load == EngineLoad(waitingRequests: 2, runningRequests: 1, cacheUsage: 0.75))
    }

    @Test func `SGLang`() throws {
        let reading = try read(
            .sglang,
            """
            # HELP sglang:num_running_reqs The number of running requests.
            # TYPE sglang:num_running_reqs gauge
            sglang:num_running_reqs{model_name="meta-llama/Llama-3.1-8B-Instruct"} 162.0
            sglang:token_usage{model_name="meta-llama/Llama-3.1-8B-Instruct"} 0.28
            sglang:gen_throughput{model_name="meta-llama/Llama-3.1-8B-Instruct"} 86.50814177726902
            sglang:num_queue_reqs{model_name="meta-llama/Llama-3.1-8B-Instruct"} 2826.0
            sglang:max_total_num_tokens{model_name="meta-llama/Llama-3.1-8B-Instruct"} 444500.0
            """
        )
        #expect(
            reading?.load
                == EngineLoad(waitingRequests: 2826, runningRequests: 162, cacheUsage: 0.28, cacheTokens: 444_500)
        )
    }

    @Test func `llama.cpp`() throws {
        let reading = try read(
            .llamaCpp,
            """
            # HELP llamacpp:prompt_tokens_seconds Average prompt throughput in tokens/s.
            # TYPE llamacpp:prompt_tokens_seconds gauge
            llamacpp:prompt_tokens_seconds 812.5
            llamacpp:predicted_tokens_seconds 41.7
            llamacpp:kv_cache_usage_ratio 0.125
            llamacpp:requests_processing 2
            llamacpp:requests_deferred 1
            """
        )
        #expect(
            reading?.load == EngineLoad(waitingRequests: 1, runningRequests: 2, cacheUsage: 0.125, throughput: 812.5)
        )
    }

    @Test func `engines without such metrics have none`() {
        for kind in [Engine.Kind.ollama, .lmStudio, .generic] { #expect(EngineMetrics.of(Engine(kind: kind)) == nil) }
    }

    @Test(arguments: ["", "vllm:num_requests_running", "vllm:num_requests_running{a=\"b 3", "<html>", "x 1\n"])
    func `text without the numbers is no report`(_ text: String) throws {
        #expect(try read(.vllm, text) == nil)
    }

    @Test func `numbers that make no sense do no harm`() throws {
        let reading = try read(
            .vllm,
            """
            vllm:num_requests_running -4
            vllm:num_requests_waiting 1e300
            vllm:num_requests_waiting NaN
            vllm:kv_cache_usage_perc 17
            vllm:cache_config_info{block_size="9223372036854775807",num_gpu_blocks="9"} 1
            """
        )
        let load = try #require(reading?.load)
        #expect(load.runningRequests == 0)
        #expect(load.waitingRequests == 1_000_000_000_000)
        #expect(load.cacheUsage == 1)
        #expect(load.cacheTokens == nil)
    }

    @Test func `labels with escapes, times and white space are read`() {
        let text = "a{x=\"q\\\"\\\\\\n,}\" , y=\"2\",} 3 1700000000\r\n# a 9\nb +Inf\nc{x=1} 2\n{} 1\nd\t0x\n"
        let samples = MetricsReader.samples(in: Array(text.utf8)) { _ in true }
        #expect(
            samples == [
                MetricsReader.Sample(name: "a", labels: ["x": "q\"\\\n,}", "y": "2"], value: 3),
                MetricsReader.Sample(name: "b", labels: [:], value: .infinity),
            ]
        )
    }
}
