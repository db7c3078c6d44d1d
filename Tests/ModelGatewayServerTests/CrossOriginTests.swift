// Web pages that call the API from a browser.

import ModelGateway
import ModelGatewayServer
import Testing

@Suite("Cross-origin requests", .timeLimit(.minutes(1)))
struct CrossOriginTests {
    private static let page = "Origin: https://app.example"
    private static let question = [
        page, "Access-Control-Request-Method: POST",
        "Access-Control-Request-Headers: authorization, content-type",
    ]

    private static func request(_ method: String, _ path: String, _ headers: [String] = [page]) -> String {
        (["\(method) \(path) HTTP/1.1", "Host: x"] + headers).joined(separator: "\r\n") + "\r\n\r\n"
    }

    @Test func `D26: no page may call by default`() async throws {
        try await withServer(FakeGateway()) { server in
            for request in [
                RawClient.request("{}", headers: [Self.page]), Self.request("GET", "/v1/models"),
                Self.request("OPTIONS", "/v1/chat/completions", Self.question),
            ] {
                let answer = try await server.once(request)
                #expect(answer.headers.allSatisfy { !$0.name.lowercased().hasPrefix("access-control-") })
            }
        }
    }

    @Test func `D26: a page of a configured origin may ask, call and read errors`() async throws {
        let options = ServerOptions(apiKeys: ["sk-one"], corsOrigins: ["https://app.example", "http://localhost:3000"])
        try await withServer(FakeGateway(), options: options) { server in
            for (path, methods) in [("/v1/chat/completions", "POST, OPTIONS"), ("/v1/models", "GET, HEAD, OPTIONS")] {
                let answer = try await server.once(Self.request("OPTIONS", path, Self.question))
                #expect(answer.status == 204)
                #expect(answer.header("access-control-allow-origin") == "https://app.example")
                #expect(answer.header("access-control-allow-methods") == methods)
                #expect(answer.header("access-control-allow-headers") == "authorization, content-type")
                #expect(answer.header("access-control-max-age") == "600")
                #expect(answer.header("vary") == "origin")
            }
            let key = "Authorization: Bearer sk-one"
            for (request, status) in [
                (RawClient.request("{}", headers: [Self.page, key]), 200),
                (RawClient.request("{}", headers: [Self.page]), 401),
                (Self.request("GET", "/v1/models", [Self.page, key]), 200),
                (Self.request("GET", "/v1/models"), 401),
                (Self.request("GET", "/v1/nothing"), 404),
            ] {
                let answer = try await server.once(request)
                #expect(answer.status == status)
                #expect(answer.header("access-control-allow-origin") == "https://app.example")
                #expect(answer.header("access-control-expose-headers")?.contains("x-request-id") == true)
            }
        }
    }

    @Test func `D26: a streamed answer can be read as well`() async throws {
        let gateway = FakeGateway { _ in .events(FakeStream(["data: 1\n\n"], isFinished: true)) }
        try await withServer(gateway, options: ServerOptions(corsOrigins: ["*"])) { server in
            let answer = try await server.once(RawClient.request("{}", headers: [Self.page]))
            #expect(answer.body == "data: 1\n\n")
            #expect(answer.header("access-control-allow-origin") == "*")
            #expect(answer.header("vary") == nil)
        }
    }

    @Test(arguments: ["https://evil.example", "https://app.example.evil.example", "null", "https://app.example:444"])
    func `D26: other pages may not`(origin: String) async throws {
        try await withServer(FakeGateway(), options: ServerOptions(corsOrigins: ["https://app.example"])) { server in
            let answer = try await server.once(Self.request("OPTIONS", "/v1/embeddings", ["Origin: \(origin)"]))
            #expect(answer.header("access-control-allow-origin") == nil)
        }
    }

    @Test(arguments: ["/workers", "/health", "/metrics", "/"])
    func `D26: the control plane takes no part`(path: String) async throws {
        try await withServer(FakeGateway(), options: ServerOptions(corsOrigins: ["*"])) { server in
            for method in ["GET", "OPTIONS"] {
                let answer = try await server.once(Self.request(method, path, Self.question))
                #expect(answer.header("access-control-allow-origin") == nil)
            }
        }
    }
}
