// Explaining a call: the same inputs for the router as the real call has, whichever way it is made.

import ModelGateway
import ModelGatewayTesting
import Testing

@Suite("Explaining calls", .timeLimit(.minutes(1)))
struct ExplainTests {
    private let engines: [ScriptedEngine]
    private let gateway: Gateway

    init() throws {
        let engines = try (0..<4).map { _ in try ScriptedEngine(respond: ScriptedEngine.openAI()) }
        let transport = try CurlTransport()
        let deployments = try engines.enumerated().map { index, engine in
            Deployment(
                id: "d\(index)",
                provider: try OpenAICompatibleProvider(baseURL: engine.url, transport: transport),
                upstreamModel: "mock",
                tags: index == 2 ? ["eu"] : []
            )
        }
        self.engines = engines
        gateway = Gateway(
            groups: [
                DeploymentGroup(model: "m", deployments: deployments, policy: .consistentHashing()),
                DeploymentGroup(
                    model: "turns",
                    deployments: deployments.map {
                        var deployment = $0
                        deployment.id = "turns-" + deployment.id
                        return deployment
                    }
                ),
            ]
        )
    }

    private var calls: [Int] { engines.map { $0.requests.count { $0.method == "POST" } } }

    private func chat(_ text: String, model: String = "m", extra: [JSONMember] = []) -> ChatRequest {
        ChatRequest(model: model, messages: [.user(text)], extra: extra)
    }

    @Test func `a conversation goes where the explanation says, and explaining sends nothing`() async throws {
        for number in 0..<12 {
            let request = chat("question \(number)")
            let before = calls
            let explanation = try gateway.explain(request)
            #expect(calls == before)
            _ = try await gateway.chat(request)
            let taken = calls.indices.filter { calls[$0] > before[$0] }
            #expect(taken.map { "d\($0)" } == [explanation.candidates.first?.id])
        }
        #expect(calls.count { $0 > 0 } > 1)
    }

    @Test func `options decide before the fields of the request`() throws {
        let metadata: JSONValue = ["session_id": "from the body", "tags": ["us", "fast"]]
        let request = chat("Hi", extra: [JSONMember("metadata", metadata)])
        let plain = try gateway.explain(request).input
        #expect(plain.sessionKey == "from the body")
        #expect(plain.tags == ["us", "fast"])
        let options = CallOptions(sessionKey: "mine", tags: ["eu"], deployment: nil)
        let explanation = try gateway.explain(request, options: options)
        #expect(explanation.input.sessionKey == "mine")
        #expect(explanation.candidates.first?.id == "d2")
        let forced = try gateway.explain(request, options: CallOptions(deployment: "d3"))
        #expect(forced.candidates.map(\.id) == ["d3"])
    }

    @Test func `options reach the call`() async throws {
        _ = try await gateway.chat(chat("Hi"), options: CallOptions(deployment: "d1"))
        let completion = CompletionRequest(model: "m", prompts: [.text("Hi")])
        _ = try? await gateway.complete(completion, options: CallOptions(deployment: "d2")).collect()
        let embedding = EmbeddingRequest(model: "m", texts: ["Hi"])
        _ = try? await gateway.embed(embedding, options: CallOptions(deployment: "d3"))
        // The engines have no answer to the last two, but they were asked.
        #expect(calls == [0, 1, 1, 1])
    }

    @Test func `all ways of the same call give the router the same`() throws {
        let body = #"{"model":"m","messages":[{"role":"user","content":"Hi"}],"user":"u1"}"#
        var request = chat("Hi")
        request.user = "u1"
        let wire = WireRequest(.openAIChat, body: Array(body.utf8), requestID: "r")
        let neutral = try gateway.explain(request)
        let relayed = try gateway.explain(wire)
        #expect(neutral.input.text == relayed.input.text)
        #expect(neutral.input.sessionKey == "u1" && relayed.input.sessionKey == "u1")
        #expect(neutral.candidates.map(\.id) == relayed.candidates.map(\.id))
        var tagged = wire
        tagged.headers = [HTTPHeader("x-gateway-session", "s"), HTTPHeader("x-gateway-tags", "eu,us")]
        let input = try gateway.explain(tagged).input
        #expect(input.sessionKey == "s" && input.tags == ["eu", "us"])
    }

