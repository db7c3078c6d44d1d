// That TOML and YAML carry the same fields, and that what is left out has its default.

import Logging
import ModelGateway
import Testing

@Suite("Reading a configuration")
struct ConfigurationReadingTests {
    static func diagnose(
        _ text: String,
        name: String = "gateway.toml",
        environment: [String: String] = [:]
    ) -> Configuration.Diagnosis {
        Configuration.diagnose(Array(text.utf8), name: name, environment: environment)
    }

    static let environment = ["OPENAI_API_KEY": "sk-live", "GATEWAY_KEY": "gw-1"]

    @Test(.readsYAML) func `Both examples are the same configuration`() throws {
        let toml = try Self.diagnose(Example.toml, environment: Self.environment).get()
        let yaml = try Self.diagnose(Example.yaml, name: "gateway.yaml", environment: Self.environment).get()
        #expect(toml == yaml)
        #expect(toml.warnings.isEmpty)
    }

    @Test func `The example means what it says`() throws {
        let configuration = try Self.diagnose(Example.toml, environment: Self.environment).get()
        #expect(configuration.server.host == "0.0.0.0")
        #expect(configuration.server.apiKeys.map { $0.reveal() } == ["gw-1"])
        #expect(configuration.server.maxBodyBytes == 32 << 20)
        #expect(configuration.server.drainDeadline == .seconds(120))
        #expect(configuration.logging == Configuration.Logging(level: .debug, format: .json))
        #expect(configuration.localModels["tiny"]?.path == "/models/tiny.gguf")

        let openai = try #require(configuration.providers["openai"])
        #expect(openai.kind == .openAI)
        #expect(openai.baseURL == "https://api.openai.com/v1")
        #expect(openai.apiKey?.reveal() == "sk-live")
        #expect(openai.timeouts == Timeouts(connect: .milliseconds(2500)))

        let model = try #require(configuration.models.first)
        #expect(model.name == "gpt-4o" && model.aliases == ["default"])
        #expect(model.retry.maxAttempts == 2)
        #expect(model.fallbacks == ["tiny"])
        #expect(model.deployments.map(\.id) == ["hosted", "gpt-4o/2"])
        let hosted = model.deployments[0]
        #expect(hosted.provider == openai)
        #expect(hosted.upstreamModel == "gpt-4o-2024-11-20")
        #expect(hosted.timeouts == Timeouts(connect: .milliseconds(2500), firstByte: .seconds(20)))
        #expect(hosted.labels == ["region": "eu"] && hosted.tags == ["fast", "eu"])
        let own = model.deployments[1]
        #expect(own.provider.baseURL == "http://10.0.0.5:8000/v1")
        #expect(own.provider.apiKey == nil)
        #expect(own.upstreamModel == "gpt-4o" && own.priority == 1 && own.weight == 0.5)
        #expect(configuration.workers.urls == ["http://10.0.0.6:8000", "http://10.0.0.7:8000"])
    }

