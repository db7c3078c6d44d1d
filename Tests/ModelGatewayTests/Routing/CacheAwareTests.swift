// Prompts go where their beginning is, unless it is too busy there.

import GatewayWire
import Testing

@testable import ModelGateway

@Suite struct CacheAwareTests {
    private func prompt(_ name: String, bytes: Int = 1000) -> String {
        String(String(repeating: name + " ", count: bytes / (name.utf8.count + 1) + 1).prefix(bytes))
    }

    private func accepted(_ bench: Bench, _ input: RoutingInput) throws -> String {
        let lease = try bench.group.acquire(input)
        lease.accepted()
        lease.finish(.success)
        return lease.deployment.id
    }

    @Test(arguments: [RoutingPolicyKind.PrefixIndex.tree, .hash])
    func `prompts with a common beginning stay together`(index: RoutingPolicyKind.PrefixIndex) throws {
        let policy = RoutingPolicyKind.cacheAware(index: index, cacheBoundaries: [64, 128])
        let bench = Bench(deployments(4), policy)
        for group in 0..<8 {
            let picks = try (0..<10).map { try accepted(bench, text(prompt("group \(group)") + " turn \($0)")) }
            #expect(Set(picks).count == 1)
        }
    }

    @Test func `groups of prompts spread over the deployments`() throws {
        let bench = Bench(deployments(4), .cacheAware())
        let homes = try (0..<40).map { try accepted(bench, text(prompt("group \($0)"))) }
        let counts = Dictionary(homes.map { ($0, 1) }, uniquingKeysWith: +)
        #expect(counts.count == 4 && counts.values.allSatisfy { (6...14).contains($0) })
    }

    @Test func `only an accepted prompt is remembered`() throws {
        let bench = Bench(deployments(4), .cacheAware())
        try bench.group.acquire(text(prompt("a"))).finish(.failure)
        #expect(bench.group.explain(text(prompt("a"))).candidates.allSatisfy { $0.score == 0 })
        _ = try accepted(bench, text(prompt("a")))
        #expect(bench.group.explain(text(prompt("a"))).candidates.first?.score == 1)
    }

    @Test(arguments: [RoutingPolicyKind.PrefixIndex.tree, .hash])
    func `a prompt follows one that is still being read`(index: RoutingPolicyKind.PrefixIndex) throws {
        let bench = Bench(deployments(4), .cacheAware(index: index, cacheBoundaries: [64, 128]))
        let leases = try (0..<3).map { try bench.group.acquire(text(prompt("a") + " turn \($0)")) }
        #expect(Set(leases.map(\.deployment.id)).count == 1)
        for lease in leases { lease.finish(.failure) }
        #expect(bench.group.explain(text(prompt("a"))).candidates.allSatisfy { $0.score == 0 })
    }

    @Test(arguments: [RoutingPolicyKind.PrefixIndex.tree, .hash])
    func `a failure does not forget what was read before`(index: RoutingPolicyKind.PrefixIndex) throws {
        let bench = Bench(deployments(3), .cacheAware(index: index, cacheBoundaries: [200, 256]))
        let home = try accepted(bench, text(prompt("a")))
        let longer = try bench.group.acquire(text(prompt("a") + prompt("b")))
        #expect(longer.deployment.id == home)
        longer.finish(.failure)
        let candidates = bench.group.explain(text(prompt("a") + prompt("b"))).candidates
        #expect(candidates.first { $0.id == home }.map { (0.1...0.51).contains($0.score) } == true)
        #expect(try bench.pick(text(prompt("a"))) == home)
    }

    @Test func `a long prompt waits for its cache rather than being read twice`() throws {
        let bench = Bench(deployments(4), .cacheAware())
        let long = text(prompt("long", bytes: 24_000))
        let first = try bench.group.acquire(long)
        // 6,000 tokens wait there and nowhere else; reading them once more would take as long as waiting for them.
        let second = try bench.group.acquire(long)
        #expect(second.deployment.id == first.deployment.id)
        first.accepted()
        first.answered()
        var leases = [first, second]
        while let lease = try? bench.group.acquire(long), lease.deployment.id == first.deployment.id {
            lease.answered()
            leases.append(lease)
            try #require(leases.count < 40)
        }
        // Twice 6,000 tokens are as much as twelve calls.
        #expect((12...14).contains(leases.count))
    }

