// Limits of connections: who waits, who makes room, who is refused.

import ModelGateway
import ModelGatewayServer
import Testing

@Suite("Limits of connections", .timeLimit(.minutes(1)))
struct ConnectionLimitTests {
    @Test func `A1: connections that never sent anything make room for those who do`() async throws {
        try await withServer(FakeGateway(), options: ServerOptions(maxConnections: 4)) { server in
            let regular = try await server.connect()
            try await regular.get("/health")
            #expect(try await regular.answer().status == 200)
            var idle: [RawClient] = []
            for _ in 0..<12 { idle.append(try await server.connect()) }
            let late = try await server.once("GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(late.status == 200)
            // The one that had a request before is kept as long as others never had one.
            try await regular.get("/health")
            #expect(try await regular.answer().status == 200)
            try await regular.close()
            for client in idle { try await client.close() }
        }
    }

    @Test func `A1: with all connections in use others wait for their turn`() async throws {
        let release = Counter()
        let gateway = FakeGateway { _ throws(GatewayError) in
            try await release.reachedUnlessCancelled(1)
            return .json("{}")
        }
        try await withServer(gateway, options: ServerOptions(maxConnections: 2)) { server in
            let answers = try await withThrowingTaskGroup(of: RawClient.Answer.self) { group in
                for _ in 0..<10 { group.addTask { try await server.once(RawClient.request("{}")) } }
                release.increment()
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.count == 10 && answers.allSatisfy { $0.status == 200 })
        }
    }

    @Test func `A1: an address has as many connections as it may have, and the next one is told so`() async throws {
        try await withServer(FakeGateway(), options: ServerOptions(maxConnectionsPerAddress: 2)) { server in
            let first = try await server.connect()
            let second = try await server.connect()
            for client in [first, second] {
                try await client.get("/health")
                #expect(try await client.answer().status == 200)
            }
            let third = try await server.connect()
            let refused = try await third.answer()
            #expect(refused.status == 429)
            #expect(refused.header("retry-after") == "1")
            #expect(refused.header("connection") == "close")
            #expect(refused.body.contains("connections"))
            try await third.close()
            try await first.close()
            // The server sees the end of a connection a moment later.
            var status = 0
            while status != 200 {
                status = (try? await server.once("GET /health HTTP/1.1\r\nHost: x\r\n\r\n"))?.status ?? 0
            }
            try await second.close()
        }
    }
}
