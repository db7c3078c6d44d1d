// Names of models in a configuration, what they are offered for, and the headers that carry session keys.

import ModelGateway
import ModelGatewayTesting
import Testing

@Suite("Model names and request headers of a configuration", .timeLimit(.minutes(1)))
struct ModelNameTests {
    private func makeGateway(_ engines: [ScriptedEngine], _ change: (inout Configuration) -> Void) throws -> Gateway {
        let deployments = engines.enumerated().map { index, engine in
            Configuration.Deployment(
                id: "engine-\(index)",
                provider: Configuration.Provider(baseURL: engine.url),
                upstreamModel: "upstream-model"
            )
        }
        var configuration = Configuration(models: [Configuration.Model(name: "public", deployments: deployments)])
        change(&configuration)
        return try Gateway(configuration: configuration)
    }

    private func relay(
        _ gateway: Gateway,
        model: String,
        mode: Mode = .chat,
        headers: [HTTPHeader] = []
    ) async throws(GatewayError) -> WireResponse {
        let body = Array(#"{"model":"\#(model)","messages":[],"input":"x"}"#.utf8)
        let endpoint = Endpoint.first(for: mode) ?? .openAIChat
        return try await gateway.relay(WireRequest(endpoint, body: body, headers: headers, requestID: "r"))
    }

    @Test func `A model answers under its aliases, which are listed`() async throws {
        let engine = try ScriptedEngine { _ in FailoverTests.answer }
        let gateway = try makeGateway([engine]) { $0.models[0].aliases = ["gpt-4o"] }
        #expect(gateway.models.map(\.id) == ["gpt-4o", "public"])
        for name in ["gpt-4o", "public"] {
            #expect(try await relay(gateway, model: name).status == 200)
        }
        #expect(engine.requests.allSatisfy { $0.text.contains(#""model":"upstream-model""#) })
    }

    @Test func `A model is not called for work that it is not offered for`() async throws {
        let engine = try ScriptedEngine { _ in FailoverTests.answer }
        let gateway = try makeGateway([engine]) { $0.models[0].modes = [.chat] }
        #expect(try await relay(gateway, model: "public").status == 200)
        let error = await #expect(throws: GatewayError.self) {
            try await relay(gateway, model: "public", mode: .embedding)
        }
        #expect(error?.code == .unsupported)
        #expect(engine.requests.count == 1)
    }

    @Test func `The configured header keeps a session on one deployment, whatever its case`() async throws {
        let engines = try (0..<4).map { _ in try ScriptedEngine { _ in FailoverTests.answer } }
        let gateway = try makeGateway(engines) { configuration in
            configuration.models[0].policy = .consistentHashing()
            configuration.routing.sessionHeaders = ["x-my-session"]
        }
        for name in ["x-my-session", "X-My-Session", "X-MY-SESSION"] {
            for _ in 0..<4 {
                _ = try await relay(gateway, model: "public", headers: [HTTPHeader(name, "alice")])
            }
        }
        #expect(engines.map(\.requests.count).sorted() == [0, 0, 0, 12])
    }
}
