// That errors say how many attempts were made, and to admins where the last one went.

import Hummingbird
import Logging
import ModelGateway
import ModelGatewayServer
import ModelGatewayTesting
import ServiceLifecycle
import Testing

@Suite("Headers of errors", .timeLimit(.minutes(1)))
struct ErrorHeaderTests {
    private static let options = ServerOptions(apiKeys: ["sk-client"], adminKeys: ["sk-admin"])
    private static let body = #"{"model":"m","messages":[{"role":"user","content":"Hi"}]}"#

    /// A gateway with two deployments `a` and `b` of the model `m`, whose engine answers with a status.
    private func gateway(_ engine: ScriptedEngine) throws -> Gateway {
        let provider = try OpenAICompatibleProvider(baseURL: engine.url, transport: try CurlTransport())
        let deployments = ["a", "b"].map { Deployment(id: $0, provider: provider, upstreamModel: "up") }
        return Gateway(groups: [DeploymentGroup(model: "m", deployments: deployments)])
    }

    private static let cases: [(Int, String)] = [(400, "1"), (422, "1"), (500, "2"), (503, "2")]

    @Test(arguments: cases)
    func `C12: a relayed failure says how many attempts were made, and to admins where`(
        status: Int,
        attempts: String
    ) async throws {
        let engine = try ScriptedEngine { _ in .json(#"{"error":{"message":"no"}}"#, status: status) }
        defer { engine.stop() }
        try await withServer(try gateway(engine), options: Self.options) { server in
            for (key, seesDeployment) in [("sk-client", false), ("sk-admin", true)] {
                let answer = try await server.once(RawClient.request(Self.body, headers: ["x-api-key: \(key)"]))
                #expect(answer.header("x-gateway-attempts") == attempts)
                #expect(seesDeployment == ["a", "b"].contains(answer.header("x-gateway-deployment")))
            }
        }
        try await withMounted(try gateway(engine)) { port in
            for (key, seesDeployment) in [("sk-client", false), ("sk-admin", true)] {
                let answer = try await RawClient.with(port: port) { client in
                    try await client.send(RawClient.request(Self.body, headers: ["x-api-key: \(key)"]))
                    return try await client.answer()
                }
                #expect(answer.header("x-gateway-attempts") == attempts)
                #expect(seesDeployment == (answer.header("x-gateway-deployment") != nil))
            }
        }
    }

    /// Runs a program's own server, in which the gateway is mounted.
    private func withMounted(_ gateway: Gateway, _ body: (Int) async throws -> Void) async throws {
        let router = Router()
        router.mountGateway(gateway, options: Self.options)
        let (ports, listening) = AsyncStream<Int>.makeStream()
        let app = Application(
            router: router,
            configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { listening.yield($0.localAddress?.port ?? 0) },
            logger: .silent
        )
        let group = ServiceGroup(configuration: .init(services: [app], logger: .silent))
        let running = Task { try await group.run() }
        var iterator = ports.makeAsyncIterator()
        try await body(try #require(await iterator.next()))
        await group.triggerGracefulShutdown()
        try await running.value
    }

    @Test(arguments: [
        (#"{"model":"nope","messages":[]}"#, 404), ("no JSON", 400), (#"{"messages":[]}"#, 400),
    ])
    func `C12: a call that never got to a deployment made no attempt`(body: String, status: Int) async throws {
        let engine = try ScriptedEngine()
        defer { engine.stop() }
        try await withServer(try gateway(engine), options: Self.options) { server in
            let answer = try await server.once(RawClient.request(body, headers: ["x-api-key: sk-admin"]))
            #expect(answer.status == status)
            #expect(answer.header("x-gateway-attempts") == "0")
            #expect(answer.header("x-gateway-deployment") == nil)
            let refused = try await server.once(RawClient.request(body))
            #expect(refused.status == 401 && refused.header("x-gateway-attempts") == nil)
        }
    }

    @Test(arguments: [
        ("999.1.1.1", 0, "999.1.1.1"), ("no-such-host.invalid", 0, "no-such-host.invalid"), ("a b\n", 0, "a b"),
        ("192.0.2.1", 0, "192.0.2.1"), ("127.0.0.1", 70_000, "70000"), ("127.0.0.1", -1, "-1"),
    ])
    func `C12: an address to listen on that cannot be is named, with what to do`(
        host: String,
        port: Int,
        named: String
    ) async throws {
        let options = ServerOptions(host: host, port: port)
        let server = GatewayServer(gateway: Gateway(groups: []), options: options, logger: .silent)
        let error = await #expect(throws: GatewayError.self) { try await server.run() }
        #expect(error?.code == .configuration)
        #expect(error?.message.contains(named) == true)
        #expect(error?.message.contains("--host") == true || error?.message.contains("--port") == true)
        for raw in ["Error", "errno", "NIO", "SocketAddress", "\n"] { #expect(error?.message.contains(raw) == false) }
    }
}
