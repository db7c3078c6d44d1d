// That `GATEWAY_*` variables win over the file, and that a wrong one is a mistake like any other.

import Logging
import ModelGateway
import Testing

@Suite("Environment variables over the configuration")
struct ConfigurationOverrideTests {
    @Test func `Overrides win over the file`() throws {
        let text = "[server]\nhost = \"::1\"\nport = 1\n[logging]\nlevel = \"error\"\n[workers]\nurls = [\"http://a\"]"
        let environment = [
            "GATEWAY_PORT": "8080", "GATEWAY_LOG_LEVEL": "trace", "GATEWAY_API_KEY": "k1,k2",
            "GATEWAY_METRICS": "false",
            "GATEWAY_WORKER_URLS": "http://b:1/ http://c:2", "GATEWAY_DRAIN_DEADLINE": "5s", "GATEWAY_HOST": "",
            "GATEWAY_POLICY": "random", "GATEWAY_MAX_BODY_BYTES": "1MiB", "GATEWAY_LOG_FORMAT": "json",
        ]
        let configuration =
            try Configuration.diagnose(Array(text.utf8), name: "g.toml", environment: environment).get()
        #expect(configuration.server.host == "::1" && configuration.server.port == 8080)
        #expect(configuration.server.apiKeys.map { $0.reveal() } == ["k1", "k2"])
        #expect(!configuration.server.metrics && configuration.server.maxBodyBytes == 1 << 20)
        #expect(configuration.server.drainDeadline == .seconds(5))
        #expect(configuration.logging == Configuration.Logging(level: .trace, format: .json))
        #expect(configuration.workers.urls == ["http://b:1", "http://c:2"])
        #expect(configuration.workers.policy.name == "random")
    }

    @Test func `A wrong override is named`() {
        let diagnosis = Configuration.diagnose(
            [],
            name: "g.toml",
            environment: ["GATEWAY_PORT": "http", "GATEWAY_LOG_LEVEL": "verbose"]
        )
        #expect(
            diagnosis.issues.map(\.description) == [
                "GATEWAY_PORT: error: server.port: an integer was expected, not 'http'",
                "GATEWAY_LOG_LEVEL: error: logging.level: 'verbose' is not known; "
                    + "allowed: critical, debug, error, info, notice, trace, warning",
            ]
        )
    }

    @Test func `A configuration from code takes overrides too`() throws {
        var configuration = Configuration()
        try configuration.applyEnvironment(["GATEWAY_HOST": "0.0.0.0"])
        #expect(configuration.server.host == "0.0.0.0")
        let mistake = #expect(throws: GatewayError.self) { try configuration.applyEnvironment(["GATEWAY_PORT": "-1"]) }
        #expect(mistake?.code == .configuration)
        #expect(configuration.server.port == 30000)
    }

    @Test func `Service links of Kubernetes are not ports`() throws {
        let environment = ["GATEWAY_PORT": "tcp://10.0.0.1:80"]
        let configuration = try Configuration.diagnose([], name: "g.toml", environment: environment).get()
        #expect(configuration.server.port == 30000)
        #expect(configuration.warnings.count == 1)
    }
}
