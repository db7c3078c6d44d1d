// Keys stay where they are, and nobody gets more than the bound.

import GatewayWire
import Testing

@testable import ModelGateway

@Suite struct HashingTests {
    private let loose = RoutingPolicyKind.consistentHashing(loadFactor: 1.25, balanceAbsoluteThreshold: 10)

    private func owners(_ bench: Bench, keys: Int) throws -> [String] {
        try (0..<keys).map { try bench.pick(RoutingInput(sessionKey: "session \($0)")) }
    }

    @Test(arguments: [3, 10, 40])
    func `adding one moves its share of the keys and no others`(count: Int) throws {
        let bench = Bench(deployments(count), loose)
        let before = try owners(bench, keys: 3000)
        bench.group.set(deployment("new"))
        let after = try owners(bench, keys: 3000)
        let moved = zip(before, after).filter { $0 != $1 }
        #expect(moved.allSatisfy { $0.1 == "new" })
        let share = 3000 / Double(count + 1)
        #expect(Double(moved.count) > 0.5 * share && Double(moved.count) < 1.7 * share)
        bench.group.remove("new")
        #expect(try owners(bench, keys: 3000) == before)
    }

    @Test func `an ineligible owner's keys go on clockwise and come back`() throws {
        let bench = Bench(deployments(5), loose)
        let before = try owners(bench, keys: 500)
        bench.group.change("d2") { $0.weight = 0 }
        let during = try owners(bench, keys: 500)
        #expect(zip(before, during).allSatisfy { $0 == $1 || $0 == "d2" })
        #expect(!during.contains("d2"))
        bench.group.change("d2") { $0.weight = 1 }
        #expect(try owners(bench, keys: 500) == before)
    }

    @Test func `weights decide the shares of the ring`() throws {
        let bench = Bench(deployments([1, 3]), loose)
        let share = Double(try owners(bench, keys: 8000).count { $0 == "d1" }) / 8000
        #expect(abs(share - 0.75) < 0.06)
    }

    @Test(arguments: [(1.25, 10), (1.0, 0), (1.1, 2), (2.0, 0)])
    func `the bound on the load is never exceeded`(factor: Double, allowance: Int) throws {
        let policy = RoutingPolicyKind.consistentHashing(loadFactor: factor, balanceAbsoluteThreshold: allowance)
        let bench = Bench(deployments(6), policy)
        var random = SeededGenerator(seed: 5)
        var leases: [AttemptLease] = []
        for _ in 0..<3000 {
            if random.index(below: 3) == 0, !leases.isEmpty {
                leases.swapAt(random.index(below: leases.count), leases.count - 1)
                leases.removeLast().finish(.success)
            } else {
                // Two keys make nearly all of the traffic.
                let key = random.index(below: 10) < 8 ? "hot \(random.index(below: 2))" : "k\(random.next())"
                let total = Double(leases.count + 1)
                let lease = try bench.group.acquire(RoutingInput(sessionKey: key))
                let load = try #require(bench.group.status(of: lease.deployment.id)).callsInFlight
                let bound = max(
                    (factor * total / 6 - 1e-6).rounded(.up),
                    (total / 6 + Double(allowance)).rounded(.down)
                )
                #expect(Double(load) <= bound)
                leases.append(lease)
            }
        }
    }

    @Test func `without a session the beginning of the prompt is the key`() throws {
        let bench = Bench(deployments(8), loose)
        let prefix = String(repeating: "x", count: 1024)
        #expect(try Set((0..<20).map { try bench.pick(text(prefix + "\($0)")) }).count == 1)
        #expect(try Set((0..<50).map { try bench.pick(text("\($0)" + prefix)) }).count > 3)
        #expect(try Set((0..<50).map { _ in try bench.pick() }).count > 3)
    }

    @Test func `few eligible ones of many are found, and keys stay`() throws {
        let bench = Bench(deployments(400), loose)
        for index in 3..<400 { bench.group.change("d\(index)") { $0.weight = 0 } }
        let first = try owners(bench, keys: 300)
        #expect(Set(first) == ["d0", "d1", "d2"])
        #expect(try owners(bench, keys: 300) == first)
    }

    @Test func `prefix hash looks at so many tokens and cuts at a character`() throws {
        let bench = Bench(deployments(8), .prefixHash(prefixTokenCount: 4))
        #expect(try Set((0..<30).map { try bench.pick(text("sixteen bytes ok\($0)")) }).count == 1)
        #expect(try Set((0..<60).map { try bench.pick(text("fifteen bytes!\($0)")) }).count > 2)
        // The sixteenth byte lies within the é: both have the same whole characters before it.
        let cut = Array("fifteen bytes!!é and more".utf8)
        #expect(cut.hashOfPrefix(bytes: 16) == Array("fifteen bytes!!".utf8).hashOfPrefix(bytes: 15))
    }

    @Test func `prefix hash tries the deepest boundary first`() throws {
        let policy = RoutingPolicyKind.prefixHash(
            prefixTokenCount: 2,
            balanceAbsoluteThreshold: 2,
            cacheBoundaries: [2, 8]
        )
        let bench = Bench(deployments(8), policy)
        let long = String(repeating: "a", count: 32)
        #expect(try Set((0..<30).map { try bench.pick(text(long + "\($0)")) }).count == 1)
        let short = try bench.pick(text("aaaaaaaa"))
        #expect(try bench.pick(text("aaaaaaaa" + "bbb")) == short)
    }
}