    @Test(arguments: [
        ("true", HTTP2Use.negotiated), ("false", .off), (#""prior_knowledge""#, .priorKnowledge),
        (#""${env:USE}""#, .negotiated),
    ])
    func `HTTP/2 is off, offered or spoken without asking`(value: String, use: HTTP2Use) throws {
        func provider(_ line: String) throws -> Configuration.Provider? {
            let text = "[providers.a]\nbase_url = \"http://127.0.0.1/v1\"\n\(line)\n"
            return try Self.diagnose(text, environment: ["USE": "true"]).get().providers["a"]
        }
        #expect(try provider("http2 = \(value)")?.http2 == use)
        #expect(try provider("")?.http2 == .off)
        let issues = Self.diagnose("[providers.a]\nbase_url = \"http://h/v1\"\nhttp2 = \"h2c\"").issues
        #expect(issues.map(\.message) == ["'h2c' is not known; allowed: false, prior_knowledge, true"])
    }

    @Test func `An empty file is the default configuration`() throws {
        #expect(try Self.diagnose("").get() == Configuration())
        guard Configuration.FileFormat.yaml.isAvailable else { return }
        #expect(try Self.diagnose("# nothing\n", name: "a.yaml").get() == Configuration())
    }

    @Test(
        .readsYAML,
        arguments: [
            ("[server]\nport = 1234", Configuration.FileFormat.toml), ("server:\n  port: 1234", .yaml),
            ("# a note\n\nserver = { port = 1234 }", .toml), ("{\"server\": {\"port\": 1234}}", .yaml),
        ]
    )
    func `The content shows the format`(_ text: String, _ format: Configuration.FileFormat) throws {
        #expect(try Self.diagnose(text, name: "config").get().server.port == 1234)
    }

    @Test(arguments: [
        ("\"250ms\"", Duration.milliseconds(250)), ("\"5s\"", .seconds(5)), ("\"2m\"", .seconds(120)),
        ("\"4h\"", .seconds(14_400)), ("7", .seconds(7)), ("0.5", .milliseconds(500)),
        ("\"1.5 s\"", .milliseconds(1500)),
    ])
    func `Durations have units`(_ text: String, _ expected: Duration) throws {
        let configuration = try Self.diagnose("[server]\ndrain_deadline = \(text)").get()
        #expect(configuration.server.drainDeadline == expected)
    }

    @Test(arguments: [("\"64MiB\"", 64 << 20), ("\"1 GB\"", 1_000_000_000), ("65536", 65536), ("\"2kB\"", 2000)])
    func `Sizes have units`(_ text: String, _ expected: Int) throws {
        let configuration = try Self.diagnose("[server]\nmax_body_bytes = \(text)").get()
        #expect(configuration.server.maxBodyBytes == expected)
    }

    @Test(.readsYAML) func `Anchors and merge keys work`() throws {
        let yaml = """
            models:
              - name: a
                deployments:
                  - &base {base_url: "http://x:1/v1", weight: 2}
                  - <<: *base
                    weight: 3
            """
        let deployments = try Self.diagnose(yaml, name: "a.yaml").get().models[0].deployments
        #expect(deployments.map(\.weight) == [2, 3])
        #expect(deployments.map(\.provider.baseURL) == ["http://x:1/v1", "http://x:1/v1"])
    }

    @Test(.readsYAML) func `yes and no are words and not booleans`() {
        let issues = Self.diagnose("server:\n  metrics: yes\n  host: no", name: "a.yaml").issues
        #expect(
            issues.map(\.description) == [
                "a.yaml:2:12: error: server.metrics: true or false was expected, not 'yes'"
            ]
        )
    }
}

/// One configuration, written twice.
enum Example {
    static let toml = """
        [server]
        host = "0.0.0.0"
        api_keys = ["${env:GATEWAY_KEY}"]
        max_body_bytes = "32MiB"
        drain_deadline = "2m"

        [logging]
        level = "debug"
        format = "json"

        [local_models]
        tiny = "/models/tiny.gguf"

        [workers]
        urls = ["http://10.0.0.6:8000/", "http://10.0.0.7:8000"]
        policy = "power_of_two"

        [providers.openai]
        kind = "openai"
        api_key = "os.environ/OPENAI_API_KEY"
        timeouts = { connect = 2.5 }

        [[models]]
        name = "gpt-4o"
        aliases = ["default"]
        policy = { name = "cache_aware", cache_threshold = 0.5, max_tree_bytes = "16MiB" }
        retry.max_attempts = 2
        fallbacks = ["tiny"]

          [[models.deployments]]
          id = "hosted"
          provider = "openai"
          model = "gpt-4o-2024-11-20"
          tags = ["fast", "eu"]
          labels = { region = "eu" }
          timeouts.first_byte = "20s"

          [[models.deployments]]
          base_url = "http://10.0.0.5:8000/v1"
          api_key = "${env:NO_SUCH:-}"
          weight = 0.5
          priority = 1
        """

    static let yaml = """
        server:
          host: 0.0.0.0
          api_keys: ["${env:GATEWAY_KEY}"]
          max_body_bytes: 32MiB
          drain_deadline: 2m
        logging: {level: debug, format: json}
        local_models:
          tiny: /models/tiny.gguf
        workers:
          urls: ["http://10.0.0.6:8000/", "http://10.0.0.7:8000"]
          policy: power_of_two
        providers:
          openai:
            kind: openai
            api_key: os.environ/OPENAI_API_KEY
            timeouts: {connect: 2.5}
        models:
          - name: gpt-4o
            aliases: [default]
            policy: {name: cache_aware, cache_threshold: 0.5, max_tree_bytes: 16MiB}
            retry: {max_attempts: 2}
            fallbacks: [tiny]
            deployments:
              - id: hosted
                provider: openai
                model: gpt-4o-2024-11-20
                tags: [fast, eu]
                labels: {region: eu}
                timeouts: {first_byte: 20s}
              - base_url: http://10.0.0.5:8000/v1
                api_key: ${env:NO_SUCH:-}
                weight: 0.5
                priority: 1
        """
}
