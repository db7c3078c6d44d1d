// `gateway serve --policy`: every name works on workers, and what is none stops the server from starting.

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

@Suite("gateway serve --policy", .timeLimit(.minutes(5)))
struct ServePolicyTests {
    static let names = [
        "random", "round_robin", "power_of_two", "consistent_hashing", "prefix_hash", "manual", "bucket", "cache_aware",
        "least_load", "latency", "cost",
    ]

    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    /// The number of calls that each policy was asked about, as the metrics tell.
    private func selections(_ server: RunningServer) async throws -> [String: Int] {
        var counts: [String: Int] = [:]
        for line in try await server.get("/metrics").body.split(separator: "\n")
        where line.hasPrefix("gateway_selections_total{") {
            guard let match = line.firstMatch(of: /policy="([a-z_]+)".* ([0-9]+)$/) else { continue }
            counts[String(match.1), default: 0] += Int(match.2) ?? 0
        }
        return counts
    }

    @Test(arguments: names)
    func `Every name routes calls of workers`(_ policy: String) async throws {
        let engines = try (0..<3).map { _ in try ScriptedEngine(respond: ScriptedEngine.openAI(models: ["m"])) }
        let server = try await RunningServer(
            "--worker-urls",
            engines[0].url,
            engines[1].url,
            engines[2].url,
            "--policy",
            policy
        )
        defer { server.process.signal(SIGKILL) }
        try await server.waitForWorkerDeployments(engines.count)
        for number in 0..<6 {
            let reply = try await server.post(
                "/v1/chat/completions",
                #"{"model":"m","messages":[{"role":"user","content":"question \#(number)"}]}"#,
                headers: [HTTPHeader("x-gateway-session", "alice")]
            )
            #expect(reply.status == 200)
        }
        #expect(try await selections(server) == [policy: 6])
        if ["consistent_hashing", "manual"].contains(policy) {
            let served = engines.count { $0.requests.contains { $0.path == "/v1/chat/completions" } }
            #expect(served == 1)
        }
        #expect(try await server.stop() == 0)
    }

    @Test func `Parameters of the file stay if the name is the same`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI(models: ["m"]))
        let file = try directory.write(
            "gateway.toml",
            """
            [workers]
            urls = ["\(engine.url)"]
            policy = { name = "manual", assignment_mode = "min_group" }
            """
        )
        let meanings = ["manual": "sessions per weight; the session's own first", "cost": "no price is known"]
        for (policy, meaning) in meanings {
            let command = try BuiltProducts.gateway("route", "explain", "--config", file, "--policy", policy, "Hi")
            #expect(try await command.waitForExit() == 0)
            #expect(command.output.contains(meaning))
        }
    }

    @Test func `A wrong name is reported with the names that exist`() async throws {
        let flag = try BuiltProducts.gateway("serve", "--worker-urls", "http://127.0.0.1:9", "--policy", "cache_awre")
        #expect(try await flag.waitForExit() == 64)
        for name in Self.names { #expect(flag.errors.contains(name)) }
        let variable = try BuiltProducts.gateway(
            "serve",
            "--worker-urls",
            "http://127.0.0.1:9",
            environment: ["GATEWAY_POLICY": "cache_awre"]
        )
        #expect(try await variable.waitForExit() == 78)
        #expect(variable.errors.contains("cache_aware"))
        let file = try directory.write("gateway.toml", "[workers]\npolicy = \"best\"\n")
        let configured = try BuiltProducts.gateway("serve", "--config", file)
        #expect(try await configured.waitForExit() == 78)
        for name in Self.names { #expect(configured.errors.contains(name)) }
    }

    @Test(
        arguments: [
            #"{ name = "cache_aware", cache_threshold = 2 }"#, #"{ name = "cache_aware", max_tree_bytes = 1 }"#,
            #"{ name = "consistent_hashing", load_factor = 0.5 }"#, #"{ name = "bucket", adjust_interval = "0s" }"#,
            #"{ name = "prefix_hash", prefix_token_count = 0 }"#, #"{ name = "manual", assignment_mode = "best" }"#,
            #"{ name = "latency", exploration = -1 }"#, #"{ name = "random", load_factor = 2 }"#,
        ]
    )
    func `Impossible values are mistakes`(_ policy: String) async throws {
        let file = try directory.write(
            "gateway.toml",
            "[workers]\nurls = [\"http://127.0.0.1:9\"]\npolicy = \(policy)\n"
        )
        let server = try BuiltProducts.gateway("serve", "--config", file)
        #expect(try await server.waitForExit() == 78)
        #expect(server.errors.contains("gateway.toml:3"))
    }
}
