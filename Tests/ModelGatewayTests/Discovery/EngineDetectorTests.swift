// Which engine is behind which endpoints, over real sockets.

import ModelGateway
import ModelGatewayTesting
import Testing

@Suite(.timeLimit(.minutes(1))) struct EngineDetectorTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var owner: String
        var endpoints: [String: String]
        var engine: Engine
        var testDescription: String { name }
    }

    static let cases = [
        Case(
            name: "vLLM",
            owner: "vllm",
            endpoints: ["/version": #"{"version":"0.11.0"}"#],
            engine: Engine(kind: .vllm, version: "0.11.0")
        ),
        Case(
            name: "vLLM with a served model of another owner",
            owner: "me",
            endpoints: ["/version": #"{"version":"0.6.3"}"#],
            engine: Engine(kind: .vllm, version: "0.6.3")
        ),
        Case(
            name: "SGLang",
            owner: "sglang",
            endpoints: ["/server_info": #"{"model_path":"m","tp_size":1,"version":"0.5.4","internal_states":[]}"#],
            engine: Engine(kind: .sglang, version: "0.5.4")
        ),
        Case(
            name: "SGLang with the older endpoint and Ollama's",
            owner: "organization",
            endpoints: [
                "/get_server_info": #"{"model_path":"m","tp_size":2,"version":"0.4.1"}"#,
                "/api/tags": #"{"models":[]}"#,
            ],
            engine: Engine(kind: .sglang, version: "0.4.1")
        ),
        Case(
            name: "llama.cpp",
            owner: "llamacpp",
            endpoints: ["/props": #"{"default_generation_settings":{},"total_slots":4,"build_info":"b6000-abc"}"#],
            engine: Engine(kind: .llamaCpp, version: "b6000-abc")
        ),
        Case(
            name: "Ollama",
            owner: "library",
            endpoints: ["/api/version": #"{"version":"0.12.3"}"#],
            engine: Engine(kind: .ollama, version: "0.12.3")
        ),
        Case(
            name: "LM Studio",
            owner: "organization_owner",
            endpoints: [
                "/api/v0/models":
                    #"{"object":"list","data":[{"id":"m","type":"llm","compatibility_type":"gguf","state":"loaded"}]}"#
            ],
            engine: Engine(kind: .lmStudio)
        ),
        Case(name: "any other", owner: "me", endpoints: ["/version": #""1.0""#], engine: Engine(kind: .generic)),
    ]

    @Test(arguments: cases) func `an engine is told from its endpoints`(_ example: Case) async throws {
        let engine = try ScriptedEngine { request in
            if let answer = example.endpoints[request.path] { return .json(answer) }
            if request.path == "/v1/models" {
                return .json(#"{"object":"list","data":[{"id":"m","object":"model","owned_by":"\#(example.owner)"}]}"#)
            }
            return .openAIError(status: 404, message: "Not found")
        }
        defer { engine.stop() }
        let client = EngineClient(address: try WorkerAddress(engine.url), transport: try CurlTransport())
        let detected = await EngineDetector(client).detect(try await client.models())
        #expect(detected == example.engine)
    }

    @Test func `an engine that breaks off is not taken for a generic one`() async throws {
        let engine = try ScriptedEngine { _ in .hangUp(.reset) }
        defer { engine.stop() }
        let client = EngineClient(address: try WorkerAddress(engine.url), transport: try CurlTransport())
        #expect(await EngineDetector(client).detect([]) == nil)
    }

    @Test(arguments: [
        ("http://10.0.0.1:8000", "10.0.0.1:8000"), ("http://Host/v1/", "host:80"), ("https://h", "h:443"),
        ("http://[::1]:9", "[::1]:9"), ("http://[fe80::1]", "[fe80::1]:80"), ("http://h:1/a/v1", "h:1/a/v1"),
    ])
    func `the id of a worker is its host and port`(_ url: String, _ id: String) throws {
        #expect(try WorkerAddress(url).id == id)
    }
}
