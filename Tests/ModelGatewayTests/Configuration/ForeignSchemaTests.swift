// That configurations of other programs load unchanged, with a warning for each key that has no effect here.

import Logging
import ModelGateway
import Testing

@Suite("Configurations of other programs")
struct ForeignSchemaTests {
    private func diagnose(
        _ text: String,
        name: String,
        environment: [String: String] = [:]
    ) -> Configuration.Diagnosis {
        Configuration.diagnose(Array(text.utf8), name: name, environment: environment)
    }

    private static let liteLLM = """
        model_list:
          - model_name: gpt-4o
            litellm_params:
              model: openai/gpt-4o
              api_key: os.environ/OPENAI_API_KEY
              rpm: 100
              timeout: 30
            model_info: {id: first, mode: chat, supports_vision: true}
          - model_name: gpt-4o
            litellm_params:
              model: hosted_vllm/Qwen/Qwen3-8B
              api_base: http://10.0.0.1:8000/v1
              weight: 2
              order: 1
              input_cost_per_token: 0.0000025
          - model_name: claude
            litellm_params: {model: anthropic/claude-sonnet-4-5, api_key: x}
          - model_name: local
            litellm_params: {model: ollama/llama3.2, api_base: "http://localhost:11434"}
          - model_name: embed
            litellm_params: {model: Qwen/Qwen3-Embedding, api_base: "http://10.0.0.2/v1"}
            model_info: {mode: embedding}
        router_settings:
          routing_strategy: least-busy
          num_retries: 4
          cooldown_time: 30
          model_group_alias: {gpt-4: gpt-4o}
          fallbacks: [{gpt-4o: [claude, local]}]
        litellm_settings: {drop_params: true, request_timeout: 90}
        general_settings: {master_key: sk-1234}
        """

    @Test(.readsYAML) func `A LiteLLM file loads unchanged`() throws {
        let diagnosis = diagnose(Self.liteLLM, name: "config.yaml", environment: ["OPENAI_API_KEY": "sk-x"])
        let configuration = try diagnosis.get()
        #expect(configuration.models.map(\.name) == ["gpt-4o", "local", "embed"])
        #expect(configuration.server.apiKeys.map { $0.reveal() } == ["sk-1234"])

        let model = configuration.models[0]
        #expect(model.aliases == ["gpt-4"] && model.fallbacks == ["local"])
        #expect(model.policy.name == "least_load")
        #expect(model.retry.maxAttempts == 5 && model.breaker.openTime == .seconds(30))
        #expect(model.deployments.map(\.id) == ["first", "gpt-4o/2"])
        #expect(model.deployments[0].provider.kind == .openAI)
        #expect(model.deployments[0].provider.apiKey?.reveal() == "sk-x")
        #expect(model.deployments[0].timeouts.total == .seconds(30))
        #expect(model.deployments[1].upstreamModel == "Qwen/Qwen3-8B")
        #expect(model.deployments[1].provider.baseURL == "http://10.0.0.1:8000/v1")
        #expect(model.deployments[1].weight == 2 && model.deployments[1].priority == 1)
        #expect(model.deployments[1].inputPrice.map { ($0 * 1000).rounded() } == 2500)
        #expect(model.deployments[1].timeouts.total == .seconds(90))

        #expect(configuration.models[1].deployments[0].provider.baseURL == "http://localhost:11434/v1")
        #expect(configuration.models[1].deployments[0].upstreamModel == "llama3.2")
        #expect(configuration.models[2].modes == [.embedding])
        #expect(configuration.models[2].deployments[0].upstreamModel == "Qwen/Qwen3-Embedding")
    }

