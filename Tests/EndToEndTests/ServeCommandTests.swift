// `gateway serve` as a process: how it starts, what stops it from starting, how it drains, and that it lives on.

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

@Suite("gateway serve", .timeLimit(.minutes(5)))
struct ServeCommandTests {
    /// A configuration with one model behind an engine.
    static func configuration(_ engine: ScriptedEngine, server: String = "") -> String {
        """
        [server]
        \(server)
        [[models]]
        name = "assistant"
        retry = { max_attempts = 1 }
        health = { enabled = false }
        [[models.deployments]]
        base_url = "\(engine.url)/v1"
        model = "mock"
        """
    }

    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func start(
        _ engine: ScriptedEngine,
        environment: [String: String] = [:]
    ) async throws -> RunningServer {
        let file = try directory.write("gateway.toml", Self.configuration(engine))
        return try await RunningServer("--config", file, environment: environment)
    }

    @Test func `The server answers under its own names`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI())
        let server = try await start(engine)
        defer { server.process.signal(SIGKILL) }
        for path in ["/health", "/liveness", "/readiness"] {
            #expect(try await server.get(path).status == 200, "\(path)")
        }
        let models = try JSONValue(parsing: Array(try await server.get("/v1/models").body.utf8))
        #expect(models["data"]?.array?.map { $0["id"]?.string } == ["assistant"])
        #expect(try await server.get("/v1/models/assistant").status == 200)
        #expect(try await server.get("/v1/models/other").status == 404)
        let reply = try await server.post(
            "/v1/chat/completions",
            #"{"model":"assistant","messages":[{"role":"user","content":"Hi"}]}"#
        )
        #expect(reply.status == 200)
        #expect(reply.body.contains("Hello from the mock."))
        #expect(try await server.stop() == 0)
    }

    @Test func `The server finds the models of workers and takes turns`() async throws {
        let first = try ScriptedEngine(respond: ScriptedEngine.openAI(models: ["shared", "first"]))
        let second = try ScriptedEngine(respond: ScriptedEngine.openAI(models: ["shared"]))
        let server = try await RunningServer("--worker-urls", first.url, second.url)
        defer { server.process.signal(SIGKILL) }
        try await server.waitForWorkerDeployments(3)
        let models = try JSONValue(parsing: Array(try await server.get("/v1/models").body.utf8))
        #expect(models["data"]?.array?.map { $0["id"]?.string } == ["first", "shared"])
        for _ in 0..<6 {
            let reply = try await server.post("/v1/chat/completions", #"{"model":"shared","messages":[]}"#)
            #expect(reply.status == 200)
        }
        for engine in [first, second] {
            #expect(engine.requests.count { $0.path == "/v1/chat/completions" } == 3)
        }
        #expect(try await server.stop() == 0)
    }

    @Test func `The server asks for a key if it has keys`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI())
        let file = try directory.write("gateway.toml", Self.configuration(engine))
        let server = try await RunningServer("--config", file, "--api-key", "one", "--api-key", "two")
        defer { server.process.signal(SIGKILL) }
        let body = #"{"model":"assistant","messages":[]}"#
        let refused = try await server.post("/v1/chat/completions", body)
        #expect(refused.status == 401)
        #expect(refused.headers["www-authenticate"] != nil)
        for key in ["one", "two"] {
            let headers = [HTTPHeader("authorization", "Bearer \(key)")]
            #expect(try await server.post("/v1/chat/completions", body, headers: headers).status == 200)
        }
        let sent = engine.requests.compactMap { $0.header("authorization") }
        #expect(sent.isEmpty, "a client's key must not go upstream")
        #expect(try await server.stop() == 0)
    }

    // MARK: Draining

    @Test func `Running answers finish`() async throws {
        let engine = try ScriptedEngine()
        let script = Script.chatStream("One two three.")
        engine.enqueue(script.stalled(after: script.byteCount - 200))
        let server = try await start(engine)
        defer { server.process.signal(SIGKILL) }
        async let reply = server.post(
            "/v1/chat/completions",
            #"{"model":"assistant","stream":true,"messages":[{"role":"user","content":"Hi"}]}"#
        )
        try await engine.waitForRequests(1)
        server.process.signal(SIGTERM)
        try await server.process.waitForErrors { $0.contains("Shutting down") }
        #expect(server.process.isRunning)
        engine.release()
        let body = try await reply.body
        #expect(body.contains("three.") && body.hasSuffix("data: [DONE]\n\n"))
        #expect(try await server.process.waitForExit() == 0)
    }

    @Test func `A second signal ends at once`() async throws {
        let engine = try ScriptedEngine()
        let script = Script.chatStream("One two three.")
        engine.enqueue(script.stalled(after: script.byteCount - 200))
        let server = try await start(engine)
        defer { server.process.signal(SIGKILL) }
        let reply = Task {
            try await server.post("/v1/chat/completions", #"{"model":"assistant","stream":true,"messages":[]}"#)
        }
        try await engine.waitForRequests(1)
        server.process.signal(SIGTERM)
        try await server.process.waitForErrors { $0.contains("Shutting down") }
        server.process.signal(SIGTERM)
        #expect(try await server.process.waitForExit() == 130)
        let failure = await #expect(throws: GatewayError.self) { try await reply.value }
        #expect(failure?.code == .truncatedResponse)
    }

    @Test func `A5: SIGHUP is ignored and cuts no stream`() async throws {
        let engine = try ScriptedEngine()
        let script = Script.chatStream("One two three.")
        engine.enqueue(script.stalled(after: script.byteCount - 200))
        let server = try await start(engine)
        defer { server.process.signal(SIGKILL) }
        async let reply = server.post("/v1/chat/completions", #"{"model":"assistant","stream":true,"messages":[]}"#)
        try await engine.waitForRequests(1)
        for count in 1...2 {
            server.process.signal(SIGHUP)
            try await server.process.waitForErrors { $0.matches(of: /SIGHUP is ignored/).count == count }
        }
        engine.release()
        #expect(try await reply.body.hasSuffix("data: [DONE]\n\n"))
        #expect(try await server.get("/readiness").status == 200)
        #expect(try await server.stop() == 0)
    }

    @Test func `A5: after SIGTERM the server is not ready, takes calls for the delay, and then drains`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI())
        let server = try await start(engine, environment: ["GATEWAY_SHUTDOWN_DELAY": "1h"])
        defer { server.process.signal(SIGKILL) }
        #expect(try await server.get("/readiness").status == 200)
        server.process.signal(SIGTERM)
        try await server.process.waitForErrors { $0.contains("No longer ready") }
        for client in [server, try server.withNewConnections()] {
            let readiness = try await client.get("/readiness")
            #expect(readiness.status == 503)
            #expect(readiness.body.contains("draining"))
            #expect(try await client.get("/health").status == 200)
            let reply = try await client.post("/v1/chat/completions", #"{"model":"assistant","messages":[]}"#)
            #expect(reply.status == 200)
            #expect(reply.headers["connection"] == nil)
        }
        // With a call under way the drain can be seen: its answer says that the connection ends.
        let script = Script.chatStream("One two three.")
        engine.enqueue(script.stalled(after: 0))
        async let last = server.post("/v1/chat/completions", #"{"model":"assistant","stream":true,"messages":[]}"#)
        try await engine.waitForRequests(3)
        // The second signal cuts the delay short.
        server.process.signal(SIGTERM)
        try await server.process.waitForErrors { $0.contains("Shutting down") }
        #expect(server.process.isRunning)
        engine.release()
        let reply = try await last
        #expect(reply.headers["connection"] == "close")
        #expect(reply.body.hasSuffix("data: [DONE]\n\n"))
        #expect(try await server.process.waitForExit() == 0)
    }

    @Test func `A5: the delay ends by itself`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI())
        let server = try await start(engine, environment: ["GATEWAY_SHUTDOWN_DELAY": "100ms"])
        defer { server.process.signal(SIGKILL) }
        server.process.signal(SIGTERM)
        #expect(try await server.process.waitForExit() == 0)
        let log = server.process.errors
        #expect(log.contains("No longer ready") && log.contains("Shutting down") && log.contains("Stopped."))
    }

    @Test func `A5: on a terminal nothing waits`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI())
        let file = try directory.write("gateway.toml", Self.configuration(engine))
        for signal in [SIGINT, SIGTERM] {
            let server = try BuiltProducts.gateway("serve", "--port", "0", "--config", file, input: .terminal)
            try await server.waitForOutput { $0.contains("Listening") }
            server.signal(signal)
            #expect(try await server.waitForExit() == 0)
            #expect(!server.output.contains("No longer ready"))
        }
    }

    // MARK: What stops it from starting

    @Test func `A3: it does not listen for others while no client needs a key, unless told to`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI())
        let file = try directory.write("gateway.toml", Self.configuration(engine))
        for host in ["0.0.0.0", "::", "192.0.2.1"] {
            let server = try BuiltProducts.gateway("serve", "--config", file, "--port", "0", "--host", host)
            #expect(try await server.waitForExit() == 78)
            #expect(server.errors.contains("gateway: on \(host) everybody who can connect could use the models"))
            #expect(server.errors.contains("--api-key") && server.errors.contains("--allow-unauthenticated"))
        }
        for arguments in [["--allow-unauthenticated"], ["--api-key", "k"], ["--api-key", "k", "--admin-key", "a"]] {
            let server = try ChildProcess(
                BuiltProducts.path("gateway"),
                ["serve", "--config", file, "--port", "0", "--host", "0.0.0.0"] + arguments
            )
            try await server.waitForErrors { $0.contains("Listening") }
            server.signal(SIGTERM)
            #expect(try await server.waitForExit() == 0)
            // Said once, and only if it is so.
            let notices = server.errors.matches(of: /No admin key is configured/).count
            #expect(notices == (arguments.contains("--admin-key") ? 0 : 1))
        }
        let same = try BuiltProducts.gateway("serve", "--config", file, "--api-key", "k", "--admin-key", "k")
        #expect(try await same.waitForExit() == 78)
    }

    @Test func `A port in use is reported`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI())
        let file = try directory.write("gateway.toml", Self.configuration(engine))
        let server = try BuiltProducts.gateway("serve", "--config", file, "--port", "\(engine.port)")
        #expect(try await server.waitForExit() == 69)
        #expect(server.errors.contains("gateway: port \(engine.port) on 127.0.0.1 is in use"))
    }

    @Test func `All mistakes of a configuration are reported`() async throws {
        let file = try directory.write(
            "gateway.toml",
            "[server]\nprot = 3\nport = \"x\"\n\n[logging]\nlevel = \"loud\"\n"
        )
        let server = try BuiltProducts.gateway("serve", "--config", file)
        #expect(try await server.waitForExit() == 78)
        for mistake in ["\(file):2:", "\(file):3:", "\(file):6:", "did you mean 'port'?", "mistakes; correct them"] {
            #expect(server.errors.contains(mistake), "\(server.errors)")
        }
    }

    private static let withoutModels: [(name: String, text: String, reason: String)] = [
        ("empty.toml", "", "has no models that can be served; add"),
        ("server.toml", "[server]\nhost = \"127.0.0.1\"\n", "has no models that can be served; add"),
        (
            "left-out.yaml",
            "model_list:\n  - model_name: a\n    litellm_params: {model: bedrock/claude}\n",
            "the warnings above say what was left out"
        ),
    ]

    @Test(arguments: withoutModels.filter { !$0.name.hasSuffix(".yaml") || Configuration.FileFormat.yaml.isAvailable })
    func `D23: a configuration without models is refused`(_ name: String, _ text: String, _ reason: String) async throws
    {
        let file = try directory.write(name, text)
        for command in [["serve", "--port", "0"], ["chat", "Hi"], ["route", "explain", "Hi"]] {
            let process = try ChildProcess(BuiltProducts.path("gateway"), command + ["--config", file])
            #expect(try await process.waitForExit() == 78)
            #expect(process.errors.contains("gateway: the configuration \(file) has no models"), "\(process.errors)")
            #expect(process.errors.contains(reason))
            #expect(process.errors.matches(of: /is not supported; left out/).count == (name.hasPrefix("left") ? 1 : 0))
            #expect(process.output == "")
        }
    }

    @Test(.enabled(if: Configuration.FileFormat.yaml.isAvailable))
    func `D23: a warning of the configuration comes once`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI())
        let file = try directory.write(
            "litellm.yaml",
            """
            model_list:
              - model_name: a
                litellm_params: {model: openai/mock, api_base: "\(engine.url)/v1"}
              - model_name: b
                litellm_params: {model: bedrock/claude}
            """
        )
        let server = try await RunningServer("--config", file)
        defer { server.process.signal(SIGKILL) }
        #expect(try await server.stop() == 0)
        #expect(server.process.errors.matches(of: /bedrock/).count == 1, "\(server.process.errors)")
        let chat = try BuiltProducts.gateway("chat", "--config", file, "Hi")
        #expect(try await chat.waitForExit() == 0)
        #expect(chat.errors.matches(of: /bedrock/).count == 1, "\(chat.errors)")
    }

    @Test func `C14: a local model does not take the name of a configured one`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI())
        let file = try directory.write("gateway.toml", Self.configuration(engine))
        let server = try BuiltProducts.gateway("serve", "--config", file, "--port", "0", "-m", "assistant=/tmp/a.gguf")
        #expect(try await server.waitForExit() == 64)
        let message = "gateway: --model assistant: the configuration already has a model of that name"
        #expect(server.errors.hasPrefix(message))
    }

    private static let badUses: [(arguments: [String], status: Int32)] = [
        (["--port", "70000"], 64),
        (["--policy", "best"], 64),
        (["--log-level", "loud"], 64),
        (["--worker-urls", "localhost:8000"], 64),
        (["--api-key", ""], 64),
        (["--model", "a=/nowhere/1.gguf", "-m", "a=/nowhere/2.gguf"], 64),
        (["--model", "a="], 64),
        (["--model", "=/nowhere/1.gguf"], 64),
        (["--threads", "0"], 64),
        (["--context", "0"], 64),
        (["--threads", "2", "--worker-urls", "http://127.0.0.1:9"], 64),
        (["surplus"], 64),
        (["--config", "/nowhere/gateway.toml"], 66),
    ]

    @Test(arguments: badUses)
    func `Wrong use has its own exit statuses`(_ arguments: [String], _ status: Int32) async throws {
        let server = try ChildProcess(BuiltProducts.path("gateway"), ["serve", "--port", "0"] + arguments)
        #expect(try await server.waitForExit() == status)
        #expect(server.errors.hasPrefix("gateway: "), "\(server.errors)")
    }

    @Test func `The version and the help are printed`() async throws {
        let version = try BuiltProducts.gateway("--version")
        #expect(try await version.waitForExit() == 0)
        #expect(version.output.wholeMatch(of: /[0-9]+\.[0-9]+\.[0-9]+\n/) != nil)
        for arguments in [["--help"], ["chat", "--help"], ["serve", "--help"]] {
            let help = try ChildProcess(BuiltProducts.path("gateway"), arguments)
            #expect(try await help.waitForExit() == 0)
            #expect(help.output.contains("USAGE: gateway"))
        }
    }
}
