// Retry-After: how long a call waits for it, and what it is told instead.

import ModelGatewayTesting
import Testing

@testable import ModelGateway

@Suite(.timeLimit(.minutes(1))) struct RetryAfterTests {
    private func refusal(_ status: Int, retryAfter: Int?) -> Script {
        .json("{}", status: status, headers: retryAfter.map { [HTTPHeader("Retry-After", "\($0)")] } ?? [])
    }

    @Test func `B8: two deployments that want 40 s and 60 s are answered at once with 40 s`() async throws {
        let fleet = try ScriptedFleet(2)
        fleet.answer(0, refusal(429, retryAfter: 40))
        fleet.answer(1, refusal(429, retryAfter: 60))
        for _ in 0..<2 {
            let (result, time) = await fleet.timedCall()
            #expect(time < .seconds(1))
            let error = try #require(result.failure)
            #expect(error.status == 429 || error.status == 503)
            let wait = try #require(error.retryAfter)
            #expect(wait > .seconds(38) && wait <= .seconds(40))
        }
        #expect(fleet.calls == [1, 1])
    }

    @Test func `B8: a short rest is waited for, and the bound holds for all waits of a call`() async throws {
        let fleet = try ScriptedFleet(1)
        fleet.answer(0, refusal(429, retryAfter: 3))
        let (result, time) = await fleet.timedCall()
        #expect(result.failure?.status == 429)
        #expect(result.failure?.retryAfter == .seconds(3))
        // 3 s were waited for, 3 more would be too many.
        #expect(time > .seconds(3) && time < .seconds(4))
        #expect(fleet.calls == [2])
        let (_, next) = await fleet.timedCall()
        #expect(next < .seconds(1))
        #expect(fleet.calls == [2])
    }

    @Test func `B8: a rest that is over lets the call through`() async throws {
        let fleet = try ScriptedFleet(1) { $0.retry.maxWait = .seconds(10) }
        fleet.answer(0, refusal(429, retryAfter: 8))
        async let timed = fleet.timedCall()
        try await fleet.engines[0].waitForRequests(1)
        fleet.answer(0, nil)
        let (result, time) = await timed
        #expect(try result.get().status == 200)
        #expect(time >= .seconds(8) && time < .seconds(9))
    }

    @Test(arguments: [500, 502, 503, 504])
    func `B8: the only deployment is not asked again after a failure, whatever it says`(_ status: Int) async throws {
        let fleet = try ScriptedFleet(1)
        fleet.answer(0, refusal(status, retryAfter: 2))
        let (result, time) = await fleet.timedCall()
        #expect(time < .seconds(1))
        #expect(fleet.calls == [1])
        if status == 503 {
            #expect(result.failure?.status == 503)
            #expect(result.failure?.retryAfter == .seconds(2))
        }
    }

    @Test func `B8: no wait at all if the configuration says so`() async throws {
        let fleet = try ScriptedFleet(1) { $0.retry.maxWait = .zero }
        fleet.answer(0, refusal(429, retryAfter: 1))
        let (result, time) = await fleet.timedCall()
        #expect(result.failure?.status == 429)
        #expect(time < .milliseconds(500))
        #expect(fleet.calls == [1])
    }

    @Test func `B8: a failed one is not asked again because another one may be`() async throws {
        let fleet = try ScriptedFleet(2)
        fleet.answer(0, refusal(500, retryAfter: nil))
        fleet.answer(1, refusal(429, retryAfter: 1))
        let (result, _) = await fleet.timedCall()
        #expect(result.failure != nil)
        #expect(fleet.calls[0] == 1 && fleet.calls[1] == 2)
    }

    @Test func `B8: one that rests is waited for when the other one fails`() async throws {
        let fleet = try ScriptedFleet(2)
        fleet.answer(0, refusal(429, retryAfter: 2))
        for _ in 0..<2 { #expect(try await fleet.timedCall().result.get().status == 200) }
        fleet.answer(0, nil)
        fleet.answer(1, refusal(500, retryAfter: nil))
        let (result, time) = await fleet.timedCall()
        let answer = try result.get()
        #expect(answer.header("x-gateway-deployment") == "e0", "\(answer.headers) \(fleet.calls)")
        #expect(time > .seconds(1) && time < .seconds(3))
    }

    @Test func `B8: with everyone resting a new call is told so at once, with the least time`() throws {
        let bench = Bench(deployments(3))
        for (id, wait) in [("d0", 40), ("d1", 7), ("d2", 90)] {
            try bench.group.acquire(RoutingInput(forcedDeployment: id)).finish(.rateLimited(retryAfter: .seconds(wait)))
        }
        let error = #expect(throws: GatewayError.self) { try bench.group.acquire(RoutingInput()) }
        #expect(error?.status == 503)
        #expect(error?.retryAfter == .seconds(7))
    }

    @Test func `B8: the least time counts also when the last one asked for more`() throws {
        let bench = Bench(deployments(2))
        var failures = CallFailures()
        failures.insert(GatewayError(.unavailable, "503", retryAfter: .seconds(2)), now: bench.clock.source.now())
        failures.insert(GatewayError(.rateLimited, "429", retryAfter: .seconds(40)), now: bench.clock.source.now())
        let told = bench.group.verdict(on: failures, mode: .chat, tried: TriedDeployments())
        #expect(told?.code == .rateLimited)
        #expect(told?.retryAfter == .seconds(2))
    }
}
