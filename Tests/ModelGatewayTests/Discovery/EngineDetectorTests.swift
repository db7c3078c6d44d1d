// Which engine is behind which endpoints, over real sockets.

import ModelGateway
import ModelGatewayTesting
import Testing

@Suite(.timeLimit(.minutes(1))) struct EngineDetectorTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let owner: String
        let endpoints: [String: String]
        let engine: Engine

        init(
            _ name: String,
            owner: String,
            _ endpoints: [String: String],
            _ kind: Engine.Kind,
            _ version: String? = nil
        ) {
            testDescription = name
            self.owner = owner
            self.endpoints = endpoints
            engine = Engine(kind: kind, version: version)
        }
    }

    static let cases = [
        Case("vLLM", owner: "vllm", ["/version": #"{"version":"0.11.0"}"#], .vllm, "0.11.0"),
        Case("vLLM with another owner's model", owner: "me", ["/version": #"{"version":"0.6.3"}"#], .vllm, "0.6.3"),
        Case(
            "SGLang",
            owner: "sglang",
            ["/server_info": #"{"model_path":"m","tp_size":1,"version":"0.5.4","internal_states":[]}"#],
            .sglang,
            "0.5.4"
        ),
        Case(
            "SGLang with the older endpoint and Ollama's",
            owner: "organization",
            [
                "/get_server_info": #"{"model_path":"m","tp_size":2,"version":"0.4.1"}"#,
                "/api/tags": #"{"models":[]}"#,
            ],
            .sglang,
            "0.4.1"
        ),
        Case(
            "llama.cpp",
            owner: "llamacpp",
            ["/props": #"{"default_generation_settings":{},"total_slots":4,"build_info":"b6000-abc"}"#],
            .llamaCpp,
            "b6000-abc"
        ),
        Case("Ollama", owner: "library", ["/api/version": #"{"version":"0.12.3"}"#], .ollama, "0.12.3"),
        Case(
            "LM Studio",
            owner: "organization_owner",
            [
                "/api/v0/models":
                    #"{"object":"list","data":[{"id":"m","type":"llm","compatibility_type":"gguf","state":"loaded"}]}"#
            ],
            .lmStudio
        ),
        Case("any other", owner: "me", ["/version": #""1.0""#], .generic),
    ]

    private func client(of engine: ScriptedEngine) throws -> EngineClient {
        EngineClient(url: try WorkerAddress(engine.url).url, transport: try CurlTransport())
    }

    @Test(arguments: cases) func `an engine is told from its endpoints`(_ example: Case) async throws {
        let engine = try ScriptedEngine { request in
            if let answer = example.endpoints[request.path] { return .json(answer) }
            if request.path == "/v1/models" {
                return .json(#"{"object":"list","data":[{"id":"m","object":"model","owned_by":"\#(example.owner)"}]}"#)
            }
            return .openAIError(status: 404, message: "Not found")
        }
        defer { engine.stop() }
        let client = try client(of: engine)
        let detected = await EngineDetector(client).detect(try await client.models())
        #expect(detected == example.engine)
    }

    @Test func `an engine that breaks off is not taken for a generic one`() async throws {
        let engine = try ScriptedEngine { _ in .hangUp(.reset) }
        defer { engine.stop() }
        #expect(await EngineDetector(try client(of: engine)).detect([]) == nil)
    }

    @Test(arguments: [
        ("http://10.0.0.1:8000", "10.0.0.1:8000"), ("http://Host/v1/", "host:80"), ("https://h", "h:443"),
        ("http://[::1]:9", "[::1]:9"), ("http://[fe80::1]", "[fe80::1]:80"), ("http://h:1/a/v1", "h:1/a/v1"),
    ])
    func `the id of a worker is its host and port`(_ url: String, _ id: String) throws {
        #expect(try WorkerAddress(url).place == id)
    }
}
