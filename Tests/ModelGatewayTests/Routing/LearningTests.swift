// What policies learn from whole answers, and what weights do while nobody has anything to do.

import GatewayWire
import ModelGatewayTesting
import Testing

@testable import ModelGateway

@Suite(.timeLimit(.minutes(1))) struct LearningTests {
    /// How fast a deployment is: milliseconds for a thousand tokens of a prompt, and for a token of an answer.
    private struct Speed {
        var prompt: Double
        var answer: Double
        var fixed = 0.0

        func first(_ promptTokens: Int) -> Duration { .milliseconds(fixed + prompt * Double(promptTokens) / 1000) }
        func rest(_ tokens: Int) -> Duration { .milliseconds(answer * Double(tokens)) }
    }

    private enum Kind: CaseIterable, Sendable { case whole, streamed, mixed }

    /// Makes one call on the virtual clock and returns where it went.
    private func call(_ bench: Bench, streamed: Bool, speeds: [Speed], _ random: inout SeededGenerator) throws -> Int {
        let (prompt, answer) = (200 + random.index(below: 800), 10 + random.index(below: 200))
        let lease = try bench.group.acquire(RoutingInput(estimatedTokens: prompt))
        let index = try #require(Int(lease.deployment.id.dropFirst()))
        let first = speeds[index].first(prompt)
        let total = first + speeds[index].rest(answer)
        var measure = AttemptMeasure(total: total, promptTokens: prompt, completionTokens: answer)
        if streamed {
            measure.timeToFirstToken = first
            bench.clock.advance(by: first)
            lease.answered()
            bench.clock.advance(by: total - first)
        } else {
            bench.clock.advance(by: total)
        }
        lease.finish(.success, measure)
        return index
    }

    @Test(arguments: Kind.allCases, [1 as UInt64, 2, 3])
    private func `B10: latency finds the fastest from whole, streamed and mixed answers`(
        _ kind: Kind,
        _ seed: UInt64
    ) throws {
        let fleets: [[Speed]] = [
            // Engines that read 20 times as fast as they write.
            [40, 20, 60, 80].map { Speed(prompt: $0 * 10, answer: $0 / 2) },
            // Engines of which only the wait for the answer differs, as behind slow networks.
            [40, 20, 60, 80].map { Speed(prompt: 0, answer: 0.01, fixed: $0) },
        ]
        for speeds in fleets {
            let bench = Bench(deployments(4), .latency(), seed: seed)
            var random = SeededGenerator(seed: seed)
            var counts = [0, 0, 0, 0]
            for number in 0..<1000 {
                let streamed = kind == .streamed || (kind == .mixed && random.index(below: 2) == 0)
                let index = try call(bench, streamed: streamed, speeds: speeds, &random)
                if number >= 500 { counts[index] += 1 }
            }
            #expect(counts[1] > 450, "\(counts)")
        }
    }

    @Test func `B10: cost leaves out a cheap deployment whose whole answers are too slow`() throws {
        let members = [deployment("d0", inputPrice: 1), deployment("d1", inputPrice: 9)]
        let bench = Bench(members, .cost(maxLatency: .seconds(2), exploration: 0))
        let speeds = [Speed(prompt: 0, answer: 1, fixed: 20_000), Speed(prompt: 100, answer: 1)]
        var random = SeededGenerator(seed: 1)
        let places = try (0..<10).map { _ in try call(bench, streamed: false, speeds: speeds, &random) }
        #expect(places == [0] + Array(repeating: 1, count: 9))
    }

    @Test func `B10: an answer without counted tokens, and vectors, count as the time to the first token`() {
        let pace = AnswerPace()
        #expect(pace.timeToFirstToken(total: 3, promptTokens: 100, completionTokens: 0) == 3)
        let chat = pace.timeToFirstToken(total: 3, promptTokens: 1600, completionTokens: 100)
        #expect(chat == 1.5)
        var learned = AnswerPace()
        learned.learn(first: 0.5, total: 1, promptTokens: 320, completionTokens: 60)
        #expect(abs(learned.timeToFirstToken(total: 2, promptTokens: 320, completionTokens: 60) - 1) < 1e-9)
        // The first token never comes after the last one.
        #expect(learned.timeToFirstToken(total: 2, promptTokens: 99_999, completionTokens: 1) == 2)
    }

    @Test func `B10: real whole answers find the fastest engine`() async throws {
        // A busy machine may make the fast one look slow for a while; exploring finds that out.
        let fleet = try ScriptedFleet(4, policy: .latency(exploration: 0.1))
        for index in 0..<4 {
            fleet.answer(index, FailoverTests.answer.delayed(by: .milliseconds(index == 2 ? 1 : 1000)))
        }
        for _ in 0..<40 { #expect(try await fleet.call().status == 200) }
        #expect(fleet.calls[2] >= 20)
    }

    private static let idlePolicies: [RoutingPolicyKind] = [
        .powerOfTwo, .leastLoad, .manual(assignment: .leastLoad), .cacheAware(), .cost(), .random,
        .roundRobin, .consistentHashing(), .prefixHash(),
    ]

    @Test(arguments: idlePolicies)
    func `B10: while nobody has anything to do the shares follow the weights`(_ policy: RoutingPolicyKind) throws {
        let weights = [1.0, 2, 5]
        let counts = try Bench(deployments(weights), policy).counts(4000)
        for (index, weight) in weights.enumerated() {
            let expected = 4000 * weight / 8
            #expect(abs(Double(counts["d\(index)"] ?? 0) - expected) < 5 * expected.squareRoot())
        }
    }

    @Test func `B10: under load twice the weight takes twice the calls`() throws {
        for policy in [RoutingPolicyKind.leastLoad, .powerOfTwo, .manual(assignment: .leastLoad)] {
            let bench = Bench(deployments([1, 3]), policy)
            let leases = try (0..<400).map { _ in try bench.group.acquire(RoutingInput()) }
            let heavy = leases.count { $0.deployment.id == "d1" }
            #expect(abs(heavy - 300) < 12)
        }
    }

    @Test func `B10: a deployment that was on standby takes its turns again`() throws {
        let bench = Bench(deployments([0, 1]), .leastLoad)
        _ = try bench.counts(10)
        bench.group.change("d0") { $0.weight = 1 }
        #expect(try bench.counts(10) == ["d0": 5, "d1": 5])
    }

    @Test(arguments: everyPolicy)
    func `B10: explanations show numbers that mean something`(_ policy: RoutingPolicyKind) throws {
        let bench = Bench(deployments([1, 2, 3]), policy)
        let held = try (0..<7).map { _ in try bench.group.acquire(text("a prompt")) }
        let explanation = bench.group.explain(text("a prompt"))
        #expect(explanation.candidates.count == 3)
        for candidate in explanation.candidates {
            #expect(candidate.score.isFinite && candidate.score >= 0 && candidate.score < 1e6)
            #expect(!candidate.scoreMeaning.isEmpty)
        }
        #expect(held.count == 7)
    }

    @Test func `B10: cost says that no price is known, and latency that nothing is measured`() throws {
        let members = [deployment("d0", inputPrice: 4), deployment("d1")]
        let priced = Bench(members, .cost()).group.explain(RoutingInput()).candidates
        #expect(priced.map(\.id) == ["d0", "d1"])
        #expect(priced[0].score == 3 && priced[0].scoreMeaning == "price of a million tokens")
        #expect(priced[1].score == 0 && priced[1].scoreMeaning == "load per weight; no price is known")
        let fresh = Bench(deployments(1), .latency()).group.explain(RoutingInput()).candidates
        #expect(fresh[0].scoreMeaning == "load per weight; not measured yet")
    }

    @Test func `B10: what an engine reports amiss keeps its wait finite`() {
        for usage in [Double.nan, .infinity, -1, 2] {
            let load = EngineLoad(waitingRequests: 1, cacheUsage: usage, throughput: .nan)
            #expect(load.expectedWait(dispatched: 10).isFinite)
        }
    }
}
