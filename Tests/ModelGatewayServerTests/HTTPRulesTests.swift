// Small print of HTTP: answers without a body, hosts, slashes, content codings, and that routes keep to the same rules.

import Hummingbird
import Logging
import ModelGateway
import ModelGatewayServer
import ServiceLifecycle
import Testing

@Suite("Rules of HTTP", .timeLimit(.minutes(1)))
struct HTTPRulesTests {
    private static let paths = [
        "/", "/health", "/v1/models", "/v1/nothing", "/nowhere", "/v1/chat/completions", "/workers/none", "//",
    ]

    @Test(arguments: paths)
    func `D22: an answer to HEAD has no body, and the connection goes on`(path: String) async throws {
        try await withServer(FakeGateway()) { server in
            try await RawClient.with(port: server.port) { client in
                for _ in 0..<2 {
                    try await client.get(path, method: "GET")
                    let get = try await client.answer()
                    try await client.get(path, method: "HEAD")
                    let head = try await client.answer(toHead: true)
                    // What follows would be taken for the next answer.
                    try await client.get("/health")
                    #expect(try await client.answer().body == #"{"status":"ok"}"#)
                    #expect(head.status == get.status)
                    #expect(head.header("content-type") == get.header("content-type"))
                    #expect(head.header("transfer-encoding") == nil)
                    if head.status == 200 { #expect(head.header("content-length") == get.header("content-length")) }
                }
            }
        }
    }

    @Test func `D22: the root answers those who look whether a server is there`() async throws {
        try await withServer(FakeGateway(), options: ServerOptions(apiKeys: ["sk-one"])) { server in
            let answer = try await server.once("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(answer.status == 200)
            #expect(answer.body == #"{"name":"ModelGateway","status":"ok"}"#)
            let post = try await server.once(RawClient.request("{}", to: "/"))
            #expect(post.status == 405)
            #expect(post.header("allow") == "GET, HEAD, OPTIONS")
        }
    }

    private static let hosts: [(lines: String, version: String, isClear: Bool)] = [
        ("Host: x\r\n", "1.1", true),
        ("", "1.1", false),
        ("Host: x\r\nHost: x\r\n", "1.1", false),
        ("Host: x\r\nhost: y\r\n", "1.1", false),
        ("", "1.0", true),
        ("Host: x\r\nHost: y\r\n", "1.0", false),
    ]

    @Test(arguments: hosts)
    func `D22: a request names one host`(_ lines: String, _ version: String, _ isClear: Bool) async throws {
        let gateway = FakeGateway()
        try await withServer(gateway) { server in
            for request in [
                "GET /health HTTP/\(version)\r\n\(lines)\r\n",
                "POST /v1/embeddings HTTP/\(version)\r\n\(lines)Content-Length: 2\r\n\r\n{}",
            ] {
                let answer = try await server.once(request)
                #expect(answer.status == (isClear ? 200 : 400))
                if !isClear { #expect(answer.body.contains("'host'")) }
            }
            #expect(gateway.requests.count == (isClear ? 1 : 0))
        }
    }

    @Test(arguments: ["/v1/chat/completions/", "//v1/chat/completions", "/v1//chat///completions//?x=1"])
    func `D22: slashes that say nothing are left out`(path: String) async throws {
        let gateway = FakeGateway()
        let observer = RecordingObserver()
        try await withServer(gateway, observer: observer) { server in
            let called = try await server.once(RawClient.request("{}", to: path))
            #expect(called.status == 200)
            let models = path.replacing("chat", with: "").replacing("completions", with: "models")
            #expect(try await server.once("GET \(models) HTTP/1.1\r\nHost: x\r\n\r\n").status == 200)
            #expect(try await server.once("DELETE \(models) HTTP/1.1\r\nHost: x\r\n\r\n").status == 405)
            #expect(try await server.once("GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n").status == 405)
            await observer.finished.reached(4)
            #expect(Set(observer.records.map(\.path)) == ["/v1/chat/completions", "/v1/models"])
        }
    }

    private static let codings: [(lines: [String], status: Int)] = [
        (["Content-Encoding: gzip"], 415),
        (["content-encoding: br"], 415),
        (["Content-Encoding: identity", "Content-Encoding: deflate"], 415),
        (["Content-Encoding: identity, gzip"], 415),
        (["Content-Encoding: Identity"], 200),
        (["Content-Encoding:"], 200),
    ]

    @Test(arguments: codings)
    func `D22: a compressed body is refused by the name of its coding`(_ lines: [String], _ status: Int) async throws {
        try await withServer(FakeGateway()) { server in
            let answer = try await server.once(RawClient.request("{}", headers: lines))
            #expect(answer.status == status)
            guard status == 415, let coding = lines.last?.split(separator: " ").last else { return }
            #expect(answer.header("accept-encoding") == "identity")
            #expect(answer.body.contains(coding))
        }
    }

    // MARK: Routes of an embedding program

    private func withMounted(
        _ gateway: FakeGateway,
        _ body: @escaping @Sendable (Int) async throws -> Void
    ) async throws {
        let router = Router()
        router.mountGateway(served: gateway, options: ServerOptions(maxBodyBytes: 1000))
        let (ports, listening) = AsyncStream<Int>.makeStream()
        let app = Application(
            router: router,
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { listening.yield($0.localAddress?.port ?? 0) },
            logger: .silent
        )
        let group = ServiceGroup(configuration: .init(services: [app], logger: .silent))
        try await withThrowingTaskGroup { tasks in
            tasks.addTask { try await group.run() }
            var iterator = ports.makeAsyncIterator()
            let port = try #require(await iterator.next())
            let result: Result<Void, any Error>
            do { result = .success(try await body(port)) } catch { result = .failure(error) }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            try result.get()
        }
    }

    private static let mounted: [(request: String, status: Int)] = [
        (RawClient.request("{}"), 200),
        (RawClient.request("{}", to: "//v1/chat//completions/"), 200),
        (RawClient.request("{}", headers: ["Content-Encoding: gzip"]), 415),
        ("POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: 2\r\n\r\n{}", 415),
        ("POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}", 200),
        ("DELETE /v1/embeddings HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        ("GET /v1/embeddings HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        ("OPTIONS /v1/embeddings HTTP/1.1\r\nHost: x\r\n\r\n", 204),
    ]

    @Test func `D22 D27: mounted routes refuse what the data plane refuses`() async throws {
        let gateway = FakeGateway()
        try await withMounted(gateway) { port in
            try await withServer(gateway) { server in
                for (request, status) in Self.mounted {
                    let mounted = try await RawClient.with(port: port) { client in
                        try await client.send(request)
                        return try await client.answer()
                    }
                    let own = try await server.once(request)
                    #expect(mounted.status == status, "\(request)")
                    #expect(own.status == status, "\(request)")
                    #expect(mounted.body == own.body)
                    for name in ["allow", "content-type", "accept-encoding"] {
                        #expect(mounted.header(name) == own.header(name), "\(name) of \(request)")
                    }
                }
            }
        }
    }
}
