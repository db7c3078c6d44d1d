// What holds for every policy: only eligible deployments, tiers, tags, exclusions, forced ones, explanations.

import GatewayWire
import ModelGatewayTesting
import Testing

@testable import ModelGateway

@Suite struct SelectionTests {
    /// A call with everything that a policy may look at.
    private func call(_ random: inout SeededGenerator) -> RoutingInput {
        RoutingInput(
            text: (0..<random.index(below: 300)).map { _ in UInt8(97 + random.index(below: 2)) },
            sessionKey: random.index(below: 2) == 0 ? nil : "s\(random.index(below: 20))",
            tags: random.index(below: 3) == 0 ? ["even"] : []
        )
    }

    @Test(arguments: everyPolicy)
    func `no policy chooses an ineligible or excluded deployment, and loads add up`(_ policy: RoutingPolicyKind) throws
    {
        let fleet = (0..<8).map {
            deployment("d\($0)", priority: $0 / 5, tags: $0 % 2 == 0 ? ["even"] : ["odd"], limit: 6)
        }
        let bench = Bench(fleet, policy) { $0.admission.queueSize = 0 }
        var random = SeededGenerator(seed: 42)
        var leases: [AttemptLease] = []
        for _ in 0..<1500 {
            bench.clock.advance(by: .milliseconds(random.index(below: 400)))
            switch random.index(below: 8) {
            case 0:
                bench.group.change("d\(random.index(below: 8))") { $0.weight = $0.weight == 0 ? 2 : 0 }
            case 1:
                let id = "d\(random.index(below: 8))"
                if bench.group.remove(id) {
                    leases.removeAll { $0.deployment.id == id }
                } else {
                    bench.group.set(deployment(id, tags: ["even"], limit: 6))
                }
            case 2, 3:
                guard !leases.isEmpty else { break }
                let outcomes: [AttemptOutcome] = [
                    .success, .success, .failure, .cancelled, .rateLimited(retryAfter: .seconds(1)),
                ]
                leases.swapAt(random.index(below: leases.count), leases.count - 1)
                let lease = leases.removeLast()
                if random.index(below: 2) == 0 { lease.answered() }
                lease.finish(outcomes[random.index(below: outcomes.count)])
            default:
                var tried = TriedDeployments()
                if let last = leases.last { tried.insert(last) }
                let eligible = Set(bench.group.status.deployments.filter(\.isEligible).map(\.deployment.id))
                    .subtracting(leases.last.map { [$0.deployment.id] } ?? [])
                do {
                    let lease = try bench.group.acquire(call(&random), excluding: tried)
                    #expect(eligible.contains(lease.deployment.id))
                    lease.accepted()
                    leases.append(lease)
                } catch {
                    #expect(eligible.isEmpty)
                }
            }
            #expect(bench.group.status.callsInFlight == leases.count)
        }
        leases.removeAll()
        let status = bench.group.status
        #expect(status.callsInFlight == 0)
        #expect(status.deployments.allSatisfy { $0.callsInFlight == 0 && $0.pendingTokens == 0 })
    }

