// Shares of calls follow the weights, and turns are even.

import GatewayWire
import ModelGatewayTesting
import Testing

@testable import ModelGateway

@Suite struct FairnessTests {
    @Test(arguments: [UInt64(1), 2, 3])
    func `random follows the weights within the binomial bound`(seed: UInt64) throws {
        let weights = [1.0, 2, 3, 0.5]
        let calls = 20_000
        let counts = try Bench(deployments(weights), .random, seed: seed).counts(calls)
        for (index, weight) in weights.enumerated() {
            let share = weight / weights.reduce(0, +)
            let deviation = (Double(calls) * share * (1 - share)).squareRoot()
            #expect(abs(Double(counts["d\(index)", default: 0]) - Double(calls) * share) < 4.5 * deviation)
        }
    }

    @Test func `random follows weights that are far apart, and without the heavy one the light ones alike`() throws {
        let calls = 20_000
        let bench = Bench(deployments([1_000] + Array(repeating: 1, count: 31)), .random)
        let light = 31.0 / 1_031 * Double(calls)
        let counts = try bench.counts(calls)
        #expect(abs(Double(calls - counts["d0", default: 0]) - light) < 5 * light.squareRoot())

        let heavy = try bench.group.acquire(RoutingInput(forcedDeployment: "d0"))
        var tried = TriedDeployments()
        tried.insert(heavy)
        var others: [String: Int] = [:]
        for _ in 0..<calls {
            let lease = try bench.group.acquire(RoutingInput(), excluding: tried)
            others[lease.deployment.id, default: 0] += 1
            lease.finish(.success)
        }
        let share = Double(calls) / 31
        #expect(others.count == 31)
        #expect(others.values.allSatisfy { abs(Double($0) - share) < 5 * share.squareRoot() })
        heavy.finish(.success)
    }

    @Test func `round robin follows the weights over every window`() throws {
        let weights = [5.0, 1, 1, 3]
        let bench = Bench(deployments(weights))
        let picks = try (0..<1000).map { _ in try bench.pick() }
        for length in [10, 50, 200] {
            for start in stride(from: 0, to: picks.count - length, by: 7) {
                let window = picks[start..<start + length]
                for (index, weight) in weights.enumerated() {
                    let expected = Double(length) * weight / 10
                    let count = window.count { $0 == "d\(index)" }
                    #expect(abs(Double(count) - expected) <= 2.0001)
                }
            }
        }
    }

