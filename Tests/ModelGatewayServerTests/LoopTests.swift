// Gateways that are each other's workers, or their own: no call travels in a circle.

import ModelGateway
import ModelGatewayServer
import ModelGatewayTesting
import Testing

@Suite("Gateways as workers of gateways", .timeLimit(.minutes(1)))
struct LoopTests {
    private func wait(_ condition: () -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(20)
        while !condition(), ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(5)) }
        #expect(condition())
    }

    /// Runs a gateway and its server while `body` runs.
    private func with(
        _ gateway: Gateway,
        options: ServerOptions = ServerOptions(),
        _ body: (TestServer) async throws -> Void
    ) async throws {
        let running = Task { try await gateway.run() }
        defer { running.cancel() }
        try await withServer(gateway, options: options, body)
    }

    private func request(_ method: String, _ path: String, _ body: String, _ headers: [String] = []) -> String {
        let lines = ["\(method) \(path) HTTP/1.1", "Host: localhost", "Content-Type: application/json"]
        return (lines + headers + ["Content-Length: \(body.utf8.count)", "", body]).joined(separator: "\r\n")
    }

    private let call = #"{"model":"m","messages":[{"role":"user","content":"Hi"}]}"#

    @Test(arguments: [[], ["sk-client"]])
    func `A2: a gateway is not its own worker`(keys: [String]) async throws {
        let gateway = Gateway(groups: [DeploymentGroup(model: "m")])
        try await with(gateway, options: ServerOptions(apiKeys: keys)) { server in
            let url = "http://127.0.0.1:\(server.port)"
            let headers = keys.map { "x-api-key: \($0)" }
            let refused = try await server.once(request("POST", "/workers", #"{"url":"\#(url)"}"#, headers))
            #expect(refused.status == 409)
            #expect(refused.body.contains("this gateway itself"))
            #expect(gateway.workers.isEmpty)

            // A source or a program may name it all the same.
            let worker = try gateway.addWorker(url: url)
            try await wait { (try? gateway.worker(worker.id))?.state == .refused }
            let seen = try gateway.worker(worker.id)
            #expect(seen.problem?.contains("this gateway itself") == true)
            #expect(seen.deployments.isEmpty && seen.models.isEmpty)
            let unknown = call.replacing(#""m""#, with: #""x""#)
            let answer = try await server.once(request("POST", "/v1/chat/completions", unknown, headers))
            #expect(answer.status == 404)
        }
    }

    @Test func `A2: a call between two gateways that are each other's workers comes to an end`() async throws {
        let first = Gateway(groups: [DeploymentGroup(model: "m")])
        let second = Gateway(groups: [DeploymentGroup(model: "m")])
        try await with(first) { a in
            try await with(second) { b in
                try first.addWorker(url: "http://127.0.0.1:\(b.port)")
                try second.addWorker(url: "http://localhost:\(a.port)")
                try await wait { first.isReady && second.isReady }
                let answer = try await a.once(request("POST", "/v1/chat/completions", call))
                #expect(answer.status == 508)
                #expect(answer.body.contains(#""code":"loop_detected""#))
                #expect(!answer.body.contains("127.0.0.1"))
            }
        }
    }

    @Test func `A2: gateways that are each other's workers answer from the engine of one of them`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI(models: ["m"]))
        defer { engine.stop() }
        let first = Gateway(groups: [DeploymentGroup(model: "m")])
        let second = Gateway(groups: [])
        try await with(first) { a in
            try await with(second) { b in
                try second.addWorker(url: engine.url)
                try await wait { second.isReady }
                try first.addWorker(url: "http://127.0.0.1:\(b.port)")
                try await wait { first.isReady }
                try second.addWorker(url: "http://localhost:\(a.port)")
                try await wait { second.workers.allSatisfy { !$0.deployments.isEmpty } }
                for _ in 0..<4 {
                    let answer = try await a.once(request("POST", "/v1/chat/completions", call))
                    #expect(answer.status == 200)
                }
                #expect(engine.requests.count { $0.method == "POST" } == 4)
            }
        }
    }

    @Test func `A2: a call with our own mark is answered 508 in the client's shape`() async throws {
        let gateway = Gateway(groups: [DeploymentGroup(model: "m")])
        try await with(gateway) { server in
            for line in ["x-gateway-hop: a, \(gateway.identity.id)", "Via: 1.1 modelgateway-\(gateway.identity.id)"] {
                let answer = try await server.once(request("POST", "/v1/chat/completions", call, [line]))
                #expect(answer.status == 508)
                #expect(answer.body.hasPrefix(#"{"error":{"message":"#))
            }
            let models = try await server.once("GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(models.header("x-gateway-id") == gateway.identity.id)
        }
    }
}
