// What an upstream says about our credentials never reaches anybody.

import ModelGateway
import ModelGatewayTesting
import Testing

@Suite("Credentials in upstream errors", .timeLimit(.minutes(1)))
struct CredentialMaskTests {
    private func makeGateway(_ engine: ScriptedEngine) throws -> Gateway {
        let provider = Configuration.Provider(
            baseURL: engine.url,
            apiKey: Secret("sk-upstream"),
            headers: ["x-team-token": Secret("team-secret"), "x-basic": Secret("Basic dXNlcg==")]
        )
        let deployment = Configuration.Deployment(id: "d", provider: provider, upstreamModel: "u")
        return try Gateway(
            configuration: Configuration(models: [Configuration.Model(name: "public", deployments: [deployment])])
        )
    }

    private static let text = "Key sk-upstream (Bearer sk-upstream) of team-secret, dXNlcg==, is for application/json."
    private static let masked = "Key *** (***) of ***, ***, is for application/json."

    private func relay(_ gateway: Gateway, stream: Bool) async throws(GatewayError) -> WireResponse {
        let body = #"{"model":"public","stream":\#(stream),"messages":[{"role":"user","content":"Hi"}]}"#
        return try await gateway.relay(WireRequest(.openAIChat, body: Array(body.utf8), requestID: "r"))
    }

    @Test(arguments: [400, 422, 429])
    func `A3: a refusal's text comes without the credentials that it repeats`(status: Int) async throws {
        let engine = try ScriptedEngine { _ in
            .openAIError(status: status, message: Self.text, type: "sk-upstream", code: "team-secret")
        }
        defer { engine.stop() }
        let gateway = try makeGateway(engine)
        let error = await #expect(throws: GatewayError.self) { try await relay(gateway, stream: false) }
        let upstream = try #require(error?.upstream)
        #expect(error?.message == Self.masked)
        #expect(upstream.type == "***" && upstream.code == "***")
        let body = String(decoding: upstream.body, as: UTF8.self)
        #expect(!body.contains("sk-upstream") && !body.contains("team-secret"))
        // A deployment that is asked to wait rests.
        guard status != 429 else { return }
        let other = await #expect(throws: GatewayError.self) {
            try await gateway.chat(ChatRequest(model: "public", messages: [.user("Hi")]))
        }
        #expect(other?.message == Self.masked)
    }

    @Test func `A3: an error inside an answer comes without them, whole and in a stream`() async throws {
        let json = #"{"error":{"message":"\#(Self.text)","type":"invalid_request_error","param":null,"code":null}}"#
        let whole = try ScriptedEngine { _ in .json(json) }
        let streamed = try ScriptedEngine { _ in .events([Chunk.role, Chunk.text("Hel"), json]) }
        defer { for engine in [whole, streamed] { engine.stop() } }
        let error = await #expect(throws: GatewayError.self) { try await relay(try makeGateway(whole), stream: false) }
        #expect(error?.message == Self.masked)
        let text = try await relay(try makeGateway(streamed), stream: true).text()
        #expect(text.contains(Self.masked))
        #expect(!text.contains("sk-upstream"))
        var last: GatewayError?
        do {
            let request = ChatRequest(model: "public", messages: [.user("Hi")])
            for try await _ in try makeGateway(streamed).stream(request) {}
        } catch let error as GatewayError {
            last = error
        }
        #expect(last?.message == Self.masked)
    }

    @Test func `A3: a worker's problem comes without its key`() async throws {
        let engine = try ScriptedEngine { _ in .openAIError(status: 400, message: "Bad key sk-worker") }
        defer { engine.stop() }
        let address = try WorkerAddress(engine.url)
        let client = EngineClient(url: address.url, apiKey: Secret("sk-worker"), transport: try CurlTransport())
        let error = await #expect(throws: GatewayError.self) { try await client.models() }
        #expect(error?.message == "Bad key ***")
    }
}
