// The built server under clients that are not ours: OpenAI's official one, and raw ones that behave badly.

import ModelGateway
import ModelGatewayTesting
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

@Suite("Clients of the server", .timeLimit(.minutes(5)))
struct ClientTests {
    private static let key = "gateway-key"

    /// A server that does what the model's name says.
    private static func respond(_ request: RecordedRequest) -> Script {
        let model = (try? JSONValue(parsing: request.body))?["model"]?.string ?? ""
        let isStream = request.text.contains(#""stream":true"#)
        if request.path == "/v1/completions" { return completion }
        if request.path == "/v1/embeddings" { return .embeddings([[0.25, -0.5, 1]]) }
        if let status = Int(model.split(separator: "-").last ?? ""), model.hasPrefix("status-") {
            return .openAIError(status: status, message: "This was scripted.", code: "scripted_code")
        }
        switch model {
        case "tools": return isStream ? streamedTools : tools
        case "slow", "stalled": return Script(steps: [.stall])
        case "cut":
            let script = Script.chatStream("One two three.")
            return script.cut(after: script.byteCount - 200)
        default:
            let text = "Hello from the mock."
            let includesUsage = request.text.contains("include_usage")
            return isStream ? .chatStream(text, includesUsage: includesUsage) : .chatCompletion(text)
        }
    }

    private static let completion = Script.json(
        """
        {"id":"c","object":"text_completion","created":1,"model":"m","choices":[{"text":" time","index":0,\
        "logprobs":null,"finish_reason":"stop"}]}
        """
    )

    private static let tools = Script.json(
        #"""
        {"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":\#
        "assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"get_weather",\#
        "arguments":"{\"city\":\"Köln\"}"}}]},"finish_reason":"tool_calls"}]}
        """#
    )

    private static let streamedTools: Script = {
        func chunk(_ delta: String, _ finish: String = "null") -> String {
            #"{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":"#
                + delta + #","finish_reason":\#(finish)}]}"#
        }
        func call(_ rest: String) -> String { chunk(#"{"tool_calls":[{"index":0,\#(rest)}]}"#) }
        return .events([
            call(#""id":"call_1","type":"function","function":{"name":"get_weather","arguments":""}"#),
            call(#""function":{"arguments":"{\"city\":"}"#),
            call(#""function":{"arguments":"\"Köln\"}"}"#),
            chunk("{}", #""tool_calls""#),
            "[DONE]",
        ])
    }()

    /// A configuration with a model for each thing that the server behind it does.
    private static func configuration(_ engine: ScriptedEngine) -> String {
        var text = "[server]\nmax_body_bytes = 100000\n"
        let names =
            ["plain", "tools", "stalled", "cut"] + [400, 401, 409, 422, 429, 500, 503].map { "status-\($0)" }
        func model(_ name: String, _ baseURL: String, _ more: String = "") -> String {
            """
            [[models]]
            name = "\(name)"
            retry = { max_attempts = 1 }
            health = { enabled = false }
            [[models.deployments]]
            base_url = "\(baseURL)/v1"
            \(more)

            """
        }
        for name in names { text += model(name, engine.url) }
        text += model("slow", engine.url, #"timeouts = { first_byte = "200ms" }"#)
        text += model("nobody", "http://127.0.0.1:9")
        return text
    }

    private func run(_ script: String, _ arguments: [String]) async throws {
        let client = try ChildProcess(try BuiltProducts.python(), [BuiltProducts.source(script)] + arguments)
        let status = try await client.waitForExit(within: .seconds(240))
        let lines = client.output.split(separator: "\n")
        for line in lines where !line.hasPrefix("ok ") { Issue.record("\(line)") }
        #expect(status == 0, "\(client.errors)")
        #expect(lines.count > 5)
    }

    @Test func `OpenAI's own client is content`() async throws {
        let engine = try ScriptedEngine(respond: Self.respond)
        let directory = try TemporaryDirectory()
        let file = try directory.write("gateway.toml", Self.configuration(engine))
        let server = try await RunningServer("--config", file, "--api-key", Self.key)
        defer { server.process.signal(SIGKILL) }
        try await run("openai_client.py", [server.url, Self.key])
        let withTools = engine.requests.filter { $0.text.contains(#""tools""#) && $0.path == "/v1/chat/completions" }
        #expect(withTools.count == 2)
        for request in withTools {
            let tool = try JSONValue(parsing: request.body)["tools"]?.array?.first?["function"]
            #expect(tool?["name"]?.string == "get_weather")
            #expect(tool?["parameters"]?["properties"]?["city"]?["type"]?.string == "string")
        }
        engine.stop()
        #expect(try await server.stop() == 0)
    }

    @Test func `Bad input is refused, and the server lives on`() async throws {
        let engine = try ScriptedEngine(respond: Self.respond)
        let directory = try TemporaryDirectory()
        let file = try directory.write("gateway.toml", Self.configuration(engine))
        let server = try await RunningServer("--config", file)
        defer { server.process.signal(SIGKILL) }
        try await run("bad_input.py", ["127.0.0.1", "\(server.port)"])
        #expect(try await server.stop() == 0)
    }
}
