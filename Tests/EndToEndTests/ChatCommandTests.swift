// `gateway chat` against a scripted server: what it sends, what it prints, and how it ends.

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

@Suite("gateway chat", .timeLimit(.minutes(5)))
struct ChatCommandTests {
    /// Runs one question to its end.
    private func ask(
        _ engine: ScriptedEngine,
        _ arguments: String...,
        environment: [String: String] = [:],
        input: ChildProcess.Input = .none
    ) async throws -> (status: Int32, output: String, errors: String) {
        let chat = try ChildProcess(
            BuiltProducts.path("gateway"),
            ["chat", "--base-url", engine.url, "-m", "mock"] + arguments,
            environment: environment,
            input: input
        )
        let status = try await chat.waitForExit()
        return (status, chat.output, chat.errors)
    }

    @Test func `The command prints the answer and nothing else`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI(text: "Rayleigh scattering."))
        let run = try await ask(engine, "Why is the sky blue?")
        #expect(run.status == 0)
        #expect(run.output == "Rayleigh scattering.\n")
        #expect(run.errors == "")
    }

    @Test func `The command prints the answer while it is made`() async throws {
        let engine = try ScriptedEngine()
        let script = Script.chatStream("One two three.")
        engine.enqueue(script.stalled(after: script.byteCount - 200))
        let chat = try BuiltProducts.gateway("chat", "--base-url", engine.url, "-m", "mock", "Count.")
        try await chat.waitForOutput { $0.contains("One two") }
        #expect(chat.isRunning)
        engine.release()
        #expect(try await chat.waitForExit() == 0)
        #expect(chat.output == "One two three.\n")
    }

    @Test func `The command never splits a character`() async throws {
        let text = "Grüße 👩‍🚀 — 你好, é 🇩🇪."
        let engine = try ScriptedEngine { _ in Script.chatStream(text).inPieces(of: 1) }
        let run = try await ask(engine, "Hi")
        #expect(run.output == text + "\n")
    }

    @Test func `The command sends what the options say`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI())
        let run = try await ask(
            engine,
            "Hi",
            "--system",
            "Be brief.",
            "--temperature",
            "0.5",
            "--max-tokens",
            "7",
            "--seed",
            "42",
            "--api-key",
            "sk-test"
        )
        #expect(run.status == 0)
        let request = try #require(engine.requests.first)
        let body = try JSONValue(parsing: request.body)
        #expect(body["model"]?.string == "mock")
        #expect(body["messages"]?.array?.map { $0["role"]?.string } == ["system", "user"])
        #expect(body["messages"]?.array?.map { $0["content"]?.string } == ["Be brief.", "Hi"])
        #expect(body["temperature"]?.serialized() == Array("0.5".utf8))
        #expect(body["seed"]?.int == 42)
        #expect((body["max_tokens"] ?? body["max_completion_tokens"])?.int == 7)
        #expect(request.header("authorization") == "Bearer sk-test")
    }

    private static let prompts: [(prompt: String?, input: String, expected: String)] = [
        (nil, "Piped.\n", "Piped.\n"),
        ("Asked:", "Piped.", "Asked:\n\nPiped."),
        ("Asked:", "", "Asked:"),
    ]

    @Test(arguments: prompts)
    func `The command takes the prompt from standard input`(_ prompt: String?, _ input: String, _ expected: String)
        async throws
    {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI())
        let chat = try ChildProcess(
            BuiltProducts.path("gateway"),
            ["chat", "--base-url", engine.url, "-m", "mock"] + (prompt.map { [$0] } ?? []),
            input: .text(input)
        )
        #expect(try await chat.waitForExit() == 0)
        let body = try JSONValue(parsing: try #require(engine.requests.first).body)
        #expect(body["messages"]?.array?.first?["content"]?.string == expected)
    }

    // MARK: D24

    @Test func `D24: a closed standard input is no error beside a prompt`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI(text: "Yes."))
        let run = try await ask(engine, "Hi", input: .closed)
        #expect(run.status == 0)
        #expect(run.output == "Yes.\n")
        #expect(run.errors == "")
        let body = try JSONValue(parsing: try #require(engine.requests.first).body)
        #expect(body["messages"]?.array?.first?["content"]?.string == "Hi")
    }

    @Test func `D24: a prompt does not wait for a pipe that nobody closes`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI(text: "Yes."))
        let run = try await ask(engine, "Hi", input: .silence)
        #expect(run.status == 0)
        #expect(run.output == "Yes.\n")
        #expect(run.errors.hasPrefix("gateway: nothing arrived on standard input"))
        let body = try JSONValue(parsing: try #require(engine.requests.first).body)
        #expect(body["messages"]?.array?.first?["content"]?.string == "Hi")
    }

    @Test func `D24: a closed standard output is a failure of the output`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI(text: "Yes."))
        let command = [BuiltProducts.path("gateway"), "chat", "Hi", "-m", "mock", "--base-url", engine.url]
        let chat = try ChildProcess("/bin/sh", ["-c", #"exec "$0" "$@" >&-"#] + command)
        #expect(try await chat.waitForExit() == 74)
        #expect(chat.errors.hasPrefix("gateway: cannot write the output: Bad file descriptor"))
    }

    private static let inParts = [
        #"{"type":"text","text":"One "}"#, #"{"type":"text","text":"two."}"#,
    ]

    @Test(arguments: [true, false])
    func `D24: content that is given as parts is printed`(_ isStreamed: Bool) async throws {
        let kind = isStreamed ? "chat.completion.chunk" : "chat.completion"
        let member = isStreamed ? "delta" : "message"
        @Sendable func answer(_ content: String, _ finish: String) -> String {
            """
            {"id":"1","object":"\(kind)","created":1,"model":"mock","choices":[{"index":0,\
            "\(member)":{"role":"assistant","content":[\(content)]},"finish_reason":\(finish)}]}
            """
        }
        let engine = try ScriptedEngine { _ in
            guard isStreamed else { return .json(answer(Self.inParts.joined(separator: ","), #""stop""#)) }
            return .events(Self.inParts.map { answer($0, "null") } + [answer("", #""stop""#), "[DONE]"])
        }
        let run = try await ask(engine, "Count.")
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output == "One two.\n")
    }

    private static let colourful = "\u{1B}[31mred\u{7}\u{9B}2J\u{7F}\u{202E}\tend\r\nNext."

    @Test func `D24: a pipe gets the control characters of an answer as they are`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI(text: Self.colourful))
        let run = try await ask(engine, "Hi")
        #expect(run.output == Self.colourful + "\n")
    }

    @Test func `D24: a terminal is shown the control characters of an answer as escapes`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI(text: Self.colourful))
        let run = try await ask(engine, "Hi", input: .terminal)
        #expect(run.status == 0)
        let shown = #"\u001b[31mred\u0007\u009b2J\u007f\u202e"#
        #expect(run.output.hasPrefix(shown + "\tend"), "\(run.output)")
        #expect(run.output.hasSuffix("Next.\r\n") && !run.output.contains(#"\u000d"#))
        #expect(!run.output.unicodeScalars.contains("\u{1B}"))
    }

    @Test func `D24: a terminal obeys no control characters of an error`() async throws {
        let engine = try ScriptedEngine { _ in .openAIError(status: 400, message: "bad \u{1B}[2J") }
        let run = try await ask(engine, "Hi", input: .terminal)
        #expect(run.status == 65)
        #expect(run.output.hasPrefix("gateway: bad ") && run.output.hasSuffix("[2J\r\n"), "\(run.output)")
        #expect(!run.output.unicodeScalars.contains("\u{1B}"))
    }

    @Test func `The command takes the only model of a server`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI(models: ["only"]))
        let chat = try BuiltProducts.gateway("chat", "--base-url", engine.url + "/v1", "Hi")
        #expect(try await chat.waitForExit() == 0)
        #expect(engine.requests.map(\.path) == ["/v1/models", "/v1/chat/completions"])
    }

    @Test func `The command asks for a choice among several models`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI(models: ["a", "b"]))
        let chat = try BuiltProducts.gateway("chat", "--base-url", engine.url, "Hi")
        #expect(try await chat.waitForExit() == 64)
        #expect(chat.errors.contains("--model: a, b"))
    }

    @Test func `The command prints the whole response`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI(text: "Yes."))
        let run = try await ask(engine, "--json", "Hi")
        let json = try JSONValue(parsing: Array(run.output.utf8.dropLast()))
        #expect(json["object"]?.string == "chat.completion")
        #expect(json["choices"]?.array?.first?["message"]?["content"]?.string == "Yes.")
        #expect(json["choices"]?.array?.first?["finish_reason"]?.string == "stop")
        #expect(json["usage"]?["completion_tokens"]?.int == 1)
    }

    @Test func `The command says how fast it was`() async throws {
        let engine = try ScriptedEngine(
            respond: ScriptedEngine.openAI(text: "One two three.", pace: .milliseconds(2))
        )
        let run = try await ask(engine, "--stats", "Hi")
        #expect(run.output == "One two three.\n")
        let line =
            /time to first token [0-9]+\.[0-9]{3} s, [0-9]+\.[0-9] tokens\/s, 5 prompt \+ 3 completion tokens, .*\n/
        #expect(run.errors.wholeMatch(of: line) != nil, "\(run.errors)")
    }

    // MARK: Keys

    @Test func `The command sends the key of the environment`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI())
        _ = try await ask(engine, "Hi", environment: ["GATEWAY_API_KEY": "from-environment"])
        #expect(engine.requests.first?.header("authorization") == "Bearer from-environment")
    }

    @Test func `The command keeps the key of OpenAI from other servers`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI())
        let run = try await ask(engine, "Hi", environment: ["OPENAI_API_KEY": "sk-secret"])
        #expect(run.status == 0)
        let received = engine.connections.flatMap(\.received)
        #expect(!String(decoding: received, as: UTF8.self).contains("sk-secret"))
    }

    // MARK: Ends

    @Test func `Control-C stops the answer`() async throws {
        let engine = try ScriptedEngine()
        let script = Script.chatStream("One two three.")
        engine.enqueue(script.stalled(after: script.byteCount - 200))
        let chat = try BuiltProducts.gateway("chat", "--base-url", engine.url, "-m", "mock", "Count.")
        try await chat.waitForOutput { $0.contains("One two") }
        chat.signal(SIGINT)
        #expect(try await chat.waitForExit() == 130)
        #expect(chat.output.hasSuffix("\n"))
        try await engine.waitForClientClose()
    }

    @Test func `The command ends quietly when its output is closed`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI())
        let chat = try BuiltProducts.gateway(
            "chat",
            "--base-url",
            engine.url,
            "-m",
            "mock",
            "Hi",
            readsOutput: false
        )
        #expect(try await chat.waitForExit() == 0)
        #expect(chat.errors == "")
    }

    private static let failures: [(status: Int, exit: Int32, text: String)] = [
        (400, 65, "The provider says"),
        (401, 77, "API key"),
        (404, 69, "The provider says"),
        (429, 69, "The provider says"),
        (500, 70, "HTTP 500"),
        (503, 69, "HTTP 503"),
    ]

    @Test(arguments: failures)
    func `Failures of the server have exit statuses`(_ status: Int, _ expected: Int32, _ text: String) async throws {
        let engine = try ScriptedEngine { _ in .openAIError(status: status, message: "The provider says bad") }
        let run = try await ask(engine, "Hi")
        #expect(run.status == expected)
        #expect(run.output == "")
        #expect(run.errors.hasPrefix("gateway: ") && run.errors.contains(text), "\(run.errors)")
        #expect(run.errors.split(separator: "\n").count == 1)
        #expect(!run.errors.contains("127.0.0.1"))
    }

    @Test func `A cut answer is a failure`() async throws {
        let engine = try ScriptedEngine { _ in
            let script = Script.chatStream("One two three.")
            return script.cut(after: script.byteCount - 200)
        }
        let run = try await ask(engine, "Hi")
        #expect(run.status == 70)
        #expect(run.output.hasPrefix("One two"))
        #expect(run.errors.hasPrefix("gateway: "))
    }

    #if os(Linux)
    @Test(arguments: [["chat", "Hi", "-m", "mock", "--base-url"], ["--help"], ["--version"]])
    func `A full device is a failure of the output`(_ arguments: [String]) async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI(text: "Yes."))
        let address = arguments.last == "--base-url" ? [engine.url] : []
        let command = [BuiltProducts.path("gateway")] + arguments + address
        let chat = try ChildProcess("/bin/sh", ["-c", #"exec "$0" "$@" > /dev/full"#] + command)
        #expect(try await chat.waitForExit() == 74)
        #expect(chat.errors.hasPrefix("gateway: cannot write the output: "))
        #expect(chat.errors.contains("redirect it elsewhere"))
    }
    #endif

    private static let badUses: [(arguments: [String], status: Int32)] = [
        (["--bogus"], 64),
        (["--max-tokens", "0", "Hi"], 64),
        (["--temperature", "-1", "Hi"], 64),
        ([""], 64),
        ([], 64),
        (["--json"], 64),
        (["--api-key", "k", "Hi"], 64),
        (["--threads", "0", "Hi"], 64),
        (["--context", "-1", "Hi"], 64),
        (["--threads", "2", "--base-url", "http://127.0.0.1:9", "-m", "x", "Hi"], 64),
        (["--config", "a", "--base-url", "b", "Hi"], 64),
        (["-m", "/nowhere/model.gguf", "Hi"], missingFileStatus),
        (["--config", "/nowhere/gateway.toml", "Hi"], 66),
        (["--base-url", "127.0.0.1:9", "Hi"], 78),
        (["--base-url", "http://127.0.0.1:9", "-m", "x", "Hi"], 69),
    ]

    @Test(arguments: badUses)
    func `Wrong use has its own exit statuses`(_ arguments: [String], _ status: Int32) async throws {
        let chat = try ChildProcess(BuiltProducts.path("gateway"), ["chat"] + arguments)
        #expect(try await chat.waitForExit() == status)
        #expect(chat.output == "")
        #expect(chat.errors.hasPrefix("gateway: "), "\(chat.errors)")
    }

    #if LlamaCpp
    @Test func `A missing model file says what to do`() async throws {
        let chat = try ChildProcess(BuiltProducts.path("gateway"), ["chat", "-m", "/nowhere/model.gguf", "Hi"])
        #expect(try await chat.waitForExit() == 66)
        #expect(chat.errors.contains("/nowhere/model.gguf"))
        #expect(chat.errors.contains("give the path of a GGUF file, or run scripts/setup"))
    }

    private static let missingFileStatus: Int32 = 66
    #else
    private static let missingFileStatus: Int32 = 69
    #endif

    @Test(.enabled(if: Configuration.FileFormat.yaml.isAvailable))
    func `The command uses the models of a configuration`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI(text: "From the file."))
        let directory = try TemporaryDirectory()
        let file = try directory.write(
            "gateway.yaml",
            """
            models:
              - name: assistant
                deployments:
                  - base_url: \(engine.url)/v1
                    model: mock-7b
            """
        )
        let chat = try BuiltProducts.gateway("chat", "--config", file, "Hi")
        #expect(try await chat.waitForExit() == 0)
        #expect(chat.output == "From the file.\n")
        let body = try JSONValue(parsing: try #require(engine.requests.first).body)
        #expect(body["model"]?.string == "mock-7b")
    }

    @Test func `The command finds the models of workers`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI(models: ["found"], text: "From a worker."))
        let directory = try TemporaryDirectory()
        let file = try directory.write("gateway.toml", "[workers]\nurls = [\"\(engine.url)\"]\n")
        let chat = try BuiltProducts.gateway("chat", "--config", file, "Hi")
        #expect(try await chat.waitForExit() == 0, "\(chat.errors)")
        #expect(chat.output == "From a worker.\n")
        engine.stop()
        let vain = try BuiltProducts.gateway("chat", "--config", file, "Hi")
        #expect(try await vain.waitForExit() == 69)
        #expect(vain.errors.hasPrefix("gateway: "))
    }
}
