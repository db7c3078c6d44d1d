// What a configuration file can say, said in code: names, kinds of work, workers, headers.

import Foundation
import Logging
import ModelGateway
import ModelGatewayTesting
import Testing

@Suite("Settings in code", .timeLimit(.minutes(1)))
struct SettingsInCodeTests {
    private let message = ChatMessage.user("Really?")

    private func group(_ engine: ScriptedEngine) throws -> DeploymentGroup {
        let provider = try OpenAICompatibleProvider(baseURL: engine.url, transport: CurlTransport())
        return DeploymentGroup(
            model: "assistant",
            aliases: ["default"],
            modes: [.chat],
            deployments: [Deployment(id: "a", provider: provider, upstreamModel: "small")],
            policy: .cacheAware(index: .hash),
            health: HealthOptions(path: "/ready")
        )
    }

    @Test func `a group has further names, and kinds of work that it is offered for`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI(models: ["small"], text: "Yes."))
        defer { engine.stop() }
        let gateway = Gateway(groups: [try group(engine)])
        #expect(gateway.models.map(\.id) == ["assistant", "default"])
        #expect(try await gateway.chat(ChatRequest(model: "default", messages: [message])).text == "Yes.")
        let error = await #expect(throws: GatewayError.self) {
            _ = try await gateway.embed(EmbeddingRequest(model: "default", texts: ["a"]))
        }
        #expect(error?.code == .unsupported)
        #expect(gateway.groups.map(\.policy) == ["cache_aware"])
    }

    @Test func `session keys and tags come from the headers that were chosen`() throws {
        let engine = try ScriptedEngine()
        defer { engine.stop() }
        let headers = RoutingHeaders(sessionHeaders: ["x-user"], tagsHeader: "x-zone")
        let gateway = Gateway(groups: [try group(engine)], routingHeaders: headers)
        let request = WireRequest(
            .openAIChat,
            body: Array(#"{"model":"default","messages":[]}"#.utf8),
            headers: [HTTPHeader("x-user", "alice"), HTTPHeader("x-zone", "eu, us")],
            requestID: "r"
        )
        let input = try gateway.explain(request).input
        #expect(input.sessionKey == "alice")
        #expect(input.tags == ["eu", "us"])
    }

    @Test func `workers of a file are asked with the key and served by the policy that all of them share`() async throws
    {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI(models: ["small"], text: "Yes."))
        defer { engine.stop() }
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("workers-\(engine.port)")
        try engine.url.write(to: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: file) }
        let gateway = Gateway(
            workers: WorkerOptions(apiKey: Secret("sk-all"), group: DeploymentGroup(model: "", policy: .leastLoad)),
            workerSources: [FileWorkerSource(path: file.path)]
        )
        let running = Task { try await gateway.run(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }) }
        defer { running.cancel() }
        while !gateway.isReady { try await Task.sleep(for: .milliseconds(2)) }
        #expect(gateway.workers.map(\.sources) == [["file"]])
        #expect(gateway.groups.map(\.policy) == ["least_load"])
        #expect(try await gateway.chat(ChatRequest(model: "small", messages: [message])).text == "Yes.")
        #expect(engine.requests.last?.header("authorization") == "Bearer sk-all")
    }

    @Test func `what is wrong with a configuration is listed with its lines`() {
        let text = "[workers]\npolicy = \"round_robbin\"\n\n[[models]]\nnam = \"m\"\n"
        let diagnosis = Configuration.diagnose(Array(text.utf8), name: "g.toml", environment: [:])
        #expect(diagnosis.configuration == nil)
        #expect(diagnosis.issues.first?.line == 2)
        #expect(diagnosis.issues.first?.severity == .error)
        let error = #expect(throws: GatewayError.self) { try diagnosis.get() }
        #expect(error?.code == .configuration)
        #expect(error?.message.contains("g.toml:5:") == true)
    }
}
