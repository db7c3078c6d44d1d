// Rejected credentials: when they take a deployment out, and what brings it back.

import GatewayWire
import Logging
import ModelGatewayTesting
import Synchronization
import Testing

@testable import ModelGateway

@Suite(.timeLimit(.minutes(1))) struct CredentialTests {
    private func reject(_ bench: Bench, _ id: String = "d0", times: Int = 1) throws {
        for _ in 0..<times { try bench.group.acquire(RoutingInput(forcedDeployment: id)).finish(.misconfigured) }
    }

    private func succeed(_ bench: Bench, _ id: String = "d0") throws {
        try bench.group.acquire(RoutingInput(forcedDeployment: id)).finish(.success)
    }

    private func status(_ bench: Bench, _ id: String = "d0") throws -> DeploymentStatus {
        try #require(bench.group.status(of: id))
    }

    /// Makes calls over so much time and returns how many the deployment got; those are rejected.
    private func trials(_ bench: Bench, over time: Duration) throws -> [Duration] {
        var trials: [Duration] = []
        let start = bench.clock.elapsed
        while bench.clock.elapsed - start < time {
            for _ in 0..<2 {
                let lease = try bench.group.acquire(RoutingInput())
                let isTrial = lease.deployment.id == "d0"
                if isTrial { trials.append(bench.clock.elapsed - start) }
                lease.finish(isTrial ? .misconfigured : .success)
            }
            bench.clock.advance(by: .seconds(1))
        }
        return trials
    }

    @Test func `B7: a keyless probe does not bring back rejected credentials, one with them does`() throws {
        let bench = Bench(deployments(2)) { $0.health = HealthOptions() }
        try reject(bench)
        for _ in 0..<5 { bench.group.probed("d0", succeeded: true) }
        #expect(try status(bench).reasons == [.misconfigured])
        bench.group.probed("d0", succeeded: true, credentials: .accepted)
        #expect(try status(bench).isEligible)
    }

    @Test func `B7: other credentials are new credentials`() throws {
        let bench = Bench(deployments(2))
        try reject(bench)
        #expect(try status(bench).reasons == [.misconfigured])
        bench.group.set(deployment("d0", fingerprint: 7))
        #expect(try status(bench).isEligible)
    }

    @Test func `B7: without probes there is one trial after a wait that grows to five minutes`() throws {
        let bench = Bench(deployments(2), seed: 3)
        try reject(bench)
        let times = try trials(bench, over: .seconds(3600)).map(\.inSeconds)
        let waits = zip([0] + times, times).map { $1 - $0 }
        for (wait, base) in zip(waits, [10.0, 20, 40, 80, 160, 300, 300, 300]) {
            #expect(wait >= base * 0.8 - 1 && wait <= base * 1.2 + 1)
        }
        #expect(waits.count >= 8 && waits.count <= 20)
        bench.clock.advance(by: .seconds(360))
        try succeed(bench)
        #expect(try status(bench).isEligible)
        try succeed(bench)
    }

    @Test func `B7: a trial is one call at a time`() throws {
        let bench = Bench(deployments(1))
        try reject(bench)
        bench.clock.advance(by: .seconds(12))
        let trial = try bench.group.acquire(RoutingInput())
        let second = #expect(throws: GatewayError.self) { try bench.group.acquire(RoutingInput()) }
        #expect(second?.code == .rateLimited)
        trial.finish(.cancelled)
        // One that shows nothing is followed by another.
        let next = try bench.group.acquire(RoutingInput())
        next.finish(.success)
        let leases = try (0..<3).map { _ in try bench.group.acquire(RoutingInput()) }
        #expect(leases.count == 3)
    }

    @Test func `B7: one rejection does not take away credentials that have worked`() throws {
        let bench = Bench(deployments(2))
        try succeed(bench)
        try reject(bench)
        // The others take its calls for a moment.
        #expect(try status(bench).reasons == [.coolingDown])
        #expect(try bench.counts(4) == ["d1": 4])
        bench.clock.advance(by: .seconds(1))
        #expect(try status(bench).isEligible)
        try succeed(bench)
        for _ in 0..<2 {
            try reject(bench)
            bench.clock.advance(by: .seconds(1))
        }
        #expect(try status(bench).isEligible)
        try reject(bench)
        #expect(try status(bench).reasons.contains(.misconfigured))
    }

    @Test func `B7: the only deployment is not rested for what may be the fault of one request`() throws {
        let bench = Bench(deployments(1))
        try succeed(bench)
        for _ in 0..<10 {
            try reject(bench, times: 2)
            try succeed(bench)
        }
        try reject(bench, times: 3)
        let out = #expect(throws: GatewayError.self) { try bench.pick() }
        #expect(out?.code == .unavailable)
        #expect(out?.message.contains("rejected the gateway's credentials") == true)
        #expect(try #require(out?.retryAfter) > .seconds(7))
    }

    @Test func `B7: doubts are settled by a probe with the credentials`() throws {
        let bench = Bench(deployments(2)) { $0.health = HealthOptions() }
        try succeed(bench)
        bench.group.probed("d0", succeeded: true, credentials: .rejected)
        // Nobody has asked for them.
        #expect(try status(bench).isEligible)
        try reject(bench)
        bench.group.probed("d0", succeeded: true, credentials: .rejected)
        #expect(try status(bench).reasons.contains(.misconfigured))
    }

    @Test func `B7: rejected probes put the trial off`() throws {
        let bench = Bench(deployments(2)) { $0.health = HealthOptions() }
        try reject(bench)
        for _ in 0..<60 {
            bench.clock.advance(by: .seconds(8))
            bench.group.probed("d0", succeeded: true, credentials: .rejected)
        }
        #expect(try status(bench).reasons == [.misconfigured])
        #expect(try bench.counts(6) == ["d1": 6])
    }

    @Test func `B7: a list of models that wants no key is believed once`() throws {
        let bench = Bench(deployments(2)) { $0.health = HealthOptions() }
        try reject(bench)
        bench.group.probed("d0", succeeded: true, credentials: .accepted)
        try reject(bench)
        for _ in 0..<5 { bench.group.probed("d0", succeeded: true, credentials: .accepted) }
        #expect(try status(bench).reasons == [.misconfigured])
        bench.clock.advance(by: .seconds(24))
        try succeed(bench)
        for _ in 0..<3 {
            try reject(bench)
            bench.clock.advance(by: .seconds(1))
        }
        bench.group.probed("d0", succeeded: true, credentials: .accepted)
        #expect(try !status(bench).reasons.contains(.misconfigured))
    }

    @Test func `B7: results from before a rejection do not count`() throws {
        let bench = Bench(deployments(2))
        let early = try (0..<3).map { _ in try bench.group.acquire(RoutingInput(forcedDeployment: "d0")) }
        early[0].finish(.misconfigured)
        early[1].finish(.success)
        #expect(try status(bench).reasons == [.misconfigured])
        bench.clock.advance(by: .seconds(12))
        early[2].finish(.misconfigured)
        #expect(try status(bench).isEligible)
    }

    @Test(arguments: [
        (401, CredentialFinding.rejected), (403, .rejected), (404, .unknown), (405, .unknown), (200, .accepted),
    ])
    func `B7: real probes: the list of models with the key tells, health does not`(
        _ status: Int,
        _ expected: CredentialFinding
    ) async throws {
        let engine = try ScriptedEngine { request in
            if request.path == "/health" { return .json("{}") }
            if status == 200 { return ScriptedEngine.openAI()(request) }
            return .json("{}", status: status)
        }
        defer { engine.stop() }
        let provider = try OpenAICompatibleProvider(baseURL: engine.url, apiKey: "secret", transport: CurlTransport())
        let asked = Deployment(id: "d", provider: provider, upstreamModel: "m")
        let probe = EngineProbe()
        #expect(try await probe.ask(ProbeQuestion(deployment: asked, options: HealthOptions())) == .unknown)
        #expect(engine.requests.map(\.path) == ["/health"])
        let question = ProbeQuestion(deployment: asked, options: HealthOptions(), asksForCredentials: true)
        if expected == .rejected {
            let error = await #expect(throws: GatewayError.self) { try await probe.ask(question) }
            #expect(error.map { AttemptOutcome($0) } == .misconfigured)
        } else {
            #expect(try await probe.ask(question) == expected)
        }
        #expect(engine.requests[1].path == "/v1/models")
        #expect(engine.requests[1].header("authorization") == "Bearer secret")
    }

    @Test func `B7: a real 401 is answered by the next deployment, and a keyless health check changes nothing`()
        async throws
    {
        let clock = VirtualClock(start: .seconds(1000))
        let isRevoked = Locked(true)
        let engines = try (0..<2).map { index in
            try ScriptedEngine { request in
                if request.path == "/health" { return .json("{}") }
                if index == 0, isRevoked.withLock({ $0 }) { return .json("{}", status: 401) }
                return ScriptedEngine.openAI()(request)
            }
        }
        defer { for engine in engines { engine.stop() } }
        let transport = try CurlTransport()
        let members = try engines.enumerated().map { index, engine in
            let provider = try OpenAICompatibleProvider(baseURL: engine.url, apiKey: "k", transport: transport)
            return Deployment(id: "e\(index)", provider: provider, upstreamModel: "mock")
        }
        let options = HealthOptions(interval: .seconds(5), jitter: 0)
        let group = DeploymentGroup(model: "public", deployments: members, health: options)
        let registry = WorkerRegistry(Fleet([group], time: clock.source), transport: transport, time: clock.source)
        let gateway = Gateway(registry: registry)
        func calls(_ count: Int) async throws {
            for _ in 0..<count {
                let body = Array(RelayFixture.plainRequest.utf8)
                let response = try await gateway.relay(WireRequest(.openAIChat, body: body, requestID: "r"))
                #expect(response.status == 200)
            }
        }
        func rejected() -> Int { engines[0].requests.count { $0.method == "POST" } }
        let running = Task { try await gateway.run(logger: .init(label: "t")) }
        defer { running.cancel() }
        try await calls(4)
        #expect(rejected() == 1)
        // Probes with the key are rejected as well, and each puts the trial off further: nothing is burnt.
        func wait() -> Duration { gateway.groups[0].deployments[0].timeUntilEligible ?? .zero }
        for _ in 0..<4 {
            let before = wait()
            repeat {
                await clock.waitForSleepers(1, until: clock.now.advanced(by: .seconds(5)))
                clock.advance(by: .seconds(5))
                for _ in 0..<200 where wait() <= before { try await Task.sleep(for: .milliseconds(1)) }
            } while wait() <= before
            try await calls(2)
        }
        #expect(engines[0].requests.contains { $0.path == "/v1/models" })
        #expect(rejected() == 1)
        isRevoked.withLock { $0 = false }
        while rejected() == 1 {
            clock.advance(by: .seconds(5))
            try await Task.sleep(for: .milliseconds(2))
            try await calls(2)
        }
        #expect(gateway.groups[0].deployments.allSatisfy { $0.isEligible })
    }
}
