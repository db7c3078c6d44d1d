// Workers over real sockets: found, lost, changed and removed while calls run.

import Logging
import ModelGateway
import ModelGatewayTesting
import Testing

@Suite(.timeLimit(.minutes(1))) struct WorkerTests {
    /// A gateway whose workers are asked on a virtual clock.
    private final class Bench: Sendable {
        let clock = VirtualClock()
        let gateway: Gateway
        let health = HealthOptions(
            interval: .seconds(10),
            jitter: 0,
            // Of real time: an engine that answers is never too slow, however busy the machine is.
            timeout: .seconds(60),
            failureThreshold: 1,
            successThreshold: 1
        )

        /// - Parameter engines: Those that the configuration lists.
        init(_ engines: ScriptedEngine..., probes: Bool = false) throws {
            let transport = try CurlTransport()
            var options = WorkerOptions()
            if probes { options.group.health = health }
            options.askTimeout = .seconds(20)
            let registry = WorkerRegistry(
                Fleet(time: clock.source),
                options: options,
                transport: transport,
                time: clock.source
            )
            gateway = Gateway(registry: registry, sources: [try StaticWorkerSource(engines.map(\.url))])
        }

        /// Runs the gateway's own work while `body` runs.
        func run(_ body: () async throws -> Void) async throws {
            let running = Task { [gateway] in
                try await gateway.run(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            }
            do {
                try await body()
            } catch {
                running.cancel()
                throw error
            }
            running.cancel()
            try await running.value
        }

        /// Lets virtual time pass in steps until a condition holds.
        func advance(
            by step: Duration = .milliseconds(100),
            until what: Comment,
            _ condition: () -> Bool
        ) async throws {
            let end = ContinuousClock.now + .seconds(40)
            while !condition() {
                guard ContinuousClock.now < end else {
                    Issue.record(what)
                    return
                }
                clock.advance(by: step)
                try await Task.sleep(for: .milliseconds(1))
            }
        }

        /// Lets virtual time pass until it is known what the engine is and what it serves.
        func advanceUntilReady(_ engine: ScriptedEngine) async throws {
            try await advance(until: "it is ready") { (try? worker(engine))?.engine != nil && gateway.isReady }
        }

        func call(_ model: String = "mock", streamed: Bool = false) async throws -> WireResponse {
            let body = #"{"model":"\#(model)","stream":\#(streamed),"messages":[{"role":"user","content":"Hi"}]}"#
            return try await gateway.relay(
                WireRequest(.openAIChat, body: Array(body.utf8), requestID: "r", caller: .admin)
            )
        }

        /// Begins a stream that stops in its middle until the engine is released.
        func stalledStream(_ engine: ScriptedEngine) async throws -> WireResponse {
            engine.enqueue(Script.chatStream("one two three").stalled(after: 700))
            return try await call(streamed: true)
        }

        func worker(_ engine: ScriptedEngine) throws -> Worker { try gateway.worker(WorkerAddress(engine.url).id) }
    }

    @Test func `a listed worker that is down at the start is served from when it is up`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI(models: ["one", "org/two"]))
        defer { engine.stop() }
        engine.refuseConnections()
        let bench = try Bench(engine)
        try await bench.run {
            try await bench.advance(until: "it was asked in vain") { (try? bench.worker(engine))?.problem != nil }
            #expect(try bench.worker(engine).state == .connecting)
            #expect(!bench.gateway.isReady)
            #expect(bench.gateway.models.isEmpty)
            try engine.acceptConnections()
            try await bench.advance(until: "its models are there") {
                bench.gateway.models.map(\.id) == ["one", "org/two"] && (try? bench.worker(engine))?.state == .ready
            }
            #expect(bench.gateway.isReady)
            #expect(
                try await bench.call("org/two").header("x-gateway-deployment")
                    == "\(WorkerAddress(engine.url).id)/org/two"
            )
            let worker = try bench.worker(engine)
            #expect(worker.state == .ready)
            #expect(worker.engine == Engine(kind: .generic))
            #expect(worker.sources == ["configuration"])
            #expect(worker.problem == nil)
        }
    }

    @Test func `calls go round robin over workers, and models come and go with them`() async throws {
        let offered = Locked(["a", "b"])
        let changing = try ScriptedEngine { ScriptedEngine.openAI(models: offered.withLock { $0 })($0) }
        let steady = try ScriptedEngine(respond: ScriptedEngine.openAI(models: ["a"]))
        defer { for engine in [changing, steady] { engine.stop() } }
        let bench = try Bench(changing, steady)
        try await bench.run {
            try await bench.advance(until: "both are ready") {
                bench.gateway.workers.map(\.deployments.count).sorted() == [1, 2]
            }
            #expect(bench.gateway.models.map(\.id) == ["a", "b"])
            var answers: [String: Int] = [:]
            for _ in 0..<10 { answers[try await bench.call("a").header("x-gateway-deployment") ?? "", default: 0] += 1 }
            let ids = try [changing, steady].map { "\(try WorkerAddress($0.url).id)/a" }
            #expect(answers == [ids[0]: 5, ids[1]: 5])
            offered.withLock { $0 = ["a", "c"] }
            try await bench.advance(until: "the models have changed") {
                bench.gateway.models.map(\.id) == ["a", "c"]
            }
            offered.withLock { $0 = [] }
            try await bench.advance(until: "the models are gone") { bench.gateway.models.map(\.id) == ["a"] }
            #expect(try bench.worker(changing).state == .ready)
            for _ in 0..<4 {
                #expect(try await bench.call("a").header("x-gateway-deployment") == ids[1])
            }
        }
    }

    @Test func `workers are added, changed and removed`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI())
        defer { engine.stop() }
        let bench = try Bench()
        try await bench.run {
            let added = try bench.gateway.addWorker(url: engine.url, weight: 2, labels: ["zone": "a"])
            #expect(added.state == .connecting)
            let twice = #expect(throws: GatewayError.self) { try bench.gateway.addWorker(url: engine.url) }
            #expect(twice?.code == .conflict)
            let scheme = #expect(throws: GatewayError.self) { try bench.gateway.addWorker(url: "ftp://x") }
            #expect(scheme?.code == .invalidRequest)
            let weight = #expect(throws: GatewayError.self) {
                try bench.gateway.updateWorker(added.id, WorkerChange(weight: -1))
            }
            #expect(weight?.code == .invalidRequest)
            try await bench.advanceUntilReady(engine)
            var worker = try bench.gateway.updateWorker(
                added.id,
                WorkerChange(weight: 5, priority: 3, labels: ["zone": "b"])
            )
            let deployment = try #require(worker.deployments.first).deployment
            #expect(deployment.weight == 5)
            #expect(deployment.priority == 3)
            #expect(deployment.labels == ["zone": "b"])
            #expect(worker.deployments.first?.isEligible == true)
            worker = try bench.gateway.removeWorker(added.id)
            #expect(worker.state == .draining)
            #expect(bench.gateway.workers.isEmpty)
            #expect(bench.gateway.models.isEmpty)
            let failure = await #expect(throws: GatewayError.self) { try await bench.call() }
            #expect(failure?.code == .unavailable)
            let removal = #expect(throws: GatewayError.self) { try bench.gateway.removeWorker(added.id) }
            #expect(removal?.code == .notFound)
            try bench.gateway.addWorker(url: engine.url)
            try await bench.advance(until: "it is back") { bench.gateway.isReady }
            _ = try await bench.call()
        }
    }

    @Test func `a worker that drains finishes its stream and takes no new call`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI())
        defer { engine.stop() }
        let bench = try Bench(engine)
        try await bench.run {
            try await bench.advanceUntilReady(engine)
            let id = try bench.worker(engine).id
            let response = try await bench.stalledStream(engine)
            #expect(try bench.gateway.updateWorker(id, WorkerChange(isDraining: true)).state == .draining)
            #expect(try bench.worker(engine).deployments.first?.reasons == [.draining])
            let failure = await #expect(throws: GatewayError.self) { try await bench.call() }
            #expect(failure?.code == .unavailable)
            // The model is still one of the gateway's: its only worker rests.
            #expect(bench.gateway.models.map(\.id) == ["mock"])
            engine.release()
            let text = try await response.text()
            #expect(text.contains("three"))
            #expect(text.hasSuffix("data: [DONE]\n\n"))
            try bench.gateway.updateWorker(id, WorkerChange(isDraining: false))
            #expect(bench.gateway.isReady)
            _ = try await bench.call()
        }
    }

    @Test func `a removed worker goes when its last stream has ended`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI())
        defer { engine.stop() }
        let bench = try Bench(engine)
        try await bench.run {
            try await bench.advanceUntilReady(engine)
            let id = try bench.worker(engine).id
            let response = try await bench.stalledStream(engine)
            #expect(try bench.gateway.removeWorker(id).isLeaving)
            #expect(bench.gateway.workers.map(\.state) == [.draining])
            let change = #expect(throws: GatewayError.self) {
                try bench.gateway.updateWorker(id, WorkerChange(weight: 2))
            }
            #expect(change?.code == .conflict)
            engine.release()
            #expect(try await response.text().contains("three"))
            #expect(bench.gateway.workers.isEmpty)
            #expect(bench.gateway.models.isEmpty)
        }
    }

    @Test func `a worker that two sources name stays until both have left it out`() throws {
        let registry = WorkerRegistry(Fleet(), time: VirtualClock().source)
        let (a, b) = (try WorkerAddress("http://a:1"), try WorkerAddress("http://b:2"))
        registry.report([a, b], from: "file")
        registry.report([a], from: "dns")
        #expect(registry.worker(a.id)?.sources == ["dns", "file"])
        #expect(registry.worker(b.id)?.sources == ["file"])
        registry.report([], from: "file")
        #expect(registry.workers.map(\.id) == [a.id])
        registry.report([], from: "dns")
        #expect(registry.workers.isEmpty)
    }

    @Test func `a worker removed by hand stays away until its source names it anew`() throws {
        let registry = WorkerRegistry(Fleet(), time: VirtualClock().source)
        let address = try WorkerAddress("http://a:1")
        registry.report([address], from: "file")
        #expect(registry.remove(address.id, within: .zero) != nil)
        registry.report([address], from: "file")
        #expect(registry.workers.isEmpty)
        registry.report([], from: "file")
        registry.report([address], from: "file")
        #expect(registry.workers.map(\.id) == [address.id])
    }

    @Test func `a worker that fails its probes goes out and comes back, and no probe counts as load`() async throws {
        let isWell = Locked(true)
        let engine = try ScriptedEngine { request in
            if request.path == "/health", !isWell.withLock({ $0 }) { return .json("{}", status: 500) }
            return ScriptedEngine.openAI()(request)
        }
        defer { engine.stop() }
        let bench = try Bench(engine, probes: true)
        try await bench.run {
            try await bench.advanceUntilReady(engine)
            isWell.withLock { $0 = false }
            try await bench.advance(until: "it is out") { !bench.gateway.isReady }
            let status = try #require(try bench.worker(engine).deployments.first)
            #expect(status.reasons == [.unhealthy])
            #expect(status.callsInFlight == 0)
            #expect(status.pendingTokens == 0)
            isWell.withLock { $0 = true }
            try await bench.advance(until: "it is back") { bench.gateway.isReady }
            _ = try await bench.call()
        }
    }

    @Test func `a server without a health endpoint is probed at its models`() async throws {
        let engine = try ScriptedEngine { request in
            request.path == "/health" ? .openAIError(status: 404, message: "?") : ScriptedEngine.openAI()(request)
        }
        defer { engine.stop() }
        let bench = try Bench(engine, probes: true)
        try await bench.run {
            // Eight probes are more than a minute apart, which small steps would take seconds for on a busy machine.
            try await bench.advance(by: .seconds(2), until: "it was asked for its models often") {
                engine.requests.count { $0.path == "/v1/models" } > 8
            }
            #expect(engine.requests.count { $0.path == "/health" } == 1)
            #expect(bench.gateway.isReady)
        }
    }

    @Test func `an engine's load is read, and a restart is noticed`() async throws {
        let start = Locked(1000)
        let waiting = Locked(4)
        let engine = try ScriptedEngine { request in
            switch request.path {
            case "/v1/models":
                return .json(#"{"object":"list","data":[{"id":"mock","object":"model","owned_by":"vllm"}]}"#)
            case "/version": return .json(#"{"version":"0.11.0"}"#)
            case "/metrics":
                let text = """
                    vllm:num_requests_running{engine="0"} 2
                    vllm:num_requests_waiting{engine="0"} \(waiting.withLock { $0 })
                    process_start_time_seconds \(start.withLock { $0 })

                    """
                return .response(parts: [Array(text.utf8)])
            default: return ScriptedEngine.openAI()(request)
            }
        }
        defer { engine.stop() }
        let bench = try Bench(engine)
        func status() -> DeploymentStatus? { (try? bench.worker(engine))?.deployments.first }
        try await bench.run {
            try await bench.advance(until: "its load is known") { status()?.load?.waitingRequests == 4 }
            #expect(status()?.load?.runningRequests == 2)
            waiting.withLock { $0 = 9 }
            try await bench.advance(until: "its load is known anew") { status()?.load?.waitingRequests == 9 }
            let before = status()?.deployment.fingerprint
            start.withLock { $0 = 2000 }
            try await bench.advance(until: "its restart is known") { status()?.deployment.fingerprint != before }
        }
    }

    @Test(arguments: ["/engines/one", "/engines/one/", "/engines/one/v1", ""])
    func `D26: a worker with a path before its API is found there, with v1 behind it`(path: String) async throws {
        let prefix = path.isEmpty ? "" : "/engines/one"
        let engine = try ScriptedEngine { request in
            guard request.path.hasPrefix(prefix) else { return .json("{}", status: 404) }
            if request.path == "\(prefix)/health" { return .json("{}") }
            if request.path == "\(prefix)/version" { return .json(#"{"version":"0.11.0"}"#) }
            if request.path == "\(prefix)/v1/models" { return .modelList(["mock"]) }
            if request.path == "\(prefix)/v1/chat/completions" { return .chatCompletion("Hello.") }
            return .json("<html>", status: 404)
        }
        defer { engine.stop() }
        let bench = try Bench(probes: true)
        try await bench.run {
            try bench.gateway.addWorker(url: engine.url + path)
            try await bench.advance(until: "it is ready") {
                bench.gateway.isReady && bench.gateway.workers.first?.engine?.kind == .vllm
            }
            #expect(bench.gateway.workers.map(\.url) == ["\(engine.url)\(prefix)/v1"])
            #expect(bench.gateway.workers.map(\.state) == [.ready])
            #expect(try await bench.call().status == 200)
            let before = engine.requests.count
            try await bench.advance(until: "it was asked again") { engine.requests.count >= before + 5 }
            #expect(bench.gateway.isReady)
            #expect(try await bench.call().status == 200)
        }
    }

    @Test func `D26: a worker that has no list of models anywhere is reported with the first answer`() async throws {
        let engine = try ScriptedEngine { request in
            .json(#"{"error":{"message":"nothing at \#(request.path)"}}"#, status: 404)
        }
        defer { engine.stop() }
        let bench = try Bench()
        try await bench.run {
            try bench.gateway.addWorker(url: engine.url + "/engines/one")
            try await bench.advance(until: "it was asked") { bench.gateway.workers.first?.problem != nil }
            #expect(bench.gateway.workers.first?.state == .connecting)
            #expect(Set(engine.requests.map(\.path)).isSuperset(of: ["/engines/one/models", "/engines/one/v1/models"]))
        }
    }
}
