// Prompts of similar length go together, and the shares of tokens are equal.

import GatewayWire
import ModelGatewayTesting
import Testing

@testable import ModelGateway

@Suite struct BucketTests {
    // The rule against uneven load is off: these tests are about the boundaries.
    private let quiet = RoutingPolicyKind.bucket(balanceAbsoluteThreshold: 1_000_000_000)

    private func length(_ random: inout SeededGenerator) -> Int {
        // Log-uniform over 16 to 16,384 tokens.
        let exponent = 4 + 10 * random.unit()
        return Int(Double(1 << Int(exponent)) * (1 + exponent.truncatingRemainder(dividingBy: 1)))
    }

    private func tokens(_ bench: Bench, seconds: Int, seed: UInt64) throws -> [String: Int] {
        var random = SeededGenerator(seed: seed)
        var tokens: [String: Int] = [:]
        for _ in 0..<seconds * 200 {
            let size = length(&random)
            tokens[try bench.pick(RoutingInput(estimatedTokens: size)), default: 0] += size
            bench.clock.advance(by: .milliseconds(5))
        }
        return tokens
    }

    @Test func `shares of tokens become equal`() throws {
        let bench = Bench(deployments(4), quiet)
        _ = try tokens(bench, seconds: 11, seed: 1)
        let shares = try tokens(bench, seconds: 10, seed: 2)
        let fair = Double(shares.values.reduce(0, +)) / 4
        #expect(shares.count == 4)
        for share in shares.values { #expect(Double(share) > 0.5 * fair && Double(share) < 2 * fair) }
    }

    @Test func `shares follow the weights after a deployment comes`() throws {
        let bench = Bench(deployments([1, 1]), quiet)
        _ = try tokens(bench, seconds: 6, seed: 3)
        bench.group.set(deployment("d2", weight: 2))
        let shares = try tokens(bench, seconds: 10, seed: 4)
        let total = Double(shares.values.reduce(0, +))
        #expect(abs(Double(shares["d2", default: 0]) / total - 0.5) < 0.2)
    }

    @Test func `prompts of one length go to one deployment`() throws {
        let bench = Bench(deployments(4), quiet)
        for size in [10, 5000, 9000, 100_000] {
            #expect(try Set((0..<20).map { _ in try bench.pick(RoutingInput(estimatedTokens: size)) }).count == 1)
        }
        let owners = try [10, 5000, 9000, 100_000].map { try bench.pick(RoutingInput(estimatedTokens: $0)) }
        #expect(owners == ["d0", "d1", "d2", "d3"])
    }

    @Test func `an ineligible owner's prompts go to a neighbour`() throws {
        let bench = Bench(deployments(4), quiet)
        bench.group.change("d1") { $0.weight = 0 }
        #expect(try ["d0", "d2"].contains(bench.pick(RoutingInput(estimatedTokens: 5000))))
        bench.group.remove("d0")
        bench.group.remove("d2")
        #expect(try bench.pick(RoutingInput(estimatedTokens: 5000)) == "d3")
    }

    @Test func `one length for all is spread by the load`() throws {
        let bench = Bench(deployments(4), .bucket(balanceAbsoluteThreshold: 4000))
        let counts = try bench.counts(400) { _ in RoutingInput(estimatedTokens: 500) }
        #expect(counts.values.allSatisfy { $0 > 60 })
    }

    @Test func `the histogram counts what is below a length`() {
        var sizes = SizeHistogram()
        for size in 1...1000 { sizes.add(size, count: 1) }
        for length in [1.0, 31, 32, 33, 500, 1000] {
            let exact = (length - 1) * length / 2
            #expect(abs(sizes.tokens(below: length) - exact) <= 0.04 * exact + 1)
        }
        for size in 1...1000 { sizes.add(size, count: -1) }
        #expect(sizes.tokens == 0)
    }
}
