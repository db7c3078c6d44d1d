// That a gateway's own work runs and ends with a group of services.

import Logging
import ModelGateway
import ModelGatewayLifecycle
import ModelGatewayServer
import ModelGatewayTesting
import ServiceLifecycle
import Testing

@Suite("A gateway in a group of services", .timeLimit(.minutes(1)))
struct GatewayServiceTests {
    private let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// Says when a service has ended.
    private struct Noted: Service {
        let name: String
        let service: any Service
        let ended: AsyncStream<String>.Continuation

        func run() async throws {
            try await service.run()
            ended.yield(name)
        }
    }

    @Test func `It finds workers while the group runs, and ends when the group shuts down gracefully`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI(models: ["found"]))
        let gateway = Gateway()
        try gateway.addWorker(url: engine.url)
        let service = GatewayService(gateway, logger: silent)
        let group = ServiceGroup(configuration: .init(services: [service], logger: silent))
        async let running: Void = group.run()
        while gateway.models.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        #expect(gateway.models.map(\.id) == ["found"])
        await group.triggerGracefulShutdown()
        try await running
    }

    @Test func `It ends when its task is cancelled`() async throws {
        let service = GatewayService(Gateway(), logger: silent)
        let running = Task { try await service.run() }
        running.cancel()
        try await running.value
    }

    @Test func `Listed before a server, it works until the last call of the server is answered`() async throws {
        let engine = try ScriptedEngine { request in
            request.method == "POST" ? .chatCompletion("late").delayed(by: .milliseconds(300)) : .modelList(["m"])
        }
        let gateway = try Gateway(baseURL: engine.url, models: ["m"])
        let (ports, listening) = AsyncStream<Int>.makeStream()
        let (names, ended) = AsyncStream<String>.makeStream()
        var options = ServerOptions()
        options.port = 0
        let server = GatewayServer(
            gateway: gateway,
            options: options,
            logger: silent,
            onListening: { listening.yield($0.port) }
        )
        let services: [any Service] = [
            Noted(name: "gateway", service: GatewayService(gateway, logger: silent), ended: ended),
            Noted(name: "server", service: server, ended: ended),
        ]
        let group = ServiceGroup(configuration: .init(services: services, logger: silent))
        async let running: Void = group.run()
        let port = try #require(await ports.first { _ in true })
        let client = try Gateway(baseURL: "http://127.0.0.1:\(port)", models: ["m"])
        async let answer = client.chat(ChatRequest(model: "m", messages: [.user("Hi")]))
        try await engine.waitForRequests(1)
        await group.triggerGracefulShutdown()
        #expect(try await answer.text == "late")
        try await running
        ended.finish()
        #expect(await names.reduce(into: []) { $0.append($1) } == ["server", "gateway"])
    }
}
