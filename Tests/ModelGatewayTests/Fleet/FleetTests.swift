// Deployments come, change, drain and go while calls run; nothing is lost or counted twice.

import GatewayWire
import ModelGatewayTesting
import Testing

@testable import ModelGateway

@Suite(.timeLimit(.minutes(1))) struct FleetTests {
    @Test(arguments: [RoutingPolicyKind.roundRobin, .cacheAware(), .leastLoad, .consistentHashing()])
    func `counts are exact under concurrent calls, changes and failures`(_ policy: RoutingPolicyKind) async {
        var configuration = DeploymentGroup(model: "m", deployments: deployments(6), policy: policy)
        configuration.breaker.openTime = .milliseconds(1)
        let group = GroupState(configuration, seed: 3)
        await withDiscardingTaskGroup { tasks in
            for worker in 0..<8 {
                tasks.addTask {
                    var random = SeededGenerator(seed: UInt64(worker))
                    for _ in 0..<400 {
                        let input = text("prompt \(random.index(below: 30))", session: "s\(random.index(below: 9))")
                        guard let lease = try? group.acquire(input) else { continue }
                        lease.accepted()
                        if random.index(below: 2) == 0 { lease.answered() }
                        switch random.index(below: 5) {
                        case 0: lease.finish(.failure)
                        case 1: lease.finish(.rateLimited(retryAfter: .milliseconds(1)))
                        case 2: break
                        default: lease.finish(.success)
                        }
                        lease.finish(.success)
                    }
                }
            }
            tasks.addTask {
                var random = SeededGenerator(seed: 99)
                for _ in 0..<300 {
                    let id = "d\(random.index(below: 6))"
                    switch random.index(below: 4) {
                    case 0: group.remove(id)
                    case 1: group.change(id) { $0.weight = $0.weight == 1 ? 3 : 1 }
                    default: group.set(deployment(id, fingerprint: UInt64(random.index(below: 3))))
                    }
                    await Task.yield()
                }
            }
        }
        let status = group.status
        #expect(status.callsInFlight == 0)
        #expect(status.deployments.allSatisfy { $0.callsInFlight == 0 && $0.pendingTokens == 0 })
    }

    @Test func `a lease that is let go ends as cancelled, once`() throws {
        let bench = Bench(deployments(1))
        do {
            let lease = try bench.group.acquire(RoutingInput(estimatedTokens: 50))
            #expect(bench.group.status.deployments[0].pendingTokens == 50)
            lease.finish(.success)
            lease.finish(.failure)
        }
        do { _ = try bench.group.acquire(RoutingInput()) }
        #expect(bench.group.status.callsInFlight == 0)
        #expect(bench.group.status.deployments[0].pendingTokens == 0)
    }

    @Test func `a reload keeps what was learned about those that stay`() throws {
        let bench = Bench(deployments(3))
        try bench.fail("d0")
        try bench.group.acquire(RoutingInput(forcedDeployment: "d1")).finish(.misconfigured)
        let held = try bench.group.acquire(RoutingInput(forcedDeployment: "d2"))
        var changed = deployments([1, 1, 5])
        changed[1].fingerprint = 1
        bench.group.apply(DeploymentGroup(model: "m", deployments: changed + [deployment("new")]))
        let status = bench.group.status
        #expect(status.deployments.map(\.deployment.id) == ["d0", "d1", "d2", "new"])
        #expect(status.deployments.map(\.isEligible) == [false, true, true, true])
        #expect(status.deployments[2].callsInFlight == 1)
        #expect(status.deployments[2].deployment.weight == 5)
        held.finish(.success)
        #expect(bench.group.status.callsInFlight == 0)
        bench.group.apply(DeploymentGroup(model: "m", deployments: [deployment("new")], policy: .leastLoad))
        #expect(try bench.counts(3) == ["new": 3])
    }

    @Test func `a draining deployment ends what it has begun and is gone`() throws {
        let bench = Bench(deployments(2))
        let held = try bench.group.acquire(RoutingInput(forcedDeployment: "d0"))
        #expect(bench.group.drain("d0", within: .seconds(30)))
        #expect(bench.group.status(of: "d0")?.reasons == [.draining])
        #expect(try bench.counts(10) == ["d1": 10])
        held.finish(.success)
        #expect(bench.group.status(of: "d0") == nil)
        #expect(!bench.group.drain("d0", within: .seconds(30)))
    }

    @Test func `a drain ends at its deadline, and can be taken back before`() async throws {
        let bench = Bench(deployments(2))
        let held = try bench.group.acquire(RoutingInput(forcedDeployment: "d0"))
        bench.group.drain("d0", within: .seconds(30))
        await bench.clock.waitForSleepers(1)
        #expect(bench.group.stopDraining("d0"))
        bench.clock.advance(by: .seconds(40))
        #expect(bench.group.status(of: "d0")?.isEligible == true)
        bench.group.drain("d0", within: .seconds(30))
        await bench.clock.waitForSleepers(1)
        bench.clock.advance(by: .seconds(30))
        #expect(bench.group.status(of: "d0") == nil)
        held.finish(.success)
        #expect(bench.group.status.callsInFlight == 0)
    }

    @Test func `an idle deployment drains at once`() {
        let bench = Bench(deployments(2))
        bench.group.drain("d0", within: .seconds(30))
        #expect(bench.group.status.deployments.map(\.deployment.id) == ["d1"])
    }

    @Test func `A model that is seen has its deployment, however early it is seen`() async {
        for _ in 0..<300 {
            let fleet = Fleet()
            let seen = Task.detached {
                while true { if let group = fleet.allGroups.first { return group.deployments.count } }
            }
            fleet.set(deployment("a"), of: "m", template: DeploymentGroup(model: ""))
            #expect(await seen.value == 1)
        }
    }

    @Test func `models come and go with their deployments`() throws {
        let fleet = Fleet([DeploymentGroup(model: "fixed", deployments: [])])
        let missing = #expect(throws: GatewayError.self) { try fleet.group("m") }
        #expect(missing?.code == .modelNotFound)
        fleet.set(deployment("a"), of: "m", template: DeploymentGroup(model: "", policy: .leastLoad))
        #expect(fleet.models == ["fixed", "m"])
        #expect(try fleet.group("m").status.policy == "least_load")
        #expect(fleet.group(of: "a")?.model == "m")
        try fleet.group("m").remove("a")
        fleet.removeIfEmpty("m")
        #expect(fleet.models == ["fixed"])
    }

    @Test func `a reload of the fleet keeps groups that stay`() throws {
        let fleet = Fleet([DeploymentGroup(model: "m", deployments: deployments(1)), DeploymentGroup(model: "old")])
        let group = try fleet.group("m")
        fleet.apply([DeploymentGroup(model: "m", deployments: deployments(2)), DeploymentGroup(model: "new")])
        #expect(fleet.models == ["m", "new"])
        #expect(try fleet.group("m") === group)
        #expect(group.deployments.count == 2)
    }

    @Test func `metrics have the labels that their description says`() {
        #expect(Set(FleetMetrics.all.map(\.name)).count == FleetMetrics.all.count)
        #expect(FleetMetrics.all.allSatisfy { $0.name.hasPrefix("gateway_") && !$0.help.isEmpty })
        #expect(FleetMetrics.all.allSatisfy { ($0.kind == .counter) == $0.name.hasSuffix("_total") })
    }
}
