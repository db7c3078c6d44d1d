// Discovery from outside: sources of workers that an embedding program brings along.

import Logging
import ModelGateway
import ModelGatewayTesting
import Testing

@Suite("A source of workers of the program's own", .timeLimit(.minutes(1)))
struct OwnWorkerSourceTests {
    /// Reports what a test sends.
    private struct Feed: WorkerSource {
        let name: String
        let lists: AsyncStream<[WorkerAddress]>
        let send: AsyncStream<[WorkerAddress]>.Continuation

        init(_ name: String) {
            self.name = name
            (lists, send) = AsyncStream<[WorkerAddress]>.makeStream()
        }

        func watch(_ report: WorkerReport) async {
            for await list in lists { report.workers(list) }
        }
    }

    private func run(_ gateway: Gateway, _ body: () async throws -> Void) async throws {
        let running = Task { try await gateway.run(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }) }
        defer { running.cancel() }
        try await body()
    }

    private func wait(_ what: Comment, until condition: () -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(20)
        while !condition() {
            guard ContinuousClock.now < end else {
                Issue.record(what)
                return
            }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    @Test func `what it names is served, with its weight and tier, and what it leaves out goes away`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI(models: ["small"], text: "Yes."))
        defer { engine.stop() }
        let feed = Feed("registry")
        let gateway = Gateway(workerSources: [feed])
        try await run(gateway) {
            let address = try WorkerAddress(engine.url, weight: 0.5, priority: 2)
            feed.send.yield([address])
            try await wait("it is served") { gateway.models.map(\.id) == ["small"] && gateway.isReady }
            let worker = try gateway.worker(address.id)
            #expect(worker.sources == ["registry"])
            #expect(worker.weight == 0.5)
            #expect(worker.priority == 2)
            #expect(try await gateway.chat(ChatRequest(model: "small", messages: [.user("Hi")])).text == "Yes.")
            feed.send.yield([])
            try await wait("it is gone") { gateway.workers.isEmpty && gateway.models.isEmpty }
        }
    }

    @Test func `two sources of one name do not take each other's workers away`() async throws {
        let (one, two) = (Feed("api"), Feed("api"))
        let gateway = Gateway(workerSources: [one, two])
        try await run(gateway) {
            one.send.yield([try WorkerAddress("http://127.0.0.1:9")])
            two.send.yield([try WorkerAddress("http://127.0.0.1:10")])
            try await wait("both are there") { gateway.workers.count == 2 }
            #expect(Set(gateway.workers.flatMap(\.sources)) == ["api-2", "api-3"])
        }
    }

    @Test func `it works beside the workers of a configuration`() async throws {
        let text = "workers.urls = [\"http://127.0.0.1:9\"]"
        let configuration = try Configuration.diagnose(Array(text.utf8), name: "w.toml").get()
        let feed = Feed("registry")
        let gateway = try Gateway(configuration: configuration, workerSources: [feed])
        try await run(gateway) {
            feed.send.yield([try WorkerAddress("http://127.0.0.1:9"), try WorkerAddress("http://127.0.0.1:10")])
            try await wait("both are there") { gateway.workers.map(\.sources.count).sorted() == [1, 2] }
        }
    }

    @Test func `an address that cannot be used is a mistake that the source can report`() {
        let error = #expect(throws: GatewayError.self) { try WorkerAddress("10.0.0.1:8000") }
        #expect(error?.code == .configuration)
    }
}
