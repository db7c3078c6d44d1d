// Who is let in.

import ModelGateway
import ModelGatewayServer
import Testing

@Suite("Access", .timeLimit(.minutes(1)))
struct AccessTests {
    private let options = ServerOptions(apiKeys: ["sk-one", "sk-two"])

    @Test(
        arguments: [
            ("Authorization: Bearer sk-one", 200), ("authorization: bearer  sk-two", 200), ("x-api-key: sk-one", 200),
            ("Authorization: Bearer sk-on", 401), ("Authorization: Bearer sk-one ", 200),
            ("Authorization: Basic sk-one", 401), ("Authorization: Bearer", 401),
            ("Authorization: Bearer sk-onesk-one", 401),
            ("X-Nothing: 1", 401),
        ]
    )
    func `A configured key is let in, everything else is not`(header: String, status: Int) async throws {
        try await withServer(FakeGateway(), options: options) { server in
            let answer = try await server.once(RawClient.request("{}", headers: [header]))
            #expect(answer.status == status)
            if status == 401 {
                #expect(answer.header("www-authenticate") == "Bearer")
                #expect(answer.body.contains(#""type":"authentication_error""#))
                #expect(answer.body.contains(#""code":"invalid_api_key""#))
                #expect(!answer.body.contains("sk-"))
            }
        }
    }

    @Test func `Only the health paths are open to everybody when there are keys`() async throws {
        try await withServer(FakeGateway(), options: options, metrics: { Array("a 1\n".utf8) }) { server in
            for path in ["/health", "/readiness", "/liveness"] {
                #expect(try await server.once("GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n").status == 200)
            }
            for path in ["/v1/models", "/v1/models/m", "/metrics"] {
                let answer = try await server.once("GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n")
                #expect(answer.status == 401)
                #expect(answer.header("www-authenticate") == "Bearer")
            }
            let metrics = try await server.once(
                "GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk-two\r\n\r\n"
            )
            #expect(metrics.body == "a 1\n")
        }
    }

    @Test(
        arguments: [
            // (apiKeys, metricsKey, public, presented, path, status)
            (["sk-one"], "sk-scrape", false, "sk-scrape", "/metrics", 200),
            (["sk-one"], "sk-scrape", false, "sk-one", "/metrics", 200),
            (["sk-one"], "sk-scrape", false, "sk-other", "/metrics", 401),
            (["sk-one"], "sk-scrape", false, "", "/metrics", 401),
            (["sk-one"], "sk-scrape", false, "sk-scrape", "/v1/models", 401),
            ([], "sk-scrape", false, "", "/metrics", 401),
            ([], "sk-scrape", false, "sk-scrape", "/metrics", 200),
            ([], "sk-scrape", false, "", "/v1/models", 200),
            (["sk-one"], "", true, "", "/metrics", 200),
            (["sk-one"], "", true, "", "/v1/models", 401),
            (["sk-one"], "", false, "", "/metrics", 401),
            ([], "", false, "", "/metrics", 200),
        ] as [([String], String, Bool, String, String, Int)]
    )
    func `A4: /metrics has a key of its own, or is public by choice`(
        keys: [String],
        metricsKey: String,
        isPublic: Bool,
        presented: String,
        path: String,
        status: Int
    ) async throws {
        let options = ServerOptions(
            apiKeys: keys,
            metricsKey: metricsKey.isEmpty ? nil : metricsKey,
            isMetricsPublic: isPublic
        )
        try await withServer(FakeGateway(), options: options, metrics: { Array("a 1\n".utf8) }) { server in
            let key = presented.isEmpty ? "" : "Authorization: Bearer \(presented)\r\n"
            let answer = try await server.once("GET \(path) HTTP/1.1\r\nHost: x\r\n\(key)\r\n")
            #expect(answer.status == status)
        }
    }
}