    @Test(
        arguments: [
            (["fast, eu"], ["fast", "eu"]), (["fast,eu"], ["fast", "eu"]),
            (["fast", " eu , us,"], ["fast", "eu", "us"]),
            ([""], []),
        ] as [([String], [String])]
    )
    func `B11: tags are one list, with blanks after its commas and over several lines`(lines: [String], tags: [String])
        throws
    {
        let body = #"{"model":"m","messages":[{"role":"user","content":"Hi"}],"metadata":{"tags":"a, b"}}"#
        var wire = WireRequest(.openAIChat, body: Array(body.utf8), requestID: "r")
        #expect(try gateway.explain(wire).input.tags == ["a", "b"])
        wire.headers = lines.map { HTTPHeader("X-Gateway-Tags", $0) }
        #expect(try gateway.explain(wire).input.tags == tags)
        let metadata: JSONValue = ["tags": .string(lines.joined(separator: ","))]
        let neutral = chat("Hi", extra: [JSONMember("metadata", metadata)])
        #expect(try gateway.explain(neutral).input.tags == tags)
    }

    @Test func `C12: session keys of more than 128 bytes with the same beginning do not meet`() throws {
        let beginning = String(repeating: "k", count: 300)
        let body = #"{"model":"m","messages":[{"role":"user","content":"Hi"}],"user":"someone else"}"#
        func key(_ session: String) throws -> String? {
            let header = HTTPHeader("x-gateway-session", session)
            let wire = WireRequest(.openAIChat, body: Array(body.utf8), headers: [header], requestID: "r")
            let cached = body.replacing("\"user\":\"someone else\"", with: "\"prompt_cache_key\":\"\(session)\"")
            let inBody = try gateway.explain(WireRequest(.openAIChat, body: Array(cached.utf8), requestID: "r"))
            let neutral = chat("Hi", extra: [JSONMember("prompt_cache_key", .string(session))])
            let keys = [
                try gateway.explain(wire).input.sessionKey, inBody.input.sessionKey,
                try gateway.explain(neutral).input.sessionKey,
                try gateway.explain(chat("Hi"), options: CallOptions(sessionKey: session)).input.sessionKey,
            ]
            #expect(Set(keys).count == 1)
            return keys[0]
        }
        let first = try key(beginning + "1")
        let second = try key(beginning + "2")
        #expect(first != second)
        #expect((first?.utf8.count ?? 0) <= 128 && (second?.utf8.count ?? 0) <= 128)
        let short = String(repeating: "k", count: 128)
        #expect(try key(short) == short)
        // Of this process, of every other one, and of later versions.
        #expect(first == "hash:6758244f8e369b1f:7ae85d028a381570")
    }

    @Test func `texts to continue and to embed are routed by their text, too`() throws {
        let completion = try gateway.explain(CompletionRequest(model: "m", prompts: [.text("Once upon")]))
        #expect(String(decoding: completion.input.text, as: UTF8.self) == "Once upon")
        #expect(completion.input.mode == .completion)
        let embedding = try gateway.explain(EmbeddingRequest(model: "m", texts: ["Once upon"]))
        #expect(String(decoding: embedding.input.text, as: UTF8.self) == "Once upon")
        #expect(embedding.input.mode == .embedding)
    }

    @Test func `a policy without sessions or texts is given the key all the same`() throws {
        let request = chat("Hi", model: "turns", extra: [JSONMember("prompt_cache_key", "k")])
        let explanation = try gateway.explain(request)
        #expect(explanation.input.sessionKey == "k")
        #expect(explanation.input.text.isEmpty)
        #expect(explanation.candidates.count == 4)
    }

    @Test func `what cannot be called cannot be explained`() {
        let unknown = #expect(throws: GatewayError.self) { try gateway.explain(chat("Hi", model: "nope")) }
        #expect(unknown?.code == .modelNotFound)
        let wire = WireRequest(.openAIChat, body: Array("{".utf8), requestID: "r")
        let malformed = #expect(throws: GatewayError.self) { try gateway.explain(wire) }
        #expect(malformed?.code == .invalidRequest)
    }
}
