// `gateway route explain`: what it shows, that it sends nothing, and how it ends.

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

@Suite("gateway route explain", .timeLimit(.minutes(5)))
struct RouteCommandTests {
    private let directory: TemporaryDirectory
    private let file: String

    init() throws {
        directory = try TemporaryDirectory()
        file = try directory.write(
            "gateway.toml",
            """
            [[models]]
            name = "assistant"
            aliases = ["helper"]
            policy = "consistent_hashing"
            [[models.deployments]]
            id = "first"
            base_url = "http://127.0.0.1:9/v1"
            [[models.deployments]]
            id = "second"
            base_url = "http://127.0.0.1:9/v1"
            tags = ["eu"]
            [[models.deployments]]
            id = "resting"
            base_url = "http://127.0.0.1:9/v1"
            weight = 0
            [[models.deployments]]
            id = "spare"
            base_url = "http://127.0.0.1:9/v1"
            priority = 1
            """
        )
    }

    private func explain(
        _ arguments: String...,
        input: ChildProcess.Input = .none
    ) async throws -> (status: Int32, output: String, errors: String) {
        try await explain(arguments, input: input)
    }

    private func explain(
        _ arguments: [String],
        _ environment: [String: String] = [:],
        input: ChildProcess.Input = .none
    ) async throws -> (status: Int32, output: String, errors: String) {
        let command = try ChildProcess(
            BuiltProducts.path("gateway"),
            ["route", "explain"] + arguments,
            environment: environment,
            input: input
        )
        let status = try await command.waitForExit()
        return (status, command.output, command.errors)
    }

    private func json(_ output: String) throws -> JSONValue { try JSONValue(parsing: Array(output.utf8)) }

    @Test func `The command shows who may take the call, and why others may not`() async throws {
        let run = try await explain("--config", file, "--session", "alice", "--tags", "eu,us", "Hi")
        #expect(run.status == 0)
        let lines = run.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        #expect(lines.contains(["model", "assistant"]))
        #expect(lines.contains(["policy", "consistent_hashing"]))
        #expect(lines.contains(["session", "alice"]))
        #expect(lines.contains(["tags", "eu,", "us"]))
        let ranked = lines.filter { Int($0[0]) != nil }.map { Array($0.prefix(3)) }
        #expect(ranked == [["1", "second", "0"], ["2", "first", "0"], ["3", "spare", "1"]])
        #expect(lines.contains(["resting", "standby"]))
    }

    @Test func `JSON says the same`() async throws {
        let run = try await explain("--config", file, "-m", "helper", "--tags", "eu", "--json", "Hi")
        #expect(run.status == 0)
        let report = try json(run.output)
        #expect(report["model"]?.string == "assistant")
        #expect(report["mode"]?.string == "chat")
        let candidates = report["candidates"]?.array ?? []
        #expect(candidates.map { $0["deployment"]?.string } == ["second", "first", "spare"])
        #expect(candidates.map { $0["rank"]?.int } == [1, 2, 3])
        #expect(candidates.allSatisfy { $0["score"]?.double != nil && $0["score_meaning"]?.string != nil })
        let excluded = report["not_eligible"]?.array ?? []
        #expect(excluded.map { $0["deployment"]?.string } == ["resting"])
        #expect(excluded.first?["reasons"]?.array?.map(\.string) == ["standby"])
    }

    @Test func `The command takes the prompt or a whole request from a pipe`() async throws {
        let prompt = try await explain("--config", file, "--json", input: .text("Hello"))
        #expect(try json(prompt.output)["text_bytes"]?.int == "\nuser\nHello".utf8.count)
        let body = #"{"model":"assistant","input":"abc","user":"bob","metadata":{"tags":"eu"}}"#
        let request = try await explain("--config", file, "--json", "--request", "-", input: .text(body))
        let report = try json(request.output)
        #expect(report["mode"]?.string == "embedding")
        #expect(report["session_key"]?.string == "bob")
        #expect(report["tags"]?.array?.map(\.string) == ["eu"])
        let stored = try directory.write("call.json", body)
        let read = try await explain("--config", file, "--json", "--request", stored)
        #expect(try json(read.output) == report)
    }

