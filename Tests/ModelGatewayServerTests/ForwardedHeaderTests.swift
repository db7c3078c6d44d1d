// Which header lines of a client the gateway gets to see, by the data plane and by a mounted router.

import Hummingbird
import Logging
import ModelGateway
import ModelGatewayServer
import ServiceLifecycle
import Testing

@Suite("Forwarded header lines", .timeLimit(.minutes(1)))
struct ForwardedHeaderTests {
    private let names = ["traceparent", "tracestate", "Idempotency-Key", "via", "x-gateway-hop", "OpenAI-Beta"]

    @Test func `C13: the data plane and a mounted router hand the same lines on`() async throws {
        let (served, mounted) = (FakeGateway(), FakeGateway())
        let lines = (names + ["cookie", "x-other"]).map { "\($0): v" }
        try await withServer(served) { server in
            let answer = try await server.once(RawClient.request("{}", headers: lines))
            #expect(answer.status == 200)
        }
        let router = Router()
        router.mountGateway(served: mounted, options: ServerOptions())
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
        let port = try #require(await iterator.next())
        try await RawClient.with(port: port) { client in
            try await client.send(RawClient.request("{}", headers: lines))
            let answer = try await client.answer()
            #expect(answer.status == 200)
        }
        await group.triggerGracefulShutdown()
        try await running.value
        let expected = Set(names.map { $0.lowercased() })
        for gateway in [served, mounted] {
            let request = try #require(gateway.requests.first)
            #expect(Set(request.headers.map { $0.name.lowercased() }) == expected)
        }
    }
}
