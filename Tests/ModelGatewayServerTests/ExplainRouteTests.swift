// `POST /admin/explain`: what a running gateway says about where a call would go.

import ModelGateway
import ModelGatewayServer
import ModelGatewayTesting
import Testing

@Suite("The route that explains routing", .timeLimit(.minutes(1)))
struct ExplainRouteTests {
    private func request(_ body: String, query: String = "", _ headers: String...) -> String {
        let lines = ["POST /admin/explain\(query) HTTP/1.1", "Host: localhost", "Content-Type: application/json"]
        return (lines + headers + ["Content-Length: \(body.utf8.count)", "", body]).joined(separator: "\r\n")
    }

    private func makeGateway(_ change: (inout Configuration) -> Void = { _ in }) throws -> Gateway {
        let deployments = ["a", "b", "rests"].map { id in
            Configuration.Deployment(
                id: id,
                provider: Configuration.Provider(baseURL: "http://127.0.0.1:9"),
                upstreamModel: "u",
                weight: id == "rests" ? 0 : 1,
                tags: id == "b" ? ["eu"] : []
            )
        }
        var configuration = Configuration(
            models: [Configuration.Model(name: "m", policy: .consistentHashing(), deployments: deployments)]
        )
        change(&configuration)
        return try Gateway(configuration: configuration)
    }

    private let call = #"{"model":"m","messages":[{"role":"user","content":"Hi"}],"user":"bob"}"#

    private func report(_ server: TestServer, _ request: String) async throws -> RoutingReport {
        let answer = try await server.once(request)
        #expect(answer.status == 200, "\(answer.body)")
        return try #require(RoutingReport(json: try JSONValue(parsing: Array(answer.body.utf8))))
    }

    @Test func `C13: it takes a call as a client sends it and sends nothing`() async throws {
        let gateway = try makeGateway()
        try await withServer(gateway) { server in
            let plain = try await report(server, request(call))
            #expect(plain.model == "m" && plain.policy == "consistent_hashing" && plain.mode == "chat")
            #expect(plain.sessionKey == "bob")
            #expect(Set(plain.candidates.map(\.deployment)) == ["a", "b"])
            #expect(plain.excluded.map(\.deployment) == ["rests"])
            #expect(plain.excluded.first?.reasons == [.standby])
            let wire = WireRequest(.openAIChat, body: Array(call.utf8), requestID: "r")
            #expect(plain == RoutingReport(try gateway.explain(wire), workers: []))

            let tagged = try await report(server, request(call, "x-gateway-session: alice", "x-gateway-tags: eu"))
            #expect(tagged.sessionKey == "alice" && tagged.tags == ["eu"])
            #expect(tagged.candidates.first?.deployment == "b")
            let forced = try await report(server, request(call, "x-gateway-deployment: a"))
            #expect(forced.candidates.first?.deployment == "a")
            let embedding = try await report(server, request(#"{"model":"m","input":"x"}"#))
            #expect(embedding.mode == "embedding")
            let unnamed = try await report(server, request(#"{"messages":[]}"#))
            #expect(unnamed.model == "m")
            let chosen = try await report(server, request(#"{"model":"m"}"#, query: "?mode=completion"))
            #expect(chosen.mode == "completion")
            #expect(gateway.groups.allSatisfy { $0.deployments.allSatisfy { $0.callsInFlight == 0 } })
        }
    }

    @Test func `C13: the usual names of headers count whichever are configured`() async throws {
        let gateway = try makeGateway { $0.routing = .init(sessionHeaders: ["x-user"], tagsHeader: "x-zone") }
        try await withServer(gateway) { server in
            let usual = try await report(server, request(call, "x-gateway-session: alice", "x-gateway-tags: eu"))
            #expect(usual.sessionKey == "alice" && usual.tags == ["eu"])
            let own = try await report(server, request(call, "X-User: carol", "X-Zone: us"))
            #expect(own.sessionKey == "carol" && own.tags == ["us"])
        }
    }

    @Test func `C13: it is the admins', and what is wrong is said`() async throws {
        let options = ServerOptions(apiKeys: ["sk-client"], adminKeys: ["sk-admin"])
        try await withServer(try makeGateway(), options: options) { server in
            let refused = [
                (request(call), 401), (request(call, "x-api-key: sk-client"), 403),
                (request("{", "x-api-key: sk-admin"), 400), (request("[]", "x-api-key: sk-admin"), 400),
                (request("{}", "x-api-key: sk-admin"), 400),
                (request(call, query: "?mode=dance", "x-api-key: sk-admin"), 400),
                (request(#"{"model":"x","messages":[]}"#, "x-api-key: sk-admin"), 404),
                ("GET /admin/explain HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
            ]
            for (text, status) in refused {
                let answer = try await server.once(text)
                #expect(answer.status == status)
                #expect(answer.body.hasPrefix(#"{"error":{"message":"#))
            }
            _ = try await report(server, request(call, "x-api-key: sk-admin"))
        }
    }

    @Test func `C13: workers are shown with their addresses, also those without the model`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI(models: ["m"]))
        defer { engine.stop() }
        let gateway = Gateway(groups: [])
        let running = Task { try await gateway.run() }
        defer { running.cancel() }
        let worker = try gateway.addWorker(url: engine.url)
        let other = try gateway.addWorker(url: "http://127.0.0.1:9")
        let end = ContinuousClock.now + .seconds(20)
        while gateway.models.isEmpty, ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(5)) }
        try await withServer(gateway) { server in
            let report = try await report(server, request(call))
            #expect(report.candidates.map(\.deployment) == ["\(worker.id)/m"])
            #expect(report.candidates.map(\.url) == [worker.url])
            #expect(report.absent.map(\.worker) == [other.id])
            #expect(report.absent.map(\.url) == [other.url])
        }
    }

    @Test func `C13: workers take tags and a key over HTTP and never tell the key`() async throws {
        let gateway = Gateway(groups: [])
        func send(
            _ server: TestServer,
            _ method: String,
            _ path: String,
            _ body: String
        ) async throws -> RawClient.Answer {
            try await server.once(
                "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                    + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
            )
        }
        try await withServer(gateway) { server in
            let body = #"{"url":"http://127.0.0.1:9","api_key":"sk-1","tags":["fast","eu"]}"#
            let added = try await send(server, "POST", "/workers", body)
            #expect(added.status == 202)
            #expect(added.body.contains(#""tags":["fast","eu"]"#))
            let path = "/workers/\(gateway.workers[0].id)"
            for change in [#"{"api_key":"sk-2","tags":["slow"]}"#, #"{"api_key":null}"#] {
                let changed = try await send(server, "PATCH", path, change)
                #expect(changed.status == 200)
                #expect(changed.body.contains(#""tags":["slow"]"#))
                #expect(!changed.body.contains("sk-") && !added.body.contains("sk-"))
            }
            for change in [#"{"tags":"fast"}"#, #"{"tags":[1]}"#, #"{"tags":["a,b"]}"#, #"{"api_key":1}"#] {
                let refused = try await send(server, "PATCH", path, change)
                #expect(refused.status == 400)
            }
        }
    }
}