    @Test(arguments: [(299, false), (300, false), (301, true)])
    func `a match must be above the threshold`(matched: Int, follows: Bool) throws {
        let bench = Bench(deployments(2), .cacheAware())
        let common = String(repeating: "c", count: matched)
        // Both have the same load and d0 has the larger share of the tree, so that a miss goes to d1.
        let first = try bench.group.acquire(
            RoutingInput(text: Array((common + String(repeating: "x", count: 2000)).utf8), forcedDeployment: "d0")
        )
        first.accepted()
        first.finish(.success)
        let asked = common + String(repeating: "y", count: 1000 - matched)
        #expect(try bench.pick(text(asked)) == (follows ? "d0" : "d1"))
    }

    @Test func `a busy holder is relieved, and the prompt is then in two places`() throws {
        let bench = Bench(deployments(4), .cacheAware())
        let input = text(prompt("hot"))
        let home = try accepted(bench, input)
        var leases: [AttemptLease] = []
        for _ in 0..<40 {
            let lease = try bench.group.acquire(input)
            lease.accepted()
            lease.answered()
            leases.append(lease)
        }
        let loads = Dictionary(leases.map { ($0.deployment.id, 1) }, uniquingKeysWith: +)
        #expect(loads.count > 1)
        let mean = 10.0
        let busiest = try #require(loads.values.max())
        #expect(Double(busiest) <= max(1.5 * mean, mean + max(4, 2 * mean.squareRoot())) + 1)
        #expect(loads[home, default: 0] >= 5)
    }

    @Test func `at low load four calls above the mean are allowed, not one more`() throws {
        let bench = Bench(deployments(8), .cacheAware())
        let input = text(prompt("hot"))
        let home = try accepted(bench, input)
        var leases: [AttemptLease] = []
        while true {
            let lease = try bench.group.acquire(input)
            lease.answered()
            guard lease.deployment.id == home else { break }
            leases.append(lease)
            #expect(leases.count < 20)
        }
        // The next one found a load above mean + 4: with n calls on one of eight, n > n/8 + 4.
        #expect(leases.count == 5)
    }

    @Test func `without an eligible holder the least loaded takes it and remembers`() throws {
        let bench = Bench(deployments(3), .cacheAware())
        let input = text(prompt("a"))
        let home = try accepted(bench, input)
        bench.group.change(home) { $0.weight = 0 }
        let second = try accepted(bench, input)
        #expect(second != home)
        for _ in 0..<5 { #expect(try accepted(bench, input) == second) }
    }

    @Test func `a deployment that was replaced has an empty cache`() throws {
        let bench = Bench(deployments(1), .cacheAware())
        _ = try accepted(bench, text(prompt("a")))
        #expect(bench.group.explain(text(prompt("a"))).candidates.first?.score == 1)
        bench.group.set(deployment("d0", fingerprint: 2))
        #expect(bench.group.explain(text(prompt("a"))).candidates.first?.score == 0)
    }

    @Test func `the tree survives a reload of the configuration`() throws {
        let bench = Bench(deployments(2), .cacheAware())
        let home = try accepted(bench, text(prompt("a")))
        let policy = RoutingPolicyKind.cacheAware(cacheThreshold: 0.5)
        bench.group.apply(DeploymentGroup(model: "m", deployments: deployments(2), policy: policy))
        for _ in 0..<5 { #expect(try bench.pick(text(prompt("a"))) == home) }
    }

    @Test func `tokens that are in the cache do not count as waiting`() throws {
        let bench = Bench(deployments(1), .cacheAware())
        let input = text(prompt("a", bytes: 4000))
        let first = try bench.group.acquire(input)
        #expect(bench.group.status.deployments[0].pendingTokens == 1000)
        first.accepted()
        first.answered()
        #expect(bench.group.status.deployments[0].pendingTokens == 0)
        let second = try bench.group.acquire(input)
        #expect(bench.group.status.deployments[0].pendingTokens == 0)
        first.finish(.success)
        second.finish(.success)
    }
}
