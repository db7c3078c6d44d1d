// Sources that take everything away, and calls of models that nobody offers at the moment.

import GatewayWire
import Logging
import ModelGatewayTesting
import Synchronization
import Testing

@testable import ModelGateway

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

@Suite(.timeLimit(.minutes(1))) struct WorkerListTests {
    private func addresses(_ names: String...) throws -> [WorkerAddress] {
        try names.map { try WorkerAddress("http://\($0):1") }
    }

    private func write(_ bytes: String, _ path: String, appending: Bool = false) {
        let file = open(path, O_WRONLY | O_CREAT | (appending ? O_APPEND : O_TRUNC), 0o600)
        #expect(file >= 0)
        _ = Array(bytes.utf8).withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
        close(file)
    }

    private func temporaryPath() -> String { "/tmp/modelgateway-list-\(UInt64.random(in: .min ... .max))" }

    @Test func `B9: a list without any of the last workers needs a second look`() throws {
        var lists = WorkerListReview()
        func look(_ names: String...) throws -> (String?, Bool) {
            let (list, again) = lists.review(try names.map { try WorkerAddress("http://\($0):1") })
            return (list?.map { String($0.place.prefix(1)) }.joined(), again)
        }
        #expect(try look() == ("", false))
        #expect(try look("a", "b") == ("ab", false))
        #expect(try look() == (nil, true))
        #expect(try look("b") == ("b", false))
        #expect(try look() == (nil, true))
        #expect(try look() == ("", false))
        #expect(try look("a") == ("a", false))
        // Who is new comes at once; nobody goes yet.
        #expect(try look("c") == ("ac", true))
        #expect(try look("d") == ("ad", true))
        #expect(try look("d") == ("d", false))
    }

    @Test func `B9: a file that is being written is left alone until it stands still`() async throws {
        let path = temporaryPath()
        defer { unlink(path) }
        write("http://a:1\nhttp://b:2\n", path)
        let clock = VirtualClock()
        let reports = Locked<[[String]]>([])
        let source = FileWorkerSource(path: path, time: clock.source)
        let watching = Task {
            await source.watch(WorkerReport(workers: { list in reports.withLock { $0.append(list.map(\.place)) } }))
        }
        func wait(_ time: Duration) async {
            await clock.waitForSleepers(1)
            clock.advance(by: time)
            await clock.waitForSleepers(1)
        }
        await clock.waitForSleepers(1)
        #expect(reports.withLock { $0 } == [["a:1", "b:2"]])
        // Emptied, then written in pieces that would be valid lists of their own.
        write("", path)
        await wait(.seconds(1))
        write("http://a:", path)
        await wait(.milliseconds(250))
        write("1\nhttp://c:3\n", path, appending: true)
        await wait(.milliseconds(250))
        #expect(reports.withLock { $0.count } == 1)
        await wait(.milliseconds(250))
        #expect(reports.withLock { $0.last } == ["a:1", "c:3"])
        // Emptied again and again is not empty for long.
        for turn in 0..<3 {
            write(String(repeating: "\n", count: turn + 1), path)
            await wait(.seconds(turn == 0 ? 1 : 2))
            await wait(.milliseconds(250))
            write("http://a:1\nhttp://c:3\n", path)
        }
        #expect(reports.withLock { $0.count } == 2)
        await wait(.seconds(2))
        await wait(.milliseconds(250))
        // One that stays empty is meant to be.
        write("", path)
        await wait(.seconds(1))
        await wait(.milliseconds(250))
        #expect(reports.withLock { $0.last } == ["a:1", "c:3"])
        await wait(.seconds(2))
        #expect(reports.withLock { $0.last } == [])
        watching.cancel()
        await watching.value
    }

    @Test func `B9: one empty answer of DNS takes nobody away, two do`() async throws {
        let answers = Locked<[[String]]>([["10.0.0.1"], [], ["10.0.0.1"], [], []])
        let resolver = DNSWorkerSource.Resolver(
            addresses: { _ in .success(answers.withLock { $0.isEmpty ? [] : $0.removeFirst() }) },
            services: { _ in .failure(DNSFailure(reason: "not asked for")) }
        )
        let clock = VirtualClock()
        let reports = Locked<[[String]]>([])
        let source = DNSWorkerSource(host: "h", port: 1, interval: .seconds(30), resolver: resolver, time: clock.source)
        let watching = Task {
            await source.watch(WorkerReport(workers: { list in reports.withLock { $0.append(list.map(\.place)) } }))
        }
        for pause in [30, 2, 30, 2] {
            await clock.waitForSleepers(1)
            clock.advance(by: .seconds(pause))
        }
        await clock.waitForSleepers(1)
        #expect(reports.withLock { $0 } == [["10.0.0.1:1"], ["10.0.0.1:1"], []])
        watching.cancel()
        await watching.value
    }

    @Test func `B9: while no worker has been found a model is not unknown`() throws {
        let clock = VirtualClock(start: .seconds(1000))
        let registry = WorkerRegistry(Fleet(time: clock.source), time: clock.source)
        func code() -> GatewayError.Code? { #expect(throws: GatewayError.self) { try registry.fleet.group("x") }?.code }
        #expect(code() == .modelNotFound)
        registry.awaitSources()
        #expect(code() == .unavailable)
        clock.advance(by: .seconds(3600))
        let error = #expect(throws: GatewayError.self) { try registry.fleet.group("x") }
        #expect(error?.status == 503)
        #expect(error?.retryAfter == .seconds(2))
        registry.report(try addresses("a", "b"), from: "file")
        for worker in registry.takeDue() {
            guard case .inspection(let entry) = worker, entry.address.place == "a:1" else { continue }
            let models = [ModelInfo(id: "m")]
            _ = registry.inspected(
                entry,
                .success(WorkerRegistry.Inspection(models: models, engine: nil, url: entry.url))
            )
        }
        // The second one has not said yet what it has.
        #expect(code() == .unavailable)
        clock.advance(by: .seconds(61))
        #expect(code() == .modelNotFound)
    }

    @Test func `B9: a model whose workers have all gone is expected back for a minute`() throws {
        let clock = VirtualClock(start: .seconds(1000))
        let fleet = Fleet(time: clock.source)
        fleet.set(deployment("a"), of: "m", template: DeploymentGroup(model: ""))
        try fleet.group("m").remove("a")
        fleet.removeIfEmpty("m")
        func code(_ model: String) -> GatewayError.Code? {
            #expect(throws: GatewayError.self) { try fleet.group(model) }?.code
        }
        #expect(code("m") == .unavailable)
        #expect(code("other") == .modelNotFound)
        clock.advance(by: .seconds(60))
        #expect(code("m") == .modelNotFound)
    }

    @Test func `B9: a file rewritten by truncating costs no call`() async throws {
        let engines = try (0..<2).map { _ in try ScriptedEngine(respond: ScriptedEngine.openAI(models: ["mock"])) }
        defer { for engine in engines { engine.stop() } }
        let path = temporaryPath()
        defer { unlink(path) }
        let lines = engines.map { "\($0.url)\n" }
        write(lines.joined(), path)
        let registry = WorkerRegistry(Fleet(), transport: try CurlTransport())
        // The file's own clock: what is written stands still for exactly as long as the test says.
        let clock = VirtualClock()
        let source = FileWorkerSource(path: path, time: clock.source)
        let gateway = Gateway(registry: registry, sources: [source])
        let running = Task { try await gateway.run(logger: Logger(label: "t") { _ in SwiftLogNoOpLogHandler() }) }
        defer { running.cancel() }
        let body = Array(#"{"model":"mock","messages":[{"role":"user","content":"Hi"}]}"#.utf8)
        func call() async throws(GatewayError) {
            _ = try await gateway.relay(WireRequest(.openAIChat, body: body, requestID: "r"))
        }
        while gateway.groups.first?.deployments.count != 2 { try await Task.sleep(for: .milliseconds(5)) }
        var random = SeededGenerator(seed: 5)
        func pass(_ milliseconds: Int) async throws {
            for _ in 0..<milliseconds / 10 {
                await clock.waitForSleepers(1)
                clock.advance(by: .milliseconds(10))
            }
            try await call()
        }
        for turn in 0..<40 {
            // Of a size of its own each time: two files of one size within a tick of the system's clock look the same.
            let start = String(repeating: "\n", count: turn)
            write(start, path)
            try await pass(random.index(below: 900))
            write(start + lines[0].prefix(18), path)
            try await pass(random.index(below: 100))
            write(start + lines.joined(), path)
            try await pass(random.index(below: 300))
            #expect(registry.workers.count == 2)
        }
    }
}
