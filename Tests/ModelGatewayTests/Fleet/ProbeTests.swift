// Who is probed when: what a deployment wants of its own, and a fleet too large to be looked through.

import GatewayWire
import ModelGatewayTesting
import Synchronization
import Testing

@testable import ModelGateway

@Suite(.timeLimit(.minutes(1))) struct ProbeTests {
    /// Counts probes, and how many were under way at a time.
    private final class Counter: Sendable {
        private struct State {
            var asked: [String: Int] = [:]
            var underWay = 0
            var most = 0
        }
        private let state = Lock(State())
        private let (begun, signal) = AsyncStream.makeStream(of: Void.self)

        var asked: [String: Int] { state.withLock { $0.asked } }
        var most: Int { state.withLock { $0.most } }

        func begin(_ id: String) {
            state.withLock { state in
                state.asked[id, default: 0] += 1
                state.underWay += 1
                state.most = max(state.most, state.underWay)
            }
            signal.yield()
        }

        func end() { state.withLock { $0.underWay -= 1 } }

        /// Suspends until the probes that have begun fulfil a condition.
        func wait(_ what: Comment, until condition: ([String: Int]) -> Bool) async {
            if condition(asked) { return }
            for await _ in begun where condition(asked) { return }
            // Only the test's time limit ends the signals.
            Issue.record(what)
        }
    }

    /// Waits until the prober sleeps for so long or less: the probe that decides on that has ended.
    private func sleeps(atMost limit: Duration, _ clock: VirtualClock) async {
        await clock.waitForSleepers(1, until: clock.now.advanced(by: limit))
    }

    @Test func `the queue gives what is due, the earliest first`() {
        var random = SeededGenerator(seed: 3)
        var queue = DeadlineQueue<Int>()
        var expected: [Int64] = []
        for _ in 0..<500 {
            let due = Int64(random.index(below: 1000))
            expected.append(due)
            queue.insert(Int(due), due: MonotonicInstant(nanoseconds: due))
        }
        let now = MonotonicInstant(nanoseconds: 700)
        var taken: [Int64] = []
        while let (due, element) = queue.take(now: now) {
            #expect(due.nanoseconds == Int64(element))
            taken.append(due.nanoseconds)
        }
        #expect(taken == expected.filter { $0 <= 700 }.sorted())
        #expect(queue.count == expected.count { $0 > 700 })
        #expect(queue.nextDeadline.nanoseconds == expected.filter { $0 > 700 }.min())
    }

    @Test func `probes under way are bounded, and all have their turn`() async throws {
        let fleet = Fleet(
            (0..<10).map { group in
                let members = (0..<50).map { deployment("g\(group)d\($0)") }
                return DeploymentGroup(model: "m\(group)", deployments: members, health: HealthOptions())
            }
        )
        let counter = Counter()
        let prober = HealthProber(fleet, limit: 7) { question throws(GatewayError) in
            counter.begin(question.deployment.id)
            for _ in 0..<5 { await Task.yield() }
            counter.end()
            return .unknown
        }
        let running = Task { await prober.run() }
        await counter.wait("all were asked") { $0.count == 500 }
        #expect(counter.most == 7)
        running.cancel()
        await running.value
    }

    @Test func `a large fleet is not looked through for one probe`() async throws {
        let clock = VirtualClock(start: .seconds(1000))
        let looks = Atomic(0)
        let source = TimeSource(
            now: {
                looks.add(1, ordering: .relaxed)
                return clock.source.now()
            },
            sleep: clock.source.sleep
        )
        var groups = (0..<400).map { number in
            let slow = HealthOptions(interval: .seconds(3600), jitter: 0)
            return DeploymentGroup(model: "m\(number)", deployments: [deployment("d\(number)")], health: slow)
        }
        groups[7].health.interval = .seconds(1)
        let fleet = Fleet(groups, time: source)
        let counter = Counter()
        let prober = HealthProber(fleet, time: source) { question throws(GatewayError) in
            counter.begin(question.deployment.id)
            counter.end()
            return .unknown
        }
        let running = Task { await prober.run() }
        await counter.wait("all were asked") { $0.count == 400 }
        let before = looks.load(ordering: .relaxed)
        for turn in 2...21 {
            await sleeps(atMost: .seconds(1), clock)
            clock.advance(by: .seconds(1))
            await counter.wait("the quick one was asked") { $0["d7"] ?? 0 >= turn }
        }
        // Each group that is touched looks at the clock; one turn has to touch the one that is due.
        #expect(looks.load(ordering: .relaxed) - before < 20 * 20)
        #expect(counter.asked.filter { $0.key != "d7" }.allSatisfy { $0.value == 1 })
        running.cancel()
        await running.value
    }

    @Test func `who comes is probed at once, who goes no more, and settings may change`() async throws {
        let clock = VirtualClock(start: .seconds(1000))
        let options = HealthOptions(jitter: 0)
        let fleet = Fleet([], time: clock.source)
        let counter = Counter()
        let prober = HealthProber(fleet, time: clock.source) { question throws(GatewayError) in
            counter.begin(question.deployment.id)
            counter.end()
            return .unknown
        }
        let running = Task { await prober.run() }
        fleet.set(deployment("d0"), of: "m", template: DeploymentGroup(model: "", health: options))
        await counter.wait("d0 was asked without time passing") { $0["d0"] == 1 }
        await sleeps(atMost: .seconds(10), clock)
        try fleet.group("m").set(deployment("d1"))
        await counter.wait("d1 was asked") { $0["d1"] == 1 }
        var quiet = deployment("d2")
        quiet.health = HealthOptions(enabled: false)
        try fleet.group("m").set(quiet)
        try fleet.group("m").remove("d1")
        for turn in 2...4 {
            await sleeps(atMost: .seconds(10), clock)
            clock.advance(by: .seconds(10))
            await counter.wait("d0 was asked again") { $0["d0"] == turn }
        }
        #expect(counter.asked["d1"] == 1 && counter.asked["d2"] == nil)
        let often = HealthOptions(interval: .seconds(5), jitter: 0)
        try fleet.group("m").change("d2") { $0.health = often }
        await counter.wait("d2 was asked") { $0["d2"] == 1 }
        await sleeps(atMost: .seconds(5), clock)
        var settings = DeploymentGroup(model: "m", deployments: [deployment("d0"), deployment("d2")])
        fleet.apply([settings])
        clock.advance(by: .seconds(30))
        settings.health = options
        fleet.apply([settings])
        await counter.wait("both were asked again") { $0["d0"] == 5 && $0["d2"] == 2 }
        running.cancel()
        await running.value
    }

    @Test func `a deployment has its own limits, or no probes at all`() throws {
        var quick = deployment("quick")
        quick.health = HealthOptions(failureThreshold: 1, successThreshold: 1)
        let bench = Bench([quick, deployment("d1")]) { $0.health = HealthOptions() }
        for id in ["quick", "d1"] { bench.group.probed(id, succeeded: false) }
        #expect(bench.group.status(of: "quick")?.reasons == [.unhealthy])
        #expect(bench.group.status(of: "d1")?.isEligible == true)
        // With probes turned off, nothing else could bring it back.
        bench.group.change("quick") { $0.health = HealthOptions(enabled: false) }
        #expect(bench.group.status(of: "quick")?.isEligible == true)
    }

    @Test func `the path that an operator chose is asked with the credentials, and only success counts`() async throws {
        let engine = try ScriptedEngine()
        let provider = try OpenAICompatibleProvider(
            baseURL: "\(engine.url)/v1",
            apiKey: "secret",
            transport: CurlTransport()
        )
        let asked = Deployment(id: "d", provider: provider, upstreamModel: "m")
        let probe = EngineProbe()
        let question = ProbeQuestion(deployment: asked, options: HealthOptions(path: "/ready?deep=1"))
        engine.enqueue(.json("{}", status: 204))
        _ = try await probe.ask(question)
        #expect(engine.requests.map(\.target) == ["/ready?deep=1"])
        #expect(engine.requests.first?.header("authorization") == "Bearer secret")
        for status in [301, 401, 404, 429, 500, 503] {
            engine.enqueue(.json("{}", status: status))
            let error = await #expect(throws: GatewayError.self) { try await probe.ask(question) }
            #expect(error.map { AttemptOutcome($0) } == .failure)
        }
        #expect(Set(engine.requests.map(\.target)) == ["/ready?deep=1"])
    }
}