    @Test func `round robin with equal weights visits all before any twice`() throws {
        let bench = Bench(deployments(7))
        for _ in 0..<20 { #expect(Set(try (0..<7).map { _ in try bench.pick() }).count == 7) }
    }

    @Test func `a changing set of deployments never gets two turns in a row`() throws {
        let bench = Bench(deployments(5))
        var random = SeededGenerator(seed: 7)
        var last = ""
        for step in 0..<2000 {
            let id = "d\(random.index(below: 5))"
            if step % 3 == 0 { bench.group.change(id) { $0.weight = $0.weight == 0 ? 1 : 0 } }
            let eligible = bench.group.status.deployments.count { $0.isEligible }
            guard eligible > 0 else { continue }
            let pick = try bench.pick()
            if eligible > 1 { #expect(pick != last) }
            last = pick
        }
    }

    @Test func `power of two sends less to the loaded one`() throws {
        let bench = Bench(deployments(2), .powerOfTwo)
        let held = try (0..<10).map { _ in try bench.group.acquire(RoutingInput(forcedDeployment: "d0")) }
        #expect(try bench.counts(100) == ["d1": 100])
        held.forEach { $0.finish(.success) }
        let counts = try bench.counts(2000)
        #expect(abs(counts["d0", default: 0] - 1000) < 150)
    }

    @Test func `power of two divides the load by the weight`() throws {
        let bench = Bench(deployments([4, 1]), .powerOfTwo)
        var leases: [AttemptLease] = []
        for _ in 0..<100 { leases.append(try bench.group.acquire(RoutingInput())) }
        #expect(abs(leases.count { $0.deployment.id == "d0" } - 80) <= 1)
    }

    @Test func `least load fills evenly and believes reports`() throws {
        let bench = Bench(deployments(4), .leastLoad)
        var leases: [AttemptLease] = []
        for _ in 0..<40 { leases.append(try bench.group.acquire(RoutingInput())) }
        #expect(Set(bench.group.status.deployments.map(\.callsInFlight)) == [10])
        for id in ["d0", "d1", "d2"] { bench.group.reported(id, EngineLoad(waitingRequests: 50)) }
        bench.group.reported("d3", EngineLoad(waitingRequests: 1))
        #expect(try bench.pick() == "d3")
        bench.clock.advance(by: .seconds(31))
        #expect(bench.group.status.deployments.allSatisfy { $0.load == nil })
    }

    @Test func `expected wait grows with the queue and the cache's use`() {
        #expect(EngineLoad(waitingRequests: 2, throughput: 1024).expectedWait(dispatched: 0) == 2)
        #expect(EngineLoad(waitingTokens: 500, throughput: 1000).expectedWait(dispatched: 500) == 1)
        #expect(abs(EngineLoad(cacheUsage: 0.5).expectedWait(dispatched: 0) - 0.15) < 1e-9)
        #expect(EngineLoad(cacheUsage: 5).expectedWait(dispatched: 0).isFinite)
    }

    @Test func `latency tries the unknown first and then prefers the fast one`() throws {
        let bench = Bench(deployments(3), .latency(exploration: 0))
        for _ in 0..<3 {
            let lease = try bench.group.acquire(RoutingInput(estimatedTokens: 100))
            bench.clock.advance(by: lease.deployment.id == "d1" ? .milliseconds(10) : .milliseconds(100))
            lease.answered()
            lease.finish(.success)
        }
        #expect(Set(bench.group.status.deployments.compactMap(\.timeToFirstToken)).count == 2)
        #expect(try bench.counts(50) == ["d1": 50])
    }

    @Test func `latency spreads calls that come together by how fast their deployments are`() throws {
        let bench = Bench(deployments(3), .latency(exploration: 0))
        let input = RoutingInput(estimatedTokens: 100)
        for _ in 0..<3 {
            let lease = try bench.group.acquire(input)
            bench.clock.advance(by: lease.deployment.id == "d0" ? .milliseconds(10) : .milliseconds(20))
            lease.answered()
            lease.finish(.success)
        }
        let leases = try (0..<40).map { _ in try bench.group.acquire(input) }
        var counts: [String: Int] = [:]
        for lease in leases { counts[lease.deployment.id, default: 0] += 1 }
        // Twice as fast, twice as many: 20, 10 and 10.
        #expect((18...22).contains(counts["d0", default: 0]), "\(counts)")
        #expect((8...12).contains(counts["d1", default: 0]), "\(counts)")
        for lease in leases { lease.finish(.success) }
    }

    @Test func `latency explores one call in a hundred`() throws {
        let bench = Bench(deployments(2), .latency())
        for (id, milliseconds) in [("d0", 1), ("d1", 500)] {
            let lease = try bench.group.acquire(RoutingInput(forcedDeployment: id))
            bench.clock.advance(by: .milliseconds(milliseconds))
            lease.answered()
        }
        let counts = try bench.counts(20_000)
        #expect((40...180).contains(counts["d1", default: 0]))
    }

    @Test func `cost takes the cheapest that is fast enough`() throws {
        let fleet = [
            deployment("cheap", inputPrice: 1), deployment("dear", inputPrice: 10), deployment("unknown"),
        ]
        let policy = RoutingPolicyKind.cost(maxLatency: .seconds(1), exploration: 0)
        let bench = Bench(fleet, policy)
        #expect(try bench.counts(10) == ["cheap": 10])
        let lease = try bench.group.acquire(RoutingInput(forcedDeployment: "cheap"))
        bench.clock.advance(by: .seconds(60))
        lease.answered()
        lease.finish(.success)
        #expect(try bench.counts(10) == ["dear": 10])
    }
}
