// What a failure means for a deployment, and what is tried after it.

import ModelGatewayTesting
import Testing

@testable import ModelGateway

@Suite struct RetryTests {
    private func error(_ code: GatewayError.Code, status: Int? = nil, retryAfter: Duration? = nil, sent: Bool = false)
        -> GatewayError
    {
        GatewayError(
            code,
            "test",
            retryAfter: retryAfter,
            upstream: status.map { .init(status: $0) },
            requestWasSent: sent
        )
    }

    @Test func `errors are failures, neutral, or the deployment's success`() {
        let failures: [GatewayError.Code] = [
            .connectFailed, .tlsFailed, .timedOut, .truncatedResponse, .malformedResponse, .upstreamFailed,
        ]
        for code in failures { #expect(AttemptOutcome(error(code)) == .failure) }
        for status in [500, 502, 503, 504, 529, 408] {
            #expect(AttemptOutcome(error(.upstreamFailed, status: status)) == .failure)
            #expect(AttemptOutcome(status: status) == .failure)
        }
        for code in [GatewayError.Code.invalidRequest, .contextLengthExceeded, .contentFiltered, .unsupported] {
            #expect(AttemptOutcome(error(code, status: 400)) == .success)
        }
        for status in [200, 400, 413, 422] { #expect(AttemptOutcome(status: status) == .success) }
        #expect(AttemptOutcome(error(.notFound, status: 404)) == .modelMissing)
        #expect(AttemptOutcome(error(.unavailable, status: 402)) == .outOfQuota(retryAfter: nil))
        for status in [401, 403] { #expect(AttemptOutcome(status: status) == .misconfigured) }
        #expect(AttemptOutcome(error(.upstreamUnauthorized, status: 401)) == .misconfigured)
        #expect(AttemptOutcome(error(.cancelled)) == .cancelled)
        let limited = error(.rateLimited, status: 429, retryAfter: .seconds(3))
        #expect(AttemptOutcome(limited) == .rateLimited(retryAfter: .seconds(3)))
    }

    /// The decision after a first call of `d0` failed.
    private func decision(
        _ error: GatewayError,
        deployments count: Int = 2,
        attempts: Int = 1,
        remaining: Duration? = nil,
        committed: Bool = false,
        configure: (inout DeploymentGroup) -> Void = { _ in }
    ) throws -> (RetryDecision, mayRepeat: Bool) {
        let bench = Bench(deployments(count), configure: configure)
        var tried = TriedDeployments()
        let lease = try bench.group.acquire(RoutingInput(forcedDeployment: "d0"))
        lease.finish(AttemptOutcome(error))
        tried.insert(lease)
        let attempt = FailedAttempt(attempts: attempts, remaining: remaining, isCommitted: committed)
        return (bench.group.retryDecision(after: error, attempt, tried: &tried), tried.mayRepeat)
    }

    private func wait(_ decision: RetryDecision) -> Duration? {
        if case .retry(let wait) = decision { wait } else { nil }
    }

    @Test func `a failed upstream is followed by another deployment after a pause`() throws {
        for (attempts, base) in [(1, 50), (2, 100)] {
            let next = try decision(error(.upstreamFailed, status: 500), deployments: 3, attempts: attempts)
            let pause = try #require(wait(next.0))
            #expect(pause >= .milliseconds(base * 8 / 10) && pause <= .milliseconds(base * 12 / 10))
            #expect(!next.mayRepeat)
        }
    }

    @Test func `a silent upstream is followed by another one at once`() throws {
        #expect(try decision(error(.timedOut, sent: true)).0 == .retry(after: .zero))
    }

    @Test func `three attempts are the most`() throws {
        #expect(try wait(decision(error(.upstreamFailed, status: 500), deployments: 9, attempts: 2).0) != nil)
        #expect(try decision(error(.upstreamFailed, status: 500), deployments: 9, attempts: 3).0 == .stop)
    }

    @Test func `the client's mistakes are never repeated`() throws {
        for status in [400, 413, 422] {
            #expect(try decision(error(.upstreamFailed, status: status)).0 == .stop)
        }
        for code in [GatewayError.Code.invalidRequest, .unprocessable, .payloadTooLarge, .cancelled, .unsupported] {
            #expect(try decision(error(code)).0 == .stop)
        }
    }

    @Test func `nothing is tried after the first byte of content`() throws {
        #expect(try decision(error(.truncatedResponse, sent: true), committed: true).0 == .stop)
    }

    @Test func `the same deployment again only if the request did not reach it`() throws {
        let refused = try decision(error(.connectFailed), deployments: 1)
        #expect(wait(refused.0) != nil && refused.mayRepeat)
        #expect(try decision(error(.upstreamFailed, status: 500, sent: true), deployments: 1).0 == .stop)
        #expect(try decision(error(.truncatedResponse, sent: true), deployments: 1).0 == .stop)
    }

    @Test func `Retry-After is waited for when nobody else is there and the deadline allows`() throws {
        let limited = error(.rateLimited, status: 429, retryAfter: .seconds(2))
        let patient = try decision(limited, deployments: 1, remaining: .seconds(10))
        #expect(try #require(wait(patient.0)) >= .seconds(2) && patient.mayRepeat)
        #expect(try decision(limited, deployments: 1, remaining: .seconds(1)).0 == .stop)
        let other = try decision(limited, deployments: 2, remaining: .seconds(1))
        #expect(try #require(wait(other.0)) < .milliseconds(100))
    }

    @Test func `each kind of failure has its own fallbacks`() throws {
        func configure(_ group: inout DeploymentGroup) {
            group.fallbacks = ["any"]
            group.contextWindowFallbacks = ["large"]
            group.contentPolicyFallbacks = ["lenient"]
        }
        let cases: [(GatewayError, String)] = [
            (error(.contextLengthExceeded, status: 400), "large"), (error(.contentFiltered, status: 400), "lenient"),
            (error(.upstreamFailed, status: 500), "any"),
        ]
        for (error, model) in cases {
            let found = try decision(error, deployments: 1, configure: configure).0
            #expect(found == .fallback(models: [model]))
        }
        #expect(try decision(error(.contextLengthExceeded, status: 400)).0 == .stop)
    }

    @Test func `the budget is a fifth of the calls and three a second`() {
        var budget = RetryBudget()
        var now = MonotonicInstant(nanoseconds: 50_000_000_000)
        func spent(_ tries: Int, now: MonotonicInstant) -> Int {
            (0..<tries).map { _ in budget.spend(now: now) }.count { $0 }
        }
        #expect(spent(100, now: now) == 30)
        now = now + .seconds(11)
        for _ in 0..<100 { budget.recordCall(now: now) }
        #expect(spent(100, now: now) == 50)
        #expect(spent(1, now: now + .seconds(5)) == 0)
        #expect(spent(1, now: now + .seconds(12)) == 1)
    }

    @Test func `a 429 rests the deployment as long as it asked, and longer each time it did not`() throws {
        let bench = Bench(deployments(2))
        try bench.group.acquire(RoutingInput(forcedDeployment: "d0")).finish(.rateLimited(retryAfter: .seconds(5)))
        #expect(bench.group.status(of: "d0")?.reasons == [.coolingDown])
        #expect(bench.group.status(of: "d0")?.breaker == .closed)
        bench.clock.advance(by: .seconds(5))
        var waits: [Duration] = []
        for _ in 0..<3 {
            try bench.group.acquire(RoutingInput(forcedDeployment: "d0")).finish(.rateLimited(retryAfter: nil))
            let wait = try #require(bench.group.status(of: "d0")?.timeUntilEligible)
            waits.append(wait)
            bench.clock.advance(by: wait)
        }
        #expect(waits[0] < waits[1] && waits[1] < waits[2])
        try bench.group.acquire(RoutingInput(forcedDeployment: "d0")).finish(.success)
        try bench.group.acquire(RoutingInput(forcedDeployment: "d0")).finish(.rateLimited(retryAfter: nil))
        #expect(try #require(bench.group.status(of: "d0")?.timeUntilEligible) < .seconds(1.3))
    }
}
