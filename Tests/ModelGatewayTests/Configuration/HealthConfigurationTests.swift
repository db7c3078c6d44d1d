// How deployments are probed, as a file says it: for the model, for one deployment, for workers.

import ModelGateway
import Testing

@Suite("Health in a configuration")
struct HealthConfigurationTests {
    private func diagnose(_ text: String) -> Configuration.Diagnosis { ConfigurationReadingTests.diagnose(text) }

    @Test func `What a deployment leaves out is the model's`() throws {
        let configuration = try diagnose(
            """
            [[models]]
            name = "m"
            health = { interval = "20s", failures = 5, path = "/healthz" }
            [[models.deployments]]
            base_url = "http://a:1/v1"
            [[models.deployments]]
            base_url = "http://b:1/v1"
            health = { path = "/ready?deep=1", timeout = "1s" }
            [[models.deployments]]
            base_url = "http://c:1/v1"
            health.enabled = false
            [workers]
            drain_deadline = "45s"
            health.path = "/health_generate"
            """
        ).get()
        let model = configuration.models[0]
        #expect(model.health.path == "/healthz")
        #expect(model.deployments[0].health == nil)
        let own = try #require(model.deployments[1].health)
        #expect(own.enabled)
        #expect(own.path == "/ready?deep=1" && own.timeout == .seconds(1))
        #expect(own.interval == .seconds(20) && own.failureThreshold == 5)
        #expect(model.deployments[2].health?.enabled == false)
        #expect(configuration.workers.health.path == "/health_generate")
        #expect(configuration.workers.drainDeadline == .seconds(45))

        let deployments = try Gateway(configuration: configuration).groups[0].deployments.map(\.deployment)
        #expect(deployments.map(\.health) == [nil, own, model.deployments[2].health])
    }

    @Test(arguments: ["", "healthz", "/a b", "/a#b", "/a\\nb", "http://h/health", "/grüße", "/a\\\"b"])
    func `What is not a path is a mistake`(_ path: String) {
        for table in ["models", "workers"] {
            let start = table == "models" ? "[[models]]\nname = \"m\"\n" : "[workers]\n"
            let end = table == "models" ? "\n[[models.deployments]]\nbase_url = \"http://a:1/v1\"" : ""
            let issues = diagnose("\(start)health.path = \"\(path)\"\(end)").issues
            #expect(issues.count == 1)
            #expect(issues.first?.description.contains("health.path: a path such as /healthz was expected") == true)
        }
    }

    @Test(arguments: [
        ("interval = \"10ms\"", "interval"), ("timeout = \"1h\"", "timeout"), ("failures = 0", "failures"),
        ("pth = \"/x\"", "pth"), ("enabled = 1", "enabled"),
    ])
    func `Mistakes in a deployment's table are reported`(_ setting: String, _ key: String) {
        let issues = diagnose(
            "[[models]]\nname = \"m\"\n[[models.deployments]]\nbase_url = \"http://a:1/v1\"\nhealth = { \(setting) }"
        ).issues
        #expect(issues.count == 1)
        #expect(issues.first?.description.contains("models[0].deployments[0].health.\(key)") == true)
    }
}