    @Test(arguments: everyPolicy)
    func `after a failure the others are tried, then nobody`(_ policy: RoutingPolicyKind) throws {
        let bench = Bench(deployments(4), policy)
        var tried = TriedDeployments()
        var seen: Set<String> = []
        for _ in 0..<4 {
            let lease = try bench.group.acquire(text("some prompt", session: "s"), excluding: tried)
            tried.insert(lease)
            seen.insert(lease.deployment.id)
        }
        #expect(seen.count == 4)
        let refusal = #expect(throws: GatewayError.self) {
            try bench.group.acquire(text("some prompt"), excluding: tried)
        }
        #expect(refusal?.code == .unavailable)
        #expect(try bench.group.acquire(text("some prompt")).deployment.model == "m")
    }

    @Test(arguments: everyPolicy)
    func `explaining changes nothing and tells the truth`(_ policy: RoutingPolicyKind) throws {
        let bench = Bench(deployments(5), policy)
        let untouched = Bench(deployments(5), policy)
        for call in 0..<30 {
            let input = text("prompt \(call % 4)", session: "s\(call % 7)")
            let explanation = bench.group.explain(input)
            #expect(explanation.candidates.count == 5)
            #expect(Set(explanation.candidates.map(\.id)).count == 5)
            let lease = try bench.group.acquire(input)
            #expect(lease.deployment.id == explanation.candidates[0].id)
            let same = try untouched.group.acquire(input)
            #expect(same.deployment.id == lease.deployment.id)
            for lease in [lease, same] {
                lease.accepted()
                lease.finish(.success)
            }
        }
    }

    @Test func `the next tier is used only when the first has nobody`() throws {
        let fleet = [deployment("a"), deployment("b"), deployment("spare", priority: 1)]
        let bench = Bench(fleet)
        #expect(try bench.counts(10).keys.sorted() == ["a", "b"])
        bench.group.change("a") { $0.weight = 0 }
        #expect(try bench.counts(10) == ["b": 10])
        bench.group.change("b") { $0.weight = 0 }
        #expect(try bench.counts(10) == ["spare": 10])
        bench.group.change("spare") { $0.priority = -1 }
        bench.group.change("a") { $0.weight = 1 }
        #expect(try bench.counts(10) == ["spare": 10])
    }

    @Test func `tags are preferred, and without any match all are candidates`() throws {
        let fleet = [deployment("a", tags: ["eu"]), deployment("b", tags: ["us", "fast"]), deployment("c")]
        let bench = Bench(fleet)
        #expect(try bench.counts(10) { _ in RoutingInput(tags: ["eu"]) } == ["a": 10])
        #expect(try bench.counts(10) { _ in RoutingInput(tags: ["eu", "fast"]) } == ["a": 5, "b": 5])
        #expect(try bench.counts(9) { _ in RoutingInput(tags: ["moon"]) }.count == 3)
        bench.group.change("a") { $0.weight = 0 }
        #expect(try bench.counts(10) { _ in RoutingInput(tags: ["eu"]) }.keys.sorted() == ["b", "c"])
        bench.group.change("c") { $0.tags = ["eu"] }
        #expect(try bench.counts(10) { _ in RoutingInput(tags: ["eu"]) } == ["c": 10])
    }

    @Test func `a call can insist on a deployment`() throws {
        let bench = Bench(deployments(3))
        #expect(try bench.pick(RoutingInput(forcedDeployment: "d1")) == "d1")
        let unknown = #expect(throws: GatewayError.self) { try bench.pick(RoutingInput(forcedDeployment: "d9")) }
        #expect(unknown?.code == .invalidRequest)
        try bench.fail("d1")
        let down = #expect(throws: GatewayError.self) { try bench.pick(RoutingInput(forcedDeployment: "d1")) }
        #expect(down?.code == .unavailable)
        #expect(down?.message.contains("breaker open") == true)
        #expect(try #require(down?.retryAfter) > .seconds(7))
    }

    @Test func `with nobody there, the error says when to come back`() throws {
        let bench = Bench(deployments(2))
        for id in ["d0", "d1"] {
            try bench.group.acquire(RoutingInput(forcedDeployment: id))
                .finish(.rateLimited(retryAfter: .seconds(id == "d0" ? 20 : 7)))
        }
        let error = #expect(throws: GatewayError.self) { try bench.pick() }
        #expect(error?.code == .unavailable)
        #expect(error?.retryAfter == .seconds(7))
        bench.clock.advance(by: .seconds(7))
        #expect(try bench.pick() == "d1")
    }

    @Test func `an empty group is unavailable`() {
        let error = #expect(throws: GatewayError.self) { try Bench([]).pick() }
        #expect(error?.code == .unavailable)
    }

    @Test func `a policy of the embedding program is asked`() throws {
        // The example of the documentation.
        struct FillFirst: RoutingPolicy {
            mutating func choose(
                from candidates: RoutingCandidates,
                for input: RoutingInput,
                using generator: inout some RandomNumberGenerator
            ) -> Int? {
                let inOrder = candidates.indices.sorted { candidates[$0].deployment.id < candidates[$1].deployment.id }
                return inOrder.first { candidates[$0].callsInFlight < 10 } ?? inOrder.first
            }
        }
        let bench = Bench(deployments(3), .custom("fill_first") { FillFirst() })
        let leases = try (0..<25).map { _ in try bench.group.acquire(RoutingInput()) }
        #expect(bench.group.status.deployments.map(\.callsInFlight) == [10, 10, 5])
        #expect(bench.group.status.policy == "fill_first")
        leases.forEach { $0.finish(.success) }
    }

    @Test func `the least of a tournament is that of a sorted list`() {
        var random = SeededGenerator(seed: 3)
        var tree = TournamentTree<OrderKey>()
        var plain: [Int: OrderKey] = [:]
        for step in 0..<3000 {
            let slot = random.index(below: 1 + step / 30)
            if random.index(below: 4) == 0 {
                tree.remove(slot)
                plain[slot] = nil
            } else {
                let key = OrderKey(primary: Double(random.index(below: 10)), tie: random.next())
                tree.set(slot, to: key)
                plain[slot] = key
            }
            #expect(tree.least == plain.min { $0.value < $1.value }?.key)
            let excluded = [random.index(below: 1 + step / 30)]
            let rest = plain.filter { !excluded.contains($0.key) }
            let found = tree.least(excluding: excluded)
            #expect(found == rest.min { $0.value < $1.value }?.key)
        }
    }
}
