// The code of the documentation's article "Using the gateway", word for word, so that it compiles, and that it works.

import Foundation
import ModelGateway
import ModelGatewayTesting
import Testing

func makeGateway(of server: String) throws -> Gateway {
    try Gateway(baseURL: server, models: ["qwen3-8b"])
}

func makeGateway(_ first: String, _ second: String) throws -> Gateway {
    let transport = try CurlTransport()
    let deployments = try [first, second].enumerated().map { index, address in
        Deployment(
            id: "server-\(index + 1)",
            provider: try OpenAICompatibleProvider(baseURL: address, transport: transport),
            upstreamModel: "qwen3-8b"
        )
    }
    return Gateway(
        groups: [DeploymentGroup(model: "assistant", deployments: deployments, policy: .roundRobin)],
        preferredExecutor: transport.preferredExecutor
    )
}

func makeGateway(file: String) throws -> Gateway {
    try Gateway(configuration: Configuration.load(path: file))
}

func answer(_ question: String, from gateway: Gateway) async throws -> String {
    let request = ChatRequest(
        model: "assistant",
        messages: [.system("Answer in one sentence."), .user(question)],
        sampling: Sampling(temperature: 0.2, maxTokens: 200)
    )
    return try await gateway.chat(request).text
}

func show(_ question: String, from gateway: Gateway, upTo limit: Int) async throws -> String {
    var shown = ""
    for try await text in gateway.stream(ChatRequest(model: "assistant", messages: [.user(question)])).text {
        shown += text
        if shown.count >= limit { break }
    }
    return shown
}

func converse(_ questions: [String], with gateway: Gateway) async throws -> [ChatMessage] {
    var messages: [ChatMessage] = []
    for question in questions {
        messages.append(.user(question))
        let response = try await gateway.chat(ChatRequest(model: "assistant", messages: messages))
        messages.append(response.message)
    }
    return messages
}

func vectors(of texts: [String], from gateway: Gateway) async throws -> [[Float]] {
    try await gateway.embed(EmbeddingRequest(model: "assistant", texts: texts)).embeddings
}

func politeAnswer(_ question: String, from gateway: Gateway) async -> String {
    do {
        return try await gateway.chat(ChatRequest(model: "assistant", messages: [.user(question)])).text
    } catch .rateLimited {
        return "Too many questions at once; please try again in a moment."
    } catch .contextLengthExceeded {
        return "That was too long for me."
    } catch {
        return "No answer: \(error.message)"
    }
}

@Suite("Using the gateway, as the article says")
struct GuideTests {
    /// Two servers and the gateway before them.
    private func start() throws -> (engines: [ScriptedEngine], gateway: Gateway) {
        let engines = try (0..<2).map { _ in try ScriptedEngine(respond: ScriptedEngine.openAI(text: "Well, yes.")) }
        return (engines, try makeGateway(engines[0].url, engines[1].url))
    }

    @Test func `The article has this code`() throws {
        let article = try String(
            contentsOfFile: BuiltProducts.source("../../Sources/ModelGateway/Documentation.docc/UsingTheGateway.md"),
            encoding: .utf8
        )
        let code = try String(contentsOfFile: #filePath, encoding: .utf8)
        let blocks = article.components(separatedBy: "```swift\n").dropFirst().map {
            $0.components(separatedBy: "```")[0]
        }
        #expect(blocks.count == 8)
        for block in blocks { #expect(code.contains(block), "\(block)") }
    }

    @Test func `Calls take turns`() async throws {
        let (engines, gateway) = try start()
        #expect(try await answer("Really?", from: gateway) == "Well, yes.")
        #expect(try await show("Really?", from: gateway, upTo: 3) == "Well,")
        #expect(engines.map(\.requests.count) == [1, 1])
    }

    @Test func `One server is one line`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI(text: "Well, yes."))
        defer { engine.stop() }
        let request = ChatRequest(model: "qwen3-8b", messages: [.user("Really?")])
        #expect(try await makeGateway(of: engine.url).chat(request).text == "Well, yes.")
    }

    @Test func `A conversation grows`() async throws {
        let (engines, gateway) = try start()
        defer { for engine in engines { engine.stop() } }
        let messages = try await converse(["One?", "Two?"], with: gateway)
        #expect(messages.map(\.text) == ["One?", "Well, yes.", "Two?", "Well, yes."])
    }

    @Test func `Texts become vectors`() async throws {
        let (engines, gateway) = try start()
        defer { for engine in engines { engine.stop() } }
        #expect(try await vectors(of: ["one"], from: gateway) == [[0.25, -0.5, 1]])
    }

    @Test func `Failures are sentences`() async throws {
        let (engines, gateway) = try start()
        for engine in engines {
            for _ in 0..<8 { engine.enqueue(.openAIError(status: 429, message: "Slow down.")) }
        }
        #expect(await politeAnswer("Hi", from: gateway).hasPrefix("Too many questions"))
    }

    @Test func `A file makes a gateway`() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(
            "gateway.toml",
            """
            [[models]]
            name = "assistant"
            [[models.deployments]]
            base_url = "http://127.0.0.1:9/v1"
            """
        )
        #expect(try makeGateway(file: file).models.map(\.id) == ["assistant"])
    }
}
