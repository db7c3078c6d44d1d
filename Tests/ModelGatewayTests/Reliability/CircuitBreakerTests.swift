// Every transition of the circuit breaker, on its own and in a group.

import ModelGatewayTesting
import Testing

@testable import ModelGateway

@Suite struct CircuitBreakerTests {
    private func at(_ seconds: Double) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: 1_000_000_000_000) + .seconds(seconds)
    }

    private func fail(_ breaker: inout CircuitBreaker, _ times: Int, at time: Double = 0, isLast: Bool = false) {
        for _ in 0..<times {
            let epoch = breaker.begin()
            _ = breaker.fail(epoch: epoch, now: at(time), isLast: isLast, variation: 0)
        }
    }

    private func succeed(_ breaker: inout CircuitBreaker, _ times: Int, at time: Double = 0) {
        for _ in 0..<times {
            let epoch = breaker.begin()
            _ = breaker.succeed(epoch: epoch, now: at(time))
        }
    }

    private func opened() -> CircuitBreaker {
        var breaker = CircuitBreaker()
        fail(&breaker, 5)
        return breaker
    }

    @Test func `opens at five failures in a row, not at four`() {
        var breaker = CircuitBreaker()
        fail(&breaker, 4)
        succeed(&breaker, 1)
        fail(&breaker, 4)
        #expect(breaker.state == .closed)
        fail(&breaker, 1)
        #expect(breaker.state == .open)
        #expect(!breaker.admits)
        #expect(breaker.reopening == at(10))
    }

    @Test(arguments: [(19, false), (20, true)])
    func `opens when half of twenty calls failed`(calls: Int, opens: Bool) {
        var breaker = CircuitBreaker()
        for call in 0..<calls {
            if call % 2 == calls % 2 { succeed(&breaker, 1) } else { fail(&breaker, 1) }
        }
        #expect((breaker.state == .open) == opens)
    }

    @Test func `less than half of the calls is not enough`() {
        var breaker = CircuitBreaker()
        for _ in 0..<40 {
            succeed(&breaker, 2)
            fail(&breaker, 1)
        }
        #expect(breaker.state == .closed)
    }

    @Test func `failures older than the window do not count`() {
        var breaker = CircuitBreaker(CircuitBreakerOptions(consecutiveFailures: 0))
        fail(&breaker, 19)
        fail(&breaker, 1, at: 31)
        #expect(breaker.state == .closed)
        fail(&breaker, 19, at: 40)
        #expect(breaker.state == .open)
    }

    @Test func `becomes half-open when its time is over, and not before`() {
        var breaker = opened()
        let tooEarly = breaker.advance(to: at(9.9))
        #expect(!tooEarly)
        let onTime = breaker.advance(to: at(10))
        #expect(onTime)
        #expect(breaker.state == .halfOpen)
    }

    @Test func `half-open lets three through at a time`() {
        var breaker = opened()
        _ = breaker.advance(to: at(10))
        let epoch = breaker.begin()
        _ = breaker.begin()
        #expect(breaker.admits)
        _ = breaker.begin()
        #expect(!breaker.admits)
        breaker.endWithoutVerdict(epoch: epoch)
        #expect(breaker.admits)
    }

    @Test func `two successes close it`() {
        var breaker = opened()
        _ = breaker.advance(to: at(10))
        succeed(&breaker, 1, at: 10)
        #expect(breaker.state == .halfOpen)
        succeed(&breaker, 1, at: 10)
        #expect(breaker.state == .closed)
    }

    @Test func `a failed probe opens it again for twice as long, up to two minutes`() {
        var breaker = opened()
        var time = 10.0
        for length in [20.0, 40, 80, 120, 120] {
            _ = breaker.advance(to: at(time))
            fail(&breaker, 1, at: time)
            #expect(breaker.state == .open)
            #expect(breaker.reopening == at(time + length))
            time += length
        }
        _ = breaker.advance(to: at(time))
        succeed(&breaker, 2, at: time)
        fail(&breaker, 5, at: time)
        #expect(breaker.reopening == at(time + 10))
    }

    @Test(arguments: [(-1.0, 8.0), (1.0, 12.0)])
    func `the open time varies by a fifth`(variation: Double, length: Double) {
        var breaker = CircuitBreaker()
        for _ in 0..<5 {
            let epoch = breaker.begin()
            _ = breaker.fail(epoch: epoch, now: at(0), isLast: false, variation: variation)
        }
        #expect(breaker.reopening == at(length))
    }

    @Test func `results from before the last change do not count`() {
        var breaker = CircuitBreaker()
        let old = breaker.begin()
        fail(&breaker, 5)
        let whileOpen = breaker.succeed(epoch: old, now: at(1))
        #expect(!whileOpen)
        _ = breaker.advance(to: at(10))
        let lateFailure = breaker.fail(epoch: old, now: at(10), isLast: false, variation: 0)
        #expect(!lateFailure)
        #expect(breaker.state == .halfOpen)
        #expect(breaker.probesUnderWay == 0)
        let lateSuccess = breaker.succeed(epoch: old, now: at(10))
        #expect(!lateSuccess)
        breaker.endWithoutVerdict(epoch: old)
        #expect(breaker.probesUnderWay == 0)
    }

    @Test func `the last one becomes half-open instead of open and stays so`() {
        var breaker = CircuitBreaker()
        fail(&breaker, 5, isLast: true)
        #expect(breaker.state == .halfOpen)
        fail(&breaker, 10, at: 1, isLast: true)
        #expect(breaker.state == .halfOpen)
        #expect(breaker.admits)
        fail(&breaker, 1, at: 2, isLast: false)
        #expect(breaker.state == .open)
    }

    // MARK: In a group

    @Test func `an open breaker takes the deployment out and time brings it back`() throws {
        let bench = Bench(deployments(2))
        try bench.fail("d0")
        #expect(bench.group.status(of: "d0")?.reasons == [.breakerOpen])
        #expect(try bench.counts(10) == ["d1": 10])
        bench.clock.advance(by: .seconds(12))
        #expect(try bench.counts(10).keys.sorted() == ["d0", "d1"])
        #expect(bench.group.status(of: "d0")?.breaker == .closed)
    }

    @Test func `half-open in a group takes three calls at a time`() throws {
        let bench = Bench(deployments(2))
        try bench.fail("d0")
        bench.clock.advance(by: .seconds(12))
        let leases = try (0..<20).map { _ in try bench.group.acquire(RoutingInput()) }
        #expect(leases.count { $0.deployment.id == "d0" } == 3)
        leases.forEach { $0.finish(.cancelled) }
        #expect(bench.group.status(of: "d0")?.breaker == .halfOpen)
        #expect(bench.group.status(of: "d0")?.isEligible == true)
    }

    @Test func `the last eligible deployment is not ejected`() throws {
        let bench = Bench(deployments(2))
        try bench.fail("d0")
        try bench.fail("d1", times: 20)
        #expect(bench.group.status(of: "d1")?.breaker == .halfOpen)
        #expect(try bench.pick() == "d1")
    }

    @Test func `when the last one goes for another reason, a breaker gives way early`() throws {
        let bench = Bench(deployments(2)) { $0.health = HealthOptions() }
        try bench.fail("d0")
        for _ in 0..<3 { bench.group.probed("d1", succeeded: false) }
        #expect(bench.group.status(of: "d0")?.breaker == .halfOpen)
        #expect(try bench.pick() == "d0")
    }

    @Test func `a late success of an old call does not close the breaker`() throws {
        let bench = Bench(deployments(2))
        let old = try (0..<2).map { _ in try bench.group.acquire(RoutingInput(forcedDeployment: "d0")) }
        try bench.fail("d0")
        bench.clock.advance(by: .seconds(12))
        old.forEach { $0.finish(.success) }
        #expect(bench.group.status(of: "d0")?.breaker == .halfOpen)
    }

    @Test func `side questions never open a breaker`() throws {
        let bench = Bench(deployments(2))
        var input = RoutingInput(forcedDeployment: "d0")
        input.countsForHealth = false
        for _ in 0..<50 {
            try bench.group.acquire(input).finish(.failure)
        }
        #expect(bench.group.status(of: "d0")?.breaker == .closed)
    }
}