    @Test func `The command asks workers for their models and sends nothing else`() async throws {
        let engines = try [["shared"], ["shared"], ["other", "shared"], ["other"]].map {
            try ScriptedEngine(respond: ScriptedEngine.openAI(models: $0))
        }
        let urls = engines.map(\.url) + ["http://127.0.0.1:9"]
        let command = try ChildProcess(
            BuiltProducts.path("gateway"),
            ["route", "explain", "-m", "shared", "--json", "Hi", "--policy", "least_load", "--worker-urls"] + urls
        )
        #expect(try await command.waitForExit() == 0)
        let report = try json(command.output)
        #expect(report["policy"]?.string == "least_load")
        #expect(report["candidates"]?.array?.count == 3)
        let absent = report["workers_without_the_model"]?.array ?? []
        #expect(absent.count == 2)
        #expect(absent.contains { $0["reason"]?.string == "does not offer the model" })
        #expect(absent.contains { $0["reason"]?.string?.hasPrefix("does not answer") ?? false })
        #expect(engines.allSatisfy { $0.requests.allSatisfy { $0.method == "GET" } })
    }

    @Test func `C13: a running gateway gives the same report as a fresh one, by its admin's key`() async throws {
        let server = try await RunningServer("--config", file, "--api-key", "sk-client", "--admin-key", "sk-admin")
        defer { server.process.signal(SIGKILL) }
        let call = ["--session", "alice", "--tags", "eu,us", "Hi"]
        let fresh = try await explain(["--config", file] + call)
        let running = try await explain(["--url", server.url, "--admin-key", "sk-admin"] + call)
        #expect(running.status == 0)
        #expect(running.output == fresh.output)
        let json = try await explain(
            ["--url", server.url + "/v1", "--json"] + call,
            ["GATEWAY_ADMIN_KEY": "sk-admin,b"]
        )
        #expect(json.output == (try await explain(["--config", file, "--json"] + call)).output)
        let body = #"{"model":"helper","input":"abc"}"#
        let piped = try await explain(
            ["--url", server.url, "--admin-key", "sk-admin", "--json", "--request", "-"],
            input: .text(body)
        )
        #expect(try self.json(piped.output)["mode"]?.string == "embedding")

        let keyless = try await explain(["--url", server.url] + call)
        #expect(keyless.status == 77)
        #expect(keyless.errors.contains("--admin-key"))
        let client = try await explain(["--url", server.url, "--admin-key", "sk-client"] + call)
        #expect(client.status == 77)
        #expect(client.errors.contains("admin"))
        let nobody = try await explain(["--url", "http://127.0.0.1:9", "-m", "m", "Hi"])
        #expect(nobody.status == 69)
        #expect(nobody.errors.contains("no gateway answers at http://127.0.0.1:9"))
        #expect(try await explain(["--url", server.url, "--config", file, "Hi"]).status == 64)
        #expect(try await explain(["--config", file, "--admin-key", "k", "Hi"]).status == 64)
        #expect(try await server.stop() == 0)
    }

    @Test func `The command fails with the right status`() async throws {
        let usage = try await explain("Hi")
        #expect(usage.status == 64)
        #expect(usage.errors.contains("--config FILE"))
        #expect(try await explain("--config", file, "--policy", "best", "Hi").status == 64)
        #expect(try await explain("--config", file, "--request", "x.json", "Hi").status == 64)
        #expect(try await explain("--config", "/nowhere.toml", "Hi").status == 66)
        #expect(try await explain("--config", file, "--request", "/nowhere.json").status == 66)
        #expect(try await explain("--config", file, "--request", "-", input: .text("{")).status == 65)
        #expect(try await explain("--config", file, "-m", "nope", "Hi").status == 69)
        #expect(try await explain("--worker-urls", "http://127.0.0.1:9", "-m", "x", "--", "Hi").status == 69)
    }

    @Test func `The command says so if no deployment may take the call`() async throws {
        let file = try directory.write(
            "resting.toml",
            """
            [[models]]
            name = "assistant"
            [[models.deployments]]
            id = "resting"
            base_url = "http://127.0.0.1:9/v1"
            weight = 0
            """
        )
        let run = try await explain("--config", file, "Hi")
        #expect(run.status == 69)
        #expect(run.output.contains("standby"))
        #expect(run.errors.contains("no deployment of assistant may take the call now"))
    }
}
