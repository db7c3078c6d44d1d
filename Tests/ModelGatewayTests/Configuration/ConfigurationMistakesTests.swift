// That each mistake is found, all at once, with its place and what to write instead.

import ModelGateway
import Testing

@Suite("Mistakes in a configuration")
struct ConfigurationMistakesTests {
    private func issues(
        _ text: String,
        name: String = "g.toml",
        environment: [String: String] = [:]
    ) -> [String] {
        Configuration.diagnose(Array(text.utf8), name: name, environment: environment).issues.map(\.description)
    }

    @Test func `All mistakes are reported at once and in order`() {
        let found = issues(
            """
            [server]
            prot = 1
            port = 70000
            max_body_bytes = "lots"
            [logging]
            level = "warn"
            [providers.a]
            kind = "opnai"
            [[models]]
            name = "m"
            policy = { name = "cache_awar" }
            fallbacks = ["nobody"]
              [[models.deployments]]
              provider = "b"
              weight = -1
              [[models.deployments]]
              id = "m/1"
              base_url = "ftp://x"
            """
        )
        #expect(
            found == [
                "g.toml:2:1: error: server.prot: unknown key; did you mean 'port'?",
                "g.toml:3:8: error: server.port: 70000 is out of range; allowed are 0 to 65535",
                "g.toml:4:18: error: server.max_body_bytes: a size such as \"64MiB\" or a number of bytes was expected, not 'lots'",
                "g.toml:6:9: error: logging.level: 'warn' is not known; did you mean 'warning'?",
                "g.toml:8:8: error: providers.a.kind: 'opnai' is not known; did you mean 'openai'?",
                "g.toml:11:19: error: models[0].policy.name: 'cache_awar' is not known; did you mean 'cache_aware'? "
                    + "allowed: random, round_robin, power_of_two, consistent_hashing, prefix_hash, manual, bucket, "
                    + "cache_aware, least_load, latency, cost",
                "g.toml:12:13: error: models[0].fallbacks: no model is named 'nobody'; allowed: m",
                "g.toml:14:14: error: models[0].deployments[0].provider: 'b' is not known; allowed: a",
                "g.toml:15:12: error: models[0].deployments[0].weight: -1 is out of range; allowed are 0 to 1000",
                "g.toml:17:8: error: models[0].deployments[1].id: the deployment id 'm/1' is defined twice, first in line 13",
                "g.toml:18:14: error: models[0].deployments[1].base_url: an http:// or https:// URL with a host, or unix:///path of a socket, was expected, without a user name, query or fragment",
            ]
        )
    }

    @Test(.readsYAML) func `The same mistakes in YAML have their places too`() {
        let found = issues(
            """
            server:
              port: "many"
            models:
              - name: m
                deployments:
                  - {base_url: "http://x/v1", wieght: 2}
              - name: m
                deployments: []
              - deployments:
                  - kind: openai_compatible
            """,
            name: "g.yaml"
        )
        #expect(
            found == [
                "g.yaml:2:9: error: server.port: an integer was expected, not 'many'",
                "g.yaml:6:35: error: models[0].deployments[0].wieght: unknown key; did you mean 'weight'?",
                "g.yaml:7:11: error: models[1].name: the model name 'm' is defined twice, first in line 4",
                "g.yaml:8:5: error: models[1].deployments: a model needs at least one deployment",
                "g.yaml:9:5: error: models[2]: 'name' is missing",
                "g.yaml:10:9: error: models[2].deployments[0]: 'base_url' is missing; kind 'openai_compatible' has no default",
            ]
        )
    }

    @Test(arguments: [
        (
            "a = \"x\ny\"",
            "g.toml:1:5: error: not valid TOML: the string does not end; a quote must close it on the same line"
        ),
        (
            #"a = "C:\x""#,
            #"g.toml:1:8: error: not valid TOML: an unknown escape in a string; write \\ for a backslash"#
        ),
        ("[server]\nport 1", "g.toml:2:6: error: not valid TOML: '=' must follow the key"),
        ("[a]\n[a]", "g.toml:2:2: error: 'a' is already defined; remove one of the two"),
        ("a = 1\na = 2", "g.toml:2:1: error: 'a' is already defined; remove one of the two"),
        (
            "a = 9223372036854775808",
            "g.toml:1:5: error: not valid TOML: the integer is too large; it must fit into 64 bits"
        ),
        (
            "host = localhost",
            "g.toml:1:8: error: not valid TOML: 'localhost' is not a valid value; strings need quotes"
        ),
    ])
    func `Broken TOML names the line`(_ text: String, _ expected: String) {
        #expect(issues(text) == [expected])
    }

    @Test(
        .readsYAML,
        arguments: [
            (
                "server: [1",
                "g.yaml:2:1: error: not valid YAML: did not find expected ',' or ']'; "
                    + "look for an indentation, a bracket or a quote that is wrong here or above"
            ),
            ("a: 1\na: 2", "g.yaml:1:1: error: the key 'a' is given twice; remove one of the two"),
            (
                "a: *b",
                "g.yaml:1:4: error: not valid YAML: found undefined alias; "
                    + "its anchor must come first, and a text that begins with '*' needs quotes"
            ),
            (
                "a: 1\n---\nb: 2",
                "g.yaml:2:1: error: not valid YAML: but found another document; a file holds one document"
            ),
        ]
    )
    func `Broken YAML names the line`(_ text: String, _ expected: String) {
        #expect(issues(text, name: "g.yaml") == [expected])
    }

    @Test(.disabled(if: Configuration.FileFormat.yaml.isAvailable), arguments: ["g.yaml", "g.json", "g"])
    func `Without the trait YAML, a file of YAML is one mistake that names it`(_ name: String) throws {
        let found = issues("server:\n  port: 1", name: name)
        #expect(found.count == 1)
        let message = try #require(found.first)
        #expect(
            message.hasPrefix("\(name): error: this build cannot read YAML; write the configuration in TOML, or build ")
        )
        #expect(message.contains("--traits LlamaCpp,YAML"))
    }

    @Test(.readsYAML) func `An alias bomb is refused`() {
        var yaml = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...12 {
            let alias = "*a\(level - 1)"
            yaml += "a\(level): &a\(level) [" + Array(repeating: alias, count: 10).joined(separator: ", ") + "]\n"
        }
        let found = issues(yaml, name: "g.yaml")
        #expect(found.count == 1)
        #expect(found.first?.hasSuffix("the aliases expand to more than 200000 values") == true)
    }

    @Test(arguments: ["toml", "yaml"])
    func `Deep nesting is refused`(_ format: String) {
        let deep = String(repeating: "[", count: 900)
        let text = format == "toml" ? "a = \(deep)" : "a: \(deep)"
        #expect(!issues(text, name: "g.\(format)").isEmpty)
    }

    @Test func `A missing variable is named with its line`() {
        let text = """
            [server]
            port = "${env:PORT}"
            api_keys = ["${env:KEY}", "${env:KEY:dev}"]
            """
        #expect(
            issues(text, environment: ["PORT": "8080"]) == [
                "g.toml:3:13: error: server.api_keys[0]: the environment variable KEY is not set",
                "g.toml:3:27: error: server.api_keys[1]: a default follows the variable's name after ':-', as in '${env:KEY:-…}'",
            ]
        )
    }

    @Test func `Values from the environment stay out of messages`() {
        let environment = ["WEIRD": "hunter2"]
        let text = "[server]\nport = \"${env:WEIRD}\"\n[logging]\nlevel = \"${env:WEIRD}\"\ndrain = 1"
        let found = issues(text, environment: environment)
        #expect(found.count == 3)
        #expect(!found.joined().contains("hunter2"))
    }

    @Test func `An unreadable file says why`() {
        let missing = Configuration.diagnose(path: "/no/such/gateway.toml", environment: [:])
        #expect(
            missing.issues.map(\.description) == [
                "/no/such/gateway.toml: error: the file cannot be read: it does not exist"
            ]
        )
        #expect(
            Configuration.diagnose(path: "/tmp", environment: [:]).issues.first?.message.contains("directory") == true
        )
        let failure = #expect(throws: GatewayError.self) { try Configuration.load(path: "/no/such/gateway.toml") }
        #expect(failure?.code == .configuration)
    }

    @Test func `Bytes that are not text say where`() {
        let diagnosis = Configuration.diagnose([0x61, 0x0A, 0xFF, 0x0A], name: "g.toml")
        #expect(diagnosis.issues.map(\.description) == ["g.toml:2:1: error: the text is not UTF-8"])
    }

    @Test(arguments: [
        ("Host", "the gateway sets this header itself"), ("x y", "not a valid header name"),
        ("Proxy-Authorization", "the gateway sets this header itself"),
    ])
    func `Headers of the connection are refused`(_ name: String, _ expected: String) {
        let found = issues("[providers.a]\nbase_url = \"http://x\"\nheaders = { \"\(name)\" = \"1\" }")
        #expect(found.count == 1 && found.first?.hasSuffix(expected) == true)
    }
}