    @Test(.readsYAML) func `What has no effect there is named`() throws {
        let diagnosis = diagnose(Self.liteLLM, name: "c.yaml", environment: ["OPENAI_API_KEY": "sk-x"])
        #expect(
            diagnosis.issues.map(\.description) == [
                "c.yaml:6:7: warning: model_list[0].litellm_params.rpm: has no effect here",
                "c.yaml:8:41: warning: model_list[0].model_info.supports_vision: has no effect here",
                "c.yaml:17:29: warning: model_list[2]: the provider 'anthropic' is not supported; left out",
                "c.yaml:28:24: warning: router_settings.fallbacks.gpt-4o: models that are not in the list, or were left out, have no effect",
                "c.yaml:29:20: warning: litellm_settings.drop_params: has no effect here",
            ]
        )
        #expect(try diagnosis.get().warnings == diagnosis.issues)
    }

    @Test(.readsYAML) func `A DeltaLLM file loads unchanged`() throws {
        let configuration = try diagnose(
            """
            model_list:
              - model_name: fast
                deployment_id: groq-1
                deltallm_params:
                  provider: groq
                  model: groq/llama-3.1-8b-instant
                  api_key: os.environ/GROQ
                model_info: {weight: 3, priority: 2, tags: [eu]}
            deltallm_settings: {}
            general_settings:
              log_level: DEBUG
              upstream_http_connect_timeout_seconds: 2
            """,
            name: "config.yaml",
            environment: ["GROQ": "g"]
        ).get()
        let deployment = try #require(configuration.models.first?.deployments.first)
        #expect(deployment.id == "groq-1" && deployment.upstreamModel == "llama-3.1-8b-instant")
        #expect(deployment.provider.baseURL == "https://api.groq.com/openai/v1")
        #expect(deployment.weight == 3 && deployment.priority == 2 && deployment.tags == ["eu"])
        #expect(deployment.timeouts.connect == .seconds(2))
        #expect(configuration.logging.level == .debug)
        #expect(configuration.models[0].policy.name == "random")
    }

    @Test func `A DB-GPT file loads unchanged`() throws {
        let diagnosis = diagnose(
            """
            [system]
            log_level = "INFO"
            encrypt_key = "x"

            [service.web]
            port = 5670

            [service.model.api]
            host = "0.0.0.0"
            port = 8100
            api_keys = "a, b"

            [models]
            default_llm = "deepseek-chat"

            [[models.llms]]
            name = "deepseek-chat"
            provider = "proxy/deepseek"
            api_key = "${env:DEEPSEEK_API_KEY}"

            [[models.llms]]
            name = "qwen"
            provider = "proxy/openai"
            backend = "qwen-max"
            api_base = "${env:OPENAI_API_BASE:-https://api.example.com/v1}"
            concurrency = 7

            [[models.llms]]
            name = "tiny"
            provider = "llama.cpp"
            path = "models/tiny.gguf"
            n_gpu_layers = 1000000000
            n_threads = 2

            [[models.llms]]
            name = "big"
            provider = "hf"
            path = "models/big"

            [[models.embeddings]]
            name = "embed"
            provider = "proxy/openai"
            api_url = "http://localhost:8100/api/v1/embeddings"
            api_key = "k"
            """,
            name: "dbgpt.toml",
            environment: ["DEEPSEEK_API_KEY": "ds"]
        )
        let configuration = try diagnosis.get()
        #expect(configuration.server.host == "0.0.0.0" && configuration.server.port == 8100)
        #expect(configuration.server.apiKeys.map { $0.reveal() } == ["a", "b"])
        #expect(configuration.models.map(\.name) == ["deepseek-chat", "qwen", "tiny", "embed"])
        let deployments = configuration.models.map { $0.deployments[0] }
        #expect(deployments[0].provider.baseURL == "https://api.deepseek.com/v1")
        #expect(deployments[0].provider.apiKey?.reveal() == "ds")
        #expect(deployments[1].upstreamModel == "qwen-max" && deployments[1].maxConcurrentCalls == 7)
        #expect(deployments[1].provider.baseURL == "https://api.example.com/v1")
        #expect(deployments[1].provider.apiKey == nil)
        #expect(deployments[2].provider.kind == .llama && deployments[2].path == "models/tiny.gguf")
        #expect(deployments[2].llama == Configuration.LlamaOptions(threads: 2, gpuLayers: -1))
        #expect(deployments[3].provider.baseURL == "http://localhost:8100/api/v1")
        #expect(configuration.models[3].modes == [.embedding])
        #expect(
            diagnosis.issues.map(\.description) == [
                "dbgpt.toml:3:1: warning: system.encrypt_key: has no effect here",
                "dbgpt.toml:5:10: warning: service.web: has no effect here",
                "dbgpt.toml:14:1: warning: models.default_llm: has no effect here",
                "dbgpt.toml:35:1: warning: models.llms[3]: the provider 'hf' is not supported; left out",
            ]
        )
    }

    @Test(.readsYAML) func `A missing variable is an error there too`() {
        let diagnosis = diagnose(Self.liteLLM, name: "c.yaml")
        #expect(diagnosis.configuration == nil)
        let errors = diagnosis.issues.filter { $0.severity == .error }
        #expect(errors.map(\.line) == [5])
        #expect(errors.first?.message == "the environment variable OPENAI_API_KEY is not set")
    }

    @Test(
        .readsYAML,
        arguments: ["model_list: 3", "model_list: [3, {model_name: 4}, {model_name: a}]", "model_list:\n  - {}"]
    )
    func `Nonsense is refused with its place`(_ text: String) {
        let diagnosis = diagnose(text, name: "c.yaml")
        #expect(diagnosis.configuration == nil)
        #expect(diagnosis.issues.allSatisfy { $0.line != nil })
    }
}
