// Sessions stay, move when they must, and come back.

import CoreMetrics
import GatewayWire
import ModelGatewayTesting
import Testing

@testable import ModelGateway

@Suite struct ManualTests {
    @Test func `pins are stable`() throws {
        let bench = Bench(deployments(10), .manual())
        let keys = (0..<200).map { "s\($0)" }
        let first = try keys.map { try bench.pick(RoutingInput(sessionKey: $0)) }
        #expect(Set(first).count == 10)
        for _ in 0..<3 { #expect(try keys.map { try bench.pick(RoutingInput(sessionKey: $0)) } == first) }
    }

    @Test func `a session has a second deployment and returns to the first`() throws {
        let bench = Bench(deployments(3), .manual())
        let input = RoutingInput(sessionKey: "s")
        let first = try bench.pick(input)
        bench.group.change(first) { $0.weight = 0 }
        let second = try bench.pick(input)
        #expect(second != first)
        #expect(try bench.pick(input) == second)
        bench.group.change(first) { $0.weight = 1 }
        #expect(try bench.pick(input) == first)
        // A third assignment drops the first.
        for id in [first, second] { bench.group.change(id) { $0.weight = 0 } }
        let third = try bench.pick(input)
        for id in [first, second] { bench.group.change(id) { $0.weight = 1 } }
        #expect(![first, second].contains(third))
        #expect(try bench.pick(input) == second)
    }

    @Test func `without a key nothing is stored`() throws {
        var policy = ManualPolicy(ManualOptions())
        var pool = Pool(.weights)
        var random = SeededGenerator(seed: 1)
        let metrics = DeploymentMetrics(
            model: "m",
            deployment: "d",
            policy: "manual",
            factory: MetricsSystem.factory
        )
        let members = [
            Member(DeploymentRecord(deployment("d"), number: 1, metrics: metrics), breaker: CircuitBreakerOptions())
        ]
        pool.insert(0, members[0], key: OrderKey())
        let context = SelectionContext(now: MonotonicInstant(nanoseconds: 0))
        for session in [nil, ""] {
            let input = RoutingInput(sessionKey: session)
            #expect(
                policy.select(from: &pool, members: members, input: input, context: context, random: &random) == 0
            )
        }
        #expect(policy.sessionCount == 0)
    }

    @Test func `fewest sessions spreads new ones evenly`() throws {
        let bench = Bench(deployments(4), .manual(assignment: .fewestSessions))
        let counts = try bench.counts(100) { RoutingInput(sessionKey: "s\($0)") }
        #expect(counts == ["d0": 25, "d1": 25, "d2": 25, "d3": 25])
    }

    @Test func `idle sessions are forgotten, and count no more`() throws {
        let policy = RoutingPolicyKind.manual(assignment: .fewestSessions, maxIdle: .seconds(60))
        let bench = Bench(deployments(2), policy)
        _ = try bench.counts(10) { RoutingInput(sessionKey: "old \($0)") }
        bench.clock.advance(by: .seconds(61))
        let counts = try bench.counts(10) { RoutingInput(sessionKey: "new \($0)") }
        #expect(counts == ["d0": 5, "d1": 5])
    }

    @Test func `the table is bounded and drops the longest unused`() {
        var table = SessionTable(capacity: 3, maxIdle: .zero, tracksChanges: false)
        let now = MonotonicInstant(nanoseconds: 0)
        for (slot, key) in ["a", "b", "c"].enumerated() {
            table.pin(key, to: SessionPin(slot: slot, number: 1), now: now)
        }
        _ = table.pins(of: "a", now: now)
        table.pin("d", to: SessionPin(slot: 0, number: 1), now: now)
        #expect(table.count == 3)
        let dropped = table.pins(of: "b", now: now)
        let kept = table.pins(of: "a", now: now)
        #expect(dropped == nil)
        #expect(kept != nil)
        #expect(table.sessions(on: 0) == 2)
        #expect(table.sessions(on: 1) == 0)
    }

    @Test func `sessions survive a reload`() throws {
        let fleet = deployments(6)
        let bench = Bench(fleet, .manual())
        let keys = (0..<50).map { "s\($0)" }
        let before = try keys.map { try bench.pick(RoutingInput(sessionKey: $0)) }
        bench.group.apply(DeploymentGroup(model: "m", deployments: fleet, policy: .manual()))
        let other = RoutingPolicyKind.manual(assignment: .leastLoad, maxIdle: .seconds(100))
        bench.group.apply(DeploymentGroup(model: "m", deployments: fleet, policy: other))
        #expect(try keys.map { try bench.pick(RoutingInput(sessionKey: $0)) } == before)
    }

    @Test func `concurrent first requests of a key agree`() async throws {
        let bench = Bench(deployments(20), .manual())
        let picks = await withTaskGroup(of: String?.self) { tasks in
            for _ in 0..<50 { tasks.addTask { try? bench.pick(RoutingInput(sessionKey: "same")) } }
            return await tasks.reduce(into: Set<String?>()) { $0.insert($1) }
        }
        #expect(picks.count == 1 && !picks.contains(nil))
    }

    @Test func `a deployment in the place of a removed one inherits no sessions`() throws {
        let bench = Bench(deployments(1), .manual())
        #expect(try bench.pick(RoutingInput(sessionKey: "s")) == "d0")
        bench.group.remove("d0")
        bench.group.set(deployment("new"))
        bench.group.set(deployment("other"))
        #expect(try ["new", "other"].contains(bench.pick(RoutingInput(sessionKey: "s"))))
        #expect(try bench.pick(RoutingInput(sessionKey: "s")) == bench.pick(RoutingInput(sessionKey: "s")))
    }
}
