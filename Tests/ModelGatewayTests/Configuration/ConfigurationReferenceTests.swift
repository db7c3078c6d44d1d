// That the pages on configuration and metrics say what the code does, no less and no more.

import Foundation
import ModelGateway
import ModelGatewayTelemetry
import Testing

@Suite("Reference pages")
struct ConfigurationReferenceTests {
    private static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Sources/ModelGateway/Documentation.docc")

    /// The page; with the environment variable set, its part after the comment is replaced first.
    private func page(_ name: String, generated: String) throws -> String {
        let url = Self.folder.appending(path: name)
        let text = try String(contentsOf: url, encoding: .utf8)
        guard ProcessInfo.processInfo.environment["GATEWAY_UPDATE_REFERENCE"] != nil,
            let comment = text.range(of: "anew. -->\n\n")
        else { return text }
        let updated = text[..<comment.upperBound] + generated
        try Data(updated.utf8).write(to: url)
        return String(updated)
    }

    @Test func `The configuration page has every key and no other`() throws {
        let generated = ConfigurationReferenceTables.markdown
        let page = try page("ConfigurationReference.md", generated: generated)
        #expect(page.hasSuffix(generated))
        #expect(page.contains("```toml\n\(Example.toml)\n```"))
        #expect(page.contains("```yaml\n\(Example.yaml)\n```"))
    }

    @Test func `The metrics page has every metric and no other`() throws {
        var generated = "| Name | Type | Labels | Meaning |\n|---|---|---|---|\n"
        for metric in GatewayMetrics.descriptions {
            let labels = metric.labels.map { "`\($0)`" }.joined(separator: ", ")
            generated += "| `\(metric.name)` | \(metric.kind.rawValue) | \(labels) | \(metric.help) |\n"
        }
        #expect(try page("Metrics.md", generated: generated).hasSuffix(generated))
    }

    @Test func `The defaults of the tables are those of the value`() throws {
        var mistakes: [String] = []
        for (title, prefix) in [("server", "server"), ("logging", "logging"), ("routing", "routing")] {
            let table = try #require(ConfigurationReferenceTables.tables.first { $0.title == title })
            // What has no default is left out, in the table as in a file.
            let rows = table.rows.filter { !$0.standard.isEmpty }
            let lines = rows.map { "\($0.key) = \($0.standard)" }.joined(separator: "\n")
            let diagnosis = Configuration.diagnose(
                Array("[\(prefix)]\n\(lines)".utf8),
                name: "d.toml",
                environment: [:]
            )
            mistakes += diagnosis.issues.map(\.description)
            #expect(diagnosis.configuration == Configuration())
        }
        #expect(mistakes.isEmpty)
    }

    @Test func `The defaults of models are those of their types`() throws {
        var text = "[[models]]\nname = \"m\"\n"
        for title in ["retry", "breaker", "health"] {
            let table = try #require(ConfigurationReferenceTables.tables.first { $0.title == title })
            for row in table.rows where !row.standard.isEmpty { text += "\(title).\(row.key) = \(row.standard)\n" }
        }
        text += "queue_size = 100\nqueue_timeout = \"1m\"\n[[models.deployments]]\nbase_url = \"http://x\"\n"
        let model = try Configuration.diagnose(Array(text.utf8), name: "d.toml", environment: [:]).get().models[0]
        var expected = Configuration.Model(name: "m")
        expected.deployments = model.deployments
        #expect(model == expected)
    }

    @Test(arguments: PolicyCatalog.standard.names)
    func `The options of a policy are those that it takes`(_ name: String) throws {
        let table = ConfigurationReferenceTables.tables.first { $0.title == "policy \(name)" }
        let expected = try PolicyCatalog.standard.policy(name)
        var text = "[workers]\npolicy.name = \"\(name)\"\n"
        for row in table?.rows ?? [] { text += "policy.\(row.key) = \(row.standard)\n" }
        let policy = try Configuration.diagnose(Array(text.utf8), name: "d.toml", environment: [:]).get().workers.policy
        #expect(policy == expected)
    }
}
