// Who counts as an admin, and what only admins may do and see.

import ModelGateway
import ModelGatewayServer
import Testing

@Suite("Admin access", .timeLimit(.minutes(1)))
struct AdminAccessTests {
    private let keyed = ServerOptions(apiKeys: ["sk-client"], adminKeys: ["sk-admin"])

    private func check(
        _ server: TestServer,
        _ path: String,
        _ headers: String...,
        is expected: Int,
        at location: SourceLocation = #_sourceLocation
    ) async throws {
        let lines = ["GET \(path) HTTP/1.1"] + headers
        let answer = try await server.once(lines.joined(separator: "\r\n") + "\r\n\r\n")
        #expect(answer.status == expected, "\(answer.body)", sourceLocation: location)
    }

    @Test func `A3: the fleet is shown to an admin's key and to no client's`() async throws {
        try await withServer(Gateway(groups: []), options: keyed) { server in
            let host = "Host: localhost"
            try await check(server, "/workers", host, "Authorization: Bearer sk-admin", is: 200)
            try await check(server, "/workers", host, "x-api-key: sk-admin", is: 200)
            try await check(server, "/workers", host, "Authorization: Bearer sk-client", is: 403)
            try await check(server, "/workers", host, "Authorization: Bearer sk-other", is: 401)
            try await check(server, "/workers", host, is: 401)
            try await check(server, "/v1/models", host, "Authorization: Bearer sk-admin", is: 200)
        }
    }

    @Test func `A3: admin keys close the control plane also where clients need none`() async throws {
        try await withServer(Gateway(groups: []), options: ServerOptions(adminKeys: ["sk-admin"])) { server in
            try await check(server, "/v1/models", "Host: localhost", is: 200)
            try await check(server, "/workers", "Host: localhost", is: 401)
            try await check(server, "/workers", "Host: localhost", "x-api-key: wrong", is: 401)
            try await check(server, "/workers", "Host: localhost", "x-api-key: sk-admin", is: 200)
        }
    }

    @Test(
        arguments: [
            ("Host: localhost", 200), ("Host: localhost:30000", 200), ("Host: 127.0.0.1:30000", 200),
            ("Host: [::1]:30000", 200), ("Host: gateway.test", 200), ("Host: GATEWAY.test:80", 200),
            ("Host: evil.test", 403), ("Host: evil.test:30000", 403), ("Host: 127.0.0.1.evil.test", 403),
            ("Host: localhost.evil.test", 403), ("Host: ", 403),
        ]
    )
    func `A3: the control plane answers only under its own names`(host: String, expected: Int) async throws {
        for options in [
            ServerOptions(allowedHosts: ["gateway.test"]),
            ServerOptions(adminKeys: ["k"], allowedHosts: ["gateway.test"]),
        ] {
            try await withServer(Gateway(groups: []), options: options) { server in
                try await check(server, "/workers", host, "x-api-key: k", is: expected)
            }
        }
    }

    @Test(
        arguments: [
            ("Origin: http://localhost:30000", 200), ("Origin: http://LOCALHOST:30000", 200),
            ("Origin: https://gateway.test", 200), ("Origin: http://evil.test", 403), ("Origin: null", 403),
            ("Origin: http://localhost:30000.evil.test", 403), ("Origin: http://localhost:3000", 403),
            ("Sec-Fetch-Site: cross-site", 403), ("Sec-Fetch-Site: same-origin", 200),
        ]
    )
    func `A3: the control plane does not answer to foreign web pages`(line: String, expected: Int) async throws {
        let options = ServerOptions(allowedHosts: ["gateway.test"])
        try await withServer(Gateway(groups: []), options: options) { server in
            try await check(server, "/workers", "Host: localhost:30000", line, is: expected)
        }
    }

    @Test(
        arguments: ["X-Forwarded-For: 1.2.3.4", "Forwarded: for=1.2.3.4", "X-Real-IP: 1.2.3.4", "Via: 1.1 proxy"]
    )
    func `A3: without admin keys a request that a proxy passes on is not from this machine`(
        line: String
    ) async throws {
        try await withServer(Gateway(groups: [])) { server in
            try await check(server, "/workers", "Host: localhost", line, is: 403)
            try await check(server, "/v1/models", "Host: localhost", line, is: 200)
        }
    }

    @Test func `A3: only an admin chooses the deployment of a call`() async throws {
        let gateway = FakeGateway()
        let wish = "x-gateway-deployment: d1"
        try await withServer(gateway, options: keyed) { server in
            func call(_ headers: String...) async throws -> RawClient.Answer {
                try await server.once(RawClient.request("{}", headers: headers))
            }
            let refused = try await call("x-api-key: sk-client", wish)
            #expect(refused.status == 403)
            #expect(refused.body.contains("x-gateway-deployment"))
            #expect(gateway.requests.isEmpty)
            #expect(try await call("x-api-key: sk-client").status == 200)
            #expect(gateway.requests.last?.caller == .client)
            #expect(try await call("x-api-key: sk-admin", wish).status == 200)
            #expect(gateway.requests.last?.caller == .admin)
            #expect(gateway.requests.last?.deployment == "d1")
        }
    }

    @Test(arguments: [("localhost:1", Caller.admin), ("127.0.0.1", .admin), ("evil.test", .client)])
    func `A3: without admin keys a caller on this machine is an admin`(host: String, expected: Caller) async throws {
        let gateway = FakeGateway()
        try await withServer(gateway) { server in
            let head = "POST /v1/chat/completions HTTP/1.1\r\nHost: \(host)\r\nContent-Length: 2\r\n\r\n{}"
            let answer = try await server.once(head)
            #expect(answer.status == 200)
            #expect(gateway.requests.last?.caller == expected)
        }
    }
}
