// Files and DNS as sources of workers: what they report, when, and what they keep to themselves.

import ModelGateway
import ModelGatewayTesting
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

@Suite(.timeLimit(.minutes(1))) struct WorkerSourceTests {
    /// Everything that a source says, one after the other.
    enum News: Equatable, Sendable {
        case workers([String])
        case problem(String)
    }

    /// News, one after the other.
    struct Feed: Sendable {
        let news: AsyncStream<News>

        func next() async -> News? {
            var iterator = news.makeAsyncIterator()
            return await iterator.next()
        }
    }

    /// Watches a source while `body` reads its news.
    private func watch(_ source: some WorkerSource, _ body: (Feed) async throws -> Void) async throws {
        let (news, continuation) = AsyncStream<News>.makeStream()
        let report = WorkerReport(
            workers: { continuation.yield(.workers($0.map(\.place))) },
            problem: { continuation.yield(.problem($0)) }
        )
        let watching = Task { await source.watch(report) }
        do {
            try await body(Feed(news: news))
        } catch {
            watching.cancel()
            throw error
        }
        watching.cancel()
        await watching.value
    }

    /// Replaces a file by renaming, as an editor does.
    private func write(_ text: String, to path: String) throws {
        let file = try #require(fopen(path + ".new", "w"))
        #expect(fputs(text, file) >= 0)
        fclose(file)
        #expect(rename(path + ".new", path) == 0)
    }

    private func temporaryPath() -> String { "/tmp/modelgateway-workers-\(UInt64.random(in: .min ... .max))" }

    @Test func `a list is read line by line`() {
        let (workers, problems) = FileWorkerSource.parse(
            "# workers\n\nhttp://a:1\r\n  http://b:2/v1  # second\n#http://c:3\nd:4\nhttp://e http://f\nhttp://g:7#x"
        )
        #expect(workers.map(\.place) == ["a:1", "b:2"])
        #expect(problems.count == 3)
        #expect(problems[0].hasPrefix("6: "))
        #expect(problems[1].hasPrefix("7: "))
        #expect(problems[2].hasPrefix("8: "))
    }

    @Test func `an edited file is read again, and a bad edit changes nothing`() async throws {
        let path = temporaryPath()
        defer { unlink(path) }
        let clock = VirtualClock()
        let source = FileWorkerSource(path: path, interval: .seconds(1), time: clock.source)
        try await watch(source) { news in
            guard case .problem(let missing) = await news.next() else {
                Issue.record("A missing file is a problem")
                return
            }
            #expect(missing.contains(path))
            func edit(_ text: String) async throws {
                await clock.waitForSleepers(1)
                try write(text, to: path)
                clock.advance(by: .seconds(1))
                await clock.waitForSleepers(1)
                clock.advance(by: .milliseconds(250))
            }
            try await edit("http://a:1\n")
            #expect(await news.next() == .workers(["a:1"]))
            try await edit("http://a:1\nhttp://b:2\n")
            #expect(await news.next() == .workers(["a:1", "b:2"]))
            try await edit("http://a:1\nnonsense\n")
            guard case .problem(let bad) = await news.next() else {
                Issue.record("A bad line is a problem")
                return
            }
            #expect(bad.contains("\(path):2: "))
            // A file that did not change is not reported again.
            await clock.waitForSleepers(1)
            clock.advance(by: .seconds(1))
            try await edit("http://b:2\nhttp://c:3")
            #expect(await news.next() == .workers(["b:2", "c:3"]))
        }
    }

    @Test func `a first list keeps its good lines`() async throws {
        let path = temporaryPath()
        defer { unlink(path) }
        try write("nonsense\nhttp://a:1\n", to: path)
        try await watch(FileWorkerSource(path: path, time: VirtualClock().source)) { news in
            guard case .problem = await news.next() else {
                Issue.record("A bad line is a problem")
                return
            }
            #expect(await news.next() == .workers(["a:1"]))
        }
    }

    @Test func `addresses become workers, and the last ones stay while DNS fails`() async throws {
        let answers = Locked<[Result<[String], DNSFailure>]>([
            .success(["10.0.0.1", "[fd00::2]"]), .failure(DNSFailure(reason: "try again")),
            .failure(DNSFailure(reason: "try again")), .success(["10.0.0.3", "10.0.0.1"]),
        ])
        let resolver = DNSWorkerSource.Resolver(
            addresses: { _ in answers.withLock { $0.removeFirst() } },
            services: { _ in .failure(DNSFailure(reason: "not asked for")) }
        )
        let clock = VirtualClock()
        let source = DNSWorkerSource(
            host: "workers.example",
            port: 8000,
            interval: .seconds(30),
            resolver: resolver,
            time: clock.source
        )
        try await watch(source) { news in
            #expect(await news.next() == .workers(["10.0.0.1:8000", "[fd00::2]:8000"]))
            await clock.waitForSleepers(1)
            clock.advance(by: .seconds(30))
            #expect(await news.next() == .problem("No workers from the DNS name workers.example: try again."))
            for _ in 0..<2 {
                await clock.waitForSleepers(1)
                clock.advance(by: .seconds(30))
            }
            #expect(await news.next() == .workers(["10.0.0.3:8000", "10.0.0.1:8000"]))
        }
    }

    @Test func `services bring their own ports, weights and tiers`() async throws {
        let resolver = DNSWorkerSource.Resolver(
            addresses: { _ in .failure(DNSFailure(reason: "not asked for")) },
            services: { name in
                name == "_llm._tcp.example"
                    ? .success([
                        DNSAnswer.Service(priority: 10, weight: 5, port: 8001, host: "a.example"),
                        DNSAnswer.Service(priority: 20, weight: 0, port: 8002, host: "b.example"),
                    ]) : .failure(DNSFailure(reason: "unknown"))
            }
        )
        let source = DNSWorkerSource(
            host: "_llm._tcp.example",
            port: 1,
            interval: .seconds(30),
            resolver: resolver,
            time: VirtualClock().source
        )
        let (reports, continuation) = AsyncStream<[WorkerAddress]>.makeStream()
        let watching = Task { await source.watch(WorkerReport(workers: { continuation.yield($0) })) }
        var iterator = reports.makeAsyncIterator()
        let workers = try #require(await iterator.next())
        watching.cancel()
        #expect(workers.map(\.place) == ["a.example:8001", "b.example:8002"])
        #expect(workers.map(\.priority) == [10, 20])
        #expect(workers.map(\.weight) == [5, 1])
    }

    @Test func `the system's resolver knows this machine`() {
        let addresses = DNSWorkerSource.Resolver.system.addresses("localhost")
        #expect((try? addresses.get())?.contains { $0 == "127.0.0.1" || $0 == "[::1]" } ?? false)
    }
}
