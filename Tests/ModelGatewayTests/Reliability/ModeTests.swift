// What calls of one mode show of a deployment does not count for the other modes; what concerns the deployment does.

import GatewayWire
import ModelGatewayTesting
import Testing

@testable import ModelGateway

@Suite("Modes apart", .timeLimit(.minutes(1)))
struct ModeTests {
    private func call(_ mode: Mode, on id: String? = nil) -> RoutingInput {
        RoutingInput(mode: mode, forcedDeployment: id)
    }

    private func fail(_ bench: Bench, _ id: String, _ mode: Mode, _ outcome: AttemptOutcome = .failure) throws {
        for _ in 0..<5 { try bench.group.acquire(call(mode, on: id)).finish(outcome) }
    }

    @Test(arguments: everyPolicy)
    func `failing embeddings do not take conversations away`(_ policy: RoutingPolicyKind) throws {
        let bench = Bench(deployments(2), policy)
        try fail(bench, "d0", .embedding)
        for _ in 0..<20 { #expect(try bench.pick(call(.embedding)) == "d1") }
        #expect(try bench.pick(call(.chat, on: "d0")) == "d0")
        let shown = bench.group.explain(call(.chat))
        #expect(Set(shown.candidates.map(\.id)) == ["d0", "d1"])
        #expect(bench.group.explain(call(.embedding)).excluded.map(\.reasons) == [[.breakerOpen]])
        let status = try #require(bench.group.status(of: "d0"))
        #expect(status.isEligible && status.reasons.isEmpty)
        #expect(status.breaker == .open)
        #expect(status.modes.first { $0.mode == .embedding }?.reasons == [.breakerOpen])
        #expect(status.modes.first { $0.mode == .chat }?.isEligible == true)
    }

    @Test func `the last deployment of a mode stays, whatever the other modes have`() throws {
        let bench = Bench(deployments(2))
        try fail(bench, "d0", .embedding)
        try fail(bench, "d1", .embedding)
        #expect(bench.group.status(of: "d1")?.modes.first?.breaker == .halfOpen)
        #expect(try bench.pick(call(.embedding)) == "d1")
        #expect(try bench.counts(4) { _ in call(.chat) } == ["d0": 2, "d1": 2])
    }

    @Test func `a rate limit and rejected credentials hold for their mode`() throws {
        let bench = Bench(deployments(1))
        try bench.group.acquire(call(.embedding)).finish(.rateLimited(retryAfter: .seconds(7)))
        let limited = #expect(throws: GatewayError.self) { try bench.pick(call(.embedding)) }
        #expect(limited?.retryAfter == .seconds(7))
        #expect(try bench.pick(call(.chat)) == "d0")
        bench.clock.advance(by: .seconds(7))
        try bench.group.acquire(call(.embedding)).finish(.misconfigured)
        let misconfigured = #expect(throws: GatewayError.self) { try bench.pick(call(.embedding)) }
        #expect(misconfigured?.code == .unavailable)
        #expect(try bench.pick(call(.chat)) == "d0")
        bench.group.probed("d0", succeeded: true, credentials: .accepted)
        #expect(try bench.pick(call(.embedding)) == "d0")
    }

    @Test func `places of a half-open breaker are those of its mode`() throws {
        let bench = Bench(deployments(1))
        try fail(bench, "d0", .embedding)
        let probes = try (0..<3).map { _ in try bench.group.acquire(call(.embedding)) }
        let full = #expect(throws: GatewayError.self) { try bench.group.acquire(call(.embedding)) }
        #expect(full?.code == .rateLimited)
        #expect(try bench.pick(call(.chat)) == "d0")
        probes.forEach { $0.finish(.success) }
        #expect(bench.group.status(of: "d0")?.breaker == .closed)
        #expect(try bench.pick(call(.embedding)) == "d0")
    }

    @Test func `places, probes, weight and load are those of the deployment`() throws {
        let bench = Bench([deployment("d0", limit: 1)]) {
            $0.health = HealthOptions()
            $0.overload = OverloadOptions(waitingRequests: 1)
        }
        let lease = try bench.group.acquire(call(.chat))
        let full = #expect(throws: GatewayError.self) { try bench.group.acquire(call(.embedding)) }
        #expect(full?.code == .rateLimited)
        lease.finish(.success)
        #expect(try bench.pick(call(.embedding)) == "d0")
        let changes: [(IneligibilityReason, () -> Void, () -> Void)] = [
            (
                .unhealthy, { for _ in 0..<3 { bench.group.probed("d0", succeeded: false) } },
                { for _ in 0..<2 { bench.group.probed("d0", succeeded: true) } }
            ),
            (
                .overloaded, { bench.group.reported("d0", EngineLoad(waitingRequests: 1)) },
                { bench.group.reported("d0", nil) }
            ),
            (
                .standby, { bench.group.change("d0") { $0.weight = 0 } },
                { bench.group.change("d0") { $0.weight = 1 } }
            ),
        ]
        for (reason, out, back) in changes {
            out()
            // A mode that comes new knows of it, too.
            for mode in [Mode.chat, .embedding, .completion, Mode(rawValue: "after \(reason)")] {
                #expect(bench.group.explain(call(mode)).excluded.map(\.reasons) == [[reason]])
            }
            #expect(bench.group.status(of: "d0")?.reasons == [reason])
            back()
            #expect(try bench.pick(call(.chat)) == "d0")
            #expect(try bench.pick(call(.embedding)) == "d0")
        }
    }

    @Test func `a program that makes up modes does not fill the memory`() throws {
        let bench = Bench(deployments(2))
        for number in 0..<200 { _ = try bench.pick(call(Mode(rawValue: "mode \(number)"))) }
        #expect(try #require(bench.group.status(of: "d0")?.modes.count) <= 16)
    }

    @Test func `other settings of the breaker begin anew in each mode`() throws {
        let bench = Bench(deployments(2))
        try fail(bench, "d0", .embedding)
        try fail(bench, "d0", .chat)
        var configuration = DeploymentGroup(model: "m", deployments: deployments(2))
        configuration.breaker.consecutiveFailures = 3
        bench.group.apply(configuration)
        #expect(bench.group.status(of: "d0")?.modes.allSatisfy { $0.isEligible && $0.breaker == .closed } == true)
    }

    @Test(arguments: everyPolicy)
    func `under any mix of events only eligible deployments are chosen, and loads add up`(
        _ policy: RoutingPolicyKind
    ) throws {
        let bench = Bench((0..<6).map { deployment("d\($0)", priority: $0 / 4, limit: 5) }, policy) {
            $0.health = HealthOptions()
            $0.admission.queueSize = 0
        }
        let modes: [Mode] = [.chat, .embedding, .completion]
        var random = SeededGenerator(seed: 7)
        var leases: [AttemptLease] = []
        for _ in 0..<1500 {
            bench.clock.advance(by: .milliseconds(random.index(below: 300)))
            let id = "d\(random.index(below: 6))"
            switch random.index(below: 9) {
            case 0: bench.group.probed(id, succeeded: random.index(below: 2) == 0)
            case 1: bench.group.change(id) { $0.weight = $0.weight == 0 ? 1 : 0 }
            case 2, 3, 4:
                guard !leases.isEmpty else { break }
                leases.swapAt(random.index(below: leases.count), leases.count - 1)
                let outcomes: [AttemptOutcome] = [
                    .success, .failure, .failure, .rateLimited(retryAfter: .seconds(2)), .cancelled, .misconfigured,
                ]
                leases.removeLast().finish(outcomes[random.index(below: outcomes.count)])
            default:
                let mode = modes[random.index(below: 3)]
                let before = bench.group.explain(call(mode))
                do {
                    let lease = try bench.group.acquire(call(mode))
                    #expect(before.candidates.contains { $0.id == lease.deployment.id })
                    leases.append(lease)
                } catch {
                    #expect(before.candidates.isEmpty)
                }
            }
            #expect(bench.group.status.callsInFlight == leases.count)
        }
        leases.removeAll()
        #expect(bench.group.status.deployments.allSatisfy { $0.callsInFlight == 0 && $0.pendingTokens == 0 })
    }

    @Test func `real embeddings that fail leave real conversations alone`() async throws {
        let fixture = try RelayFixture(engines: 1)
        let embedding = #"{"model":"public","input":"Hi"}"#
        for _ in 0..<6 {
            fixture.engine.enqueue(.json(#"{"error":{"message":"no such endpoint"}}"#, status: 500))
            let failure = await #expect(throws: GatewayError.self) {
                try await fixture.relay(embedding, mode: .embedding)
            }
            #expect(failure?.code == .upstreamFailed)
        }
        let status = try #require(fixture.gateway.groups.first?.deployments.first)
        #expect(status.modes.map(\.mode) == [.embedding])
        #expect(status.modes.first?.breaker == .halfOpen)
        fixture.engine.enqueue(.json(#"{"choices":[{"index":0,"message":{"role":"assistant","content":"ok"}}]}"#))
        #expect(try await fixture.relay(RelayFixture.plainRequest).status == 200)
    }
}
