// Which worker is sent which key, what its id shows, and what a call can prefer it by.

import ModelGateway
import ModelGatewayTesting
import Testing

@Suite("Keys, tags and ids of workers", .timeLimit(.minutes(1)))
struct WorkerKeyTests {
    /// A gateway whose workers share a key, in front of one engine.
    private final class Bench: Sendable {
        let engine: ScriptedEngine
        let address: WorkerAddress
        let registry: WorkerRegistry
        let gateway: Gateway
        private let running: Task<Void, any Error>

        init() throws {
            engine = try ScriptedEngine(respond: ScriptedEngine.openAI())
            address = try WorkerAddress(engine.url)
            let options = WorkerOptions(apiKey: Secret("shared-key"))
            registry = WorkerRegistry(Fleet(), options: options, transport: try CurlTransport())
            gateway = Gateway(registry: registry)
            running = Task { [gateway] in try await gateway.run() }
        }

        deinit {
            running.cancel()
            engine.stop()
        }

        /// The `authorization` that a call to the worker carries, which is that of the question for its models too.
        func key() async throws -> String? {
            let end = ContinuousClock.now + .seconds(20)
            while gateway.models.isEmpty, ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(2)) }
            _ = try await gateway.chat(ChatRequest(model: "mock", messages: [.user("Hi")]))
            return engine.requests.last { $0.method == "POST" }?.header("authorization")
        }

        var firstKey: String? { engine.requests.first { $0.path == "/v1/models" }?.header("authorization") }
    }

    @Test func `A3: the key of all workers goes to those of the configuration and of sources only`() async throws {
        for source in ["configuration", "file", "dns"] {
            let bench = try Bench()
            bench.registry.report([bench.address], from: source)
            #expect(try await bench.key() == "Bearer shared-key")
            #expect(bench.firstKey == "Bearer shared-key")
        }
        let bench = try Bench()
        let worker = try bench.gateway.addWorker(url: bench.engine.url)
        #expect(try await bench.key() == nil)
        #expect(bench.firstKey == nil)
        try bench.gateway.updateWorker(worker.id, WorkerChange(apiKey: Secret("its-own")))
        #expect(try await bench.key() == "Bearer its-own")
        try bench.gateway.updateWorker(worker.id, WorkerChange(apiKey: Secret("")))
        #expect(try await bench.key() == nil)
    }

    @Test func `A3: a worker that a source names too has the shared key while it does`() async throws {
        let bench = try Bench()
        try bench.gateway.addWorker(url: bench.engine.url)
        #expect(try await bench.key() == nil)
        bench.registry.report([bench.address], from: "file")
        #expect(try await bench.key() == "Bearer shared-key")
        bench.registry.report([], from: "file")
        #expect(try await bench.key() == nil)
        #expect(bench.gateway.workers.map(\.sources) == [["api"]])
    }

    @Test func `A3: the shared key goes to the address that the source wrote, not to the one that was added`() throws {
        let registry = WorkerRegistry(Fleet(), time: VirtualClock().source)
        _ = try registry.add(try WorkerAddress("http://h:443"), apiKey: nil)
        registry.report([try WorkerAddress("https://h:443")], from: "file")
        #expect(registry.workers.map(\.url) == ["https://h:443/v1"])
    }

    @Test func `A3: the id of a worker is short, always the same and without its address`() throws {
        let id = try WorkerAddress("http://10.1.2.3:8000").id
        #expect(id == "worker-97dc7054d8fe")
        #expect(try WorkerAddress("http://10.1.2.3:8000/v1/").id == id)
        #expect(try WorkerAddress("http://10.1.2.3:8000/other").id != id)
        #expect(try WorkerAddress("http://10.1.2.3:8001").id != id)
    }

    @Test func `C13: calls prefer workers by their tags, given at once and changed later`() async throws {
        let engines = try (0..<2).map { _ in try ScriptedEngine(respond: ScriptedEngine.openAI(models: ["m"])) }
        defer { for engine in engines { engine.stop() } }
        let gateway = Gateway(groups: [])
        let running = Task { try await gateway.run() }
        defer { running.cancel() }
        let first = try gateway.addWorker(url: engines[0].url, tags: ["fast", "eu"])
        let second = try gateway.addWorker(url: engines[1].url)
        let end = ContinuousClock.now + .seconds(20)
        while gateway.workers.contains(where: { $0.deployments.isEmpty }), ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(5))
        }
        func chosen(_ tag: String) throws -> [String] {
            let input = RoutingInput(tags: [tag])
            return try (0..<4).map { _ in try gateway.fleet.group("m").explain(input).candidates[0].id }
        }
        #expect(try chosen("fast") == Array(repeating: "\(first.id)/m", count: 4))
        try gateway.updateWorker(first.id, WorkerChange(tags: []))
        try gateway.updateWorker(second.id, WorkerChange(tags: ["fast"]))
        #expect(try chosen("fast") == Array(repeating: "\(second.id)/m", count: 4))
        #expect(try gateway.worker(second.id).tags == ["fast"])
        for tags in [[""], ["a,b"], [" a"], [String(repeating: "x", count: 65)]] {
            let refusal = #expect(throws: GatewayError.self) {
                try gateway.updateWorker(first.id, WorkerChange(tags: tags))
            }
            #expect(refusal?.code == .invalidRequest)
        }
    }
}
