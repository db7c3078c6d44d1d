// Health, the list of models, and the gateway inside an embedding program's own server.

import Hummingbird
import Logging
import ModelGateway
import ModelGatewayServer
import ServiceLifecycle
import Testing

@Suite("Control plane", .timeLimit(.minutes(1)))
struct ControlPlaneTests {
    private let models = [
        ModelInfo(id: "org/small", ownedBy: "me", created: 1_700_000_000, contextLength: 4096),
        ModelInfo(id: "plain"),
    ]

    private func get(_ path: String, headers: [String] = []) -> String {
        (["GET \(path) HTTP/1.1", "Host: x"] + headers).joined(separator: "\r\n") + "\r\n\r\n"
    }

    @Test func `Readiness follows the gateway`() async throws {
        try await withServer(FakeGateway(isReady: false)) { server in
            let answer = try await server.once(get("/readiness"))
            #expect(answer.status == 503)
            #expect(answer.body == #"{"status":"no_model_available"}"#)
            #expect(try await server.once(get("/health")).status == 200)
        }
        try await withServer(FakeGateway()) { server in
            let answer = try await server.once(get("/readiness"))
            #expect(answer.status == 200)
        }
    }

    @Test func `Models are listed in OpenAI's shape`() async throws {
        try await withServer(FakeGateway(models: models)) { server in
            let small =
                #"{"id":"org/small","object":"model","created":1700000000,"owned_by":"me","context_length":4096}"#
            let plain = #"{"id":"plain","object":"model","created":0,"owned_by":"unknown"}"#
            let list = try await server.once(get("/v1/models"))
            #expect(list.body == #"{"object":"list","data":["# + small + "," + plain + "]}")
            #expect(try await server.once(get("/v1/models/plain")).body == plain)
            #expect(try await server.once(get("/v1/models/org/small")).body == small)
            #expect(try await server.once(get("/v1/models/org%2Fsmall")).body == small)
            let missing = try await server.once(get("/v1/models/none"))
            #expect(missing.status == 404)
            #expect(missing.body.contains(#""code":"model_not_found""#))
        }
    }

    @Test func `Models are listed in Anthropic's shape for its clients`() async throws {
        try await withServer(FakeGateway(models: models)) { server in
            let list = try await server.once(get("/v1/models", headers: ["anthropic-version: 2023-06-01"]))
            #expect(
                list.body
                    == #"{"data":[{"type":"model","id":"org/small","display_name":"org/small","#
                    + #""created_at":"2023-11-14T22:13:20Z"},{"type":"model","id":"plain","display_name":"plain","#
                    + #""created_at":"1970-01-01T00:00:00Z"}],"has_more":false,"first_id":"org/small","#
                    + #""last_id":"plain"}"#
            )
        }
    }

    @Test func `Without metrics there is no such path`() async throws {
        try await withServer(FakeGateway()) { server in
            let answer = try await server.once(get("/metrics"))
            #expect(answer.status == 404)
        }
    }

    // MARK: In a program's own server

    @Test(arguments: [false, true])
    func `A program mounts the gateway among its own routes`(withDataPlane: Bool) async throws {
        let stream = FakeStream(["data: 1\n\n", "data: [DONE]\n\n"], isFinished: true)
        let gateway = FakeGateway(models: models) { request throws(GatewayError) in
            if request.mode == .embedding { throw GatewayError(.modelNotFound, "No such model.") }
            return .events(stream)
        }
        let router = Router()
        router.get("/") { _, _ in "hello" }
        router.mountGateway(served: gateway, options: ServerOptions(maxBodyBytes: 1000))
        let plane = DataPlane(served: gateway, options: ServerOptions(), logger: .silent)
        let (ports, listening) = AsyncStream<Int>.makeStream()
        let app = Application(
            router: router,
            server: withDataPlane ? plane.server : .http1(),
            configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { listening.yield($0.localAddress?.port ?? 0) },
            logger: .silent
        )
        let group = ServiceGroup(configuration: .init(services: [app], logger: .silent))
        let running = Task { try await group.run() }
        var iterator = ports.makeAsyncIterator()
        let port = try #require(await iterator.next())
        try await RawClient.with(port: port) { client in
            try await client.get("/")
            #expect(try await client.answer().body == "hello")
            try await client.post(#"{"stream":true}"#)
            let answer = try await client.answer()
            #expect(answer.body == "data: 1\n\ndata: [DONE]\n\n")
            #expect(answer.header("x-request-id") == gateway.requests.first?.requestID)
            try await client.post("{}", to: "/v1/embeddings")
            let error = try await client.answer()
            #expect(error.status == 404)
            #expect(error.body.contains(#""code":"model_not_found""#))
            try await client.get("/v1/models/plain")
            #expect(try await client.answer().status == 200)
            if !withDataPlane {
                try await client.post(String(repeating: " ", count: 2000))
                #expect(try await client.answer().status == 413)
            }
        }
        await group.triggerGracefulShutdown()
        try await running.value
    }
}

extension Logger {
    static let silent = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
}
