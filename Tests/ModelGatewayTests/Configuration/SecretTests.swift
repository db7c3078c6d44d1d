// That a credential is seen nowhere but where it is asked for.

import ModelGateway
import Testing

@Suite("Secrets")
struct SecretTests {
    @Test(.readsYAML) func `No way of printing shows it`() throws {
        let text = """
            server: {api_keys: [hunter2]}
            providers:
              a: {base_url: "http://x/v1", api_key: hunter2, headers: {x-key: hunter2}, proxy: "http://u:hunter2@p"}
            models:
              - name: m
                deployments: [{provider: a}]
            """
        let configuration = try Configuration.diagnose(Array(text.utf8), name: "a.yaml", environment: [:]).get()
        var dumped = ""
        dump(configuration, to: &dumped)
        for shown in [dumped, "\(configuration)", String(reflecting: configuration)] {
            #expect(!shown.contains("hunter2"))
        }
        #expect(configuration.models[0].deployments[0].provider.apiKey?.reveal() == "hunter2")
        #expect(configuration.providers["a"]?.headers["x-key"]?.reveal() == "hunter2")
    }

    @Test(.readsYAML) func `Mistakes in secrets do not show them`() {
        let text = "server: {api_keys: {hunter2: hunter2}}\nproviders: {a: {base_url: \"http://u:hunter2@x\"}}"
        let issues = Configuration.diagnose(Array(text.utf8), name: "a.yaml", environment: [:]).issues
        #expect(issues.count == 2)
        #expect(!issues.description.contains("u:hunter2"))
    }
}
