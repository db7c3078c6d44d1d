// Probes take deployments out and bring them back, at the times they should.

import ModelGatewayTesting
import Synchronization
import Testing

@testable import ModelGateway

@Suite(.timeLimit(.minutes(1))) struct HealthTests {
    @Test func `three failures out, two successes in`() {
        var health = HealthState()
        let options = HealthOptions()
        func run(_ results: String) -> [Bool] {
            results.map { $0 == "+" ? health.succeed(options) : health.fail(options) }
        }
        #expect(run("--+--") == [false, false, false, false, false])
        #expect(run("-") == [true])
        #expect(!health.isHealthy)
        #expect(run("+-+") == [false, false, false])
        #expect(run("+") == [true])
        #expect(health.isHealthy)
    }

    @Test func `a failed deployment is probed for ever, with growing pauses up to a minute`() {
        var health = HealthState()
        let options = HealthOptions()
        var pauses: [Duration] = []
        for _ in 0..<8 {
            _ = health.fail(options)
            pauses.append(health.pause(options, variation: 0))
        }
        #expect(pauses == [10, 10, 10, 20, 40, 60, 60, 60].map { Duration.seconds($0) })
        #expect(health.pause(options, variation: 1) == .seconds(72))
        #expect(health.pause(options, variation: -1) == .seconds(48))
    }

    @Test func `real calls that succeed count as probes`() throws {
        let bench = Bench(deployments(2)) { $0.health = HealthOptions() }
        let leases = try (0..<2).map { _ in try bench.group.acquire(RoutingInput(forcedDeployment: "d0")) }
        for _ in 0..<3 { bench.group.probed("d0", succeeded: false) }
        #expect(bench.group.status(of: "d0")?.reasons == [.unhealthy])
        leases.forEach { $0.finish(.success) }
        #expect(bench.group.status(of: "d0")?.isEligible == true)
    }

    @Test func `probes do not touch the load`() {
        let bench = Bench(deployments(1)) { $0.health = HealthOptions() }
        bench.group.probed("d0", succeeded: true)
        #expect(bench.group.status.callsInFlight == 0)
    }

    @Test func `an overloaded deployment gets nothing until its next report`() throws {
        let bench = Bench(deployments(2)) { $0.overload = OverloadOptions(waitingRequests: 10, cacheUsage: 0.9) }
        bench.group.reported("d0", EngineLoad(waitingRequests: 9, cacheUsage: 0.89))
        #expect(bench.group.status(of: "d0")?.isEligible == true)
        for load in [EngineLoad(waitingRequests: 10), EngineLoad(cacheUsage: 0.9)] {
            bench.group.reported("d0", load)
            #expect(bench.group.status(of: "d0")?.reasons == [.overloaded])
            bench.group.reported("d0", nil)
            #expect(bench.group.status(of: "d0")?.isEligible == true)
        }
        bench.group.reported("d0", EngineLoad(waitingRequests: 50))
        bench.clock.advance(by: .seconds(30))
        #expect(bench.group.status(of: "d0")?.isEligible == true)
    }

    @Test func `the prober asks at its times and reports what it hears`() async throws {
        let clock = VirtualClock(start: .seconds(1000))
        let options = HealthOptions(jitter: 0)
        let fleet = Fleet(
            [DeploymentGroup(model: "m", deployments: deployments(1), health: options)],
            time: clock.source
        )
        let asked = Atomic(0)
        let isDown = Atomic(true)
        let prober = HealthProber(fleet, time: clock.source) { _ throws(GatewayError) in
            asked.add(1, ordering: .relaxed)
            if isDown.load(ordering: .relaxed) { throw GatewayError(.connectFailed, "down") }
            return .unknown
        }
        let running = Task { await prober.run() }
        let group = try fleet.group("m")
        /// The prober sleeps until the next probe when it has noted the last one.
        func probesEnd() async { await clock.waitForSleepers(1, until: clock.now.advanced(by: .seconds(10))) }
        for _ in 0..<2 {
            await probesEnd()
            #expect(group.status(of: "d0")?.isEligible == true)
            clock.advance(by: .seconds(10))
        }
        await probesEnd()
        #expect(group.status(of: "d0")?.reasons == [.unhealthy])
        #expect(asked.load(ordering: .relaxed) == 3)
        isDown.store(false, ordering: .relaxed)
        for _ in 0..<2 {
            clock.advance(by: .seconds(10))
            await probesEnd()
        }
        #expect(group.status(of: "d0")?.isEligible == true)
        #expect(asked.load(ordering: .relaxed) == 5)
        running.cancel()
        await running.value
    }
}
