// Calls wait in order for a place, not too many and not for ever, and leave without a trace.

import ModelGatewayTesting
import Testing

@testable import ModelGateway

@Suite(.timeLimit(.minutes(1))) struct AdmissionTests {
    private func bench(places: Int = 1, queueSize: Int = 100) -> Bench {
        Bench(deployments(2)) {
            $0.admission = AdmissionOptions(
                maxConcurrentCalls: places,
                queueSize: queueSize,
                queueTimeout: .seconds(60)
            )
        }
    }

    /// Waits until so many calls are in the queue.
    private func waiting(_ count: Int, _ bench: Bench) async {
        while bench.group.status.callsWaiting != count { await Task.yield() }
    }

    @Test func `places are given in order, up to the last byte`() async throws {
        let bench = bench()
        let first = try await bench.group.lease(RoutingInput())
        let order = AsyncStream<Int>.makeStream()
        let gate = AsyncStream<Void>.makeStream()
        var tasks: [Task<Void, any Error>] = []
        for number in 0..<3 {
            let group = bench.group
            tasks.append(
                Task {
                    let lease = try await group.lease(RoutingInput())
                    order.continuation.yield(number)
                    for await _ in gate.stream { break }
                    lease.finish(.success)
                }
            )
            await waiting(number + 1, bench)
        }
        first.answered()
        #expect(bench.group.status.callsInFlight == 1)
        #expect(bench.group.status.callsWaiting == 3)
        first.finish(.success)
        var served = order.stream.makeAsyncIterator()
        for number in 0..<3 {
            #expect(await served.next() == number)
            #expect(bench.group.status.callsInFlight == 1)
            gate.continuation.yield()
            try await tasks[number].value
        }
        #expect(bench.group.status.callsInFlight == 0)
    }

    @Test func `a full queue refuses with 429 and Retry-After`() async throws {
        let bench = bench(queueSize: 1)
        let held = try await bench.group.lease(RoutingInput())
        let waiter = Task { [group = bench.group] in try await group.lease(RoutingInput()) }
        await waiting(1, bench)
        let error = await #expect(throws: GatewayError.self) { try await bench.group.lease(RoutingInput()) }
        #expect(error?.code == .rateLimited)
        #expect(error?.retryAfter != nil)
        held.finish(.success)
        try await waiter.value.finish(.success)
    }

    @Test func `a wait that is too long ends with 503 and Retry-After`() async throws {
        let bench = bench()
        let held = try await bench.group.lease(RoutingInput())
        let waiter = Task { [group = bench.group] in try await group.lease(RoutingInput()) }
        await waiting(1, bench)
        await bench.clock.waitForSleepers(1)
        bench.clock.advance(by: .seconds(60))
        let error = await #expect(throws: GatewayError.self) { try await waiter.value }
        #expect(error?.code == .unavailable)
        #expect(error?.retryAfter != nil)
        #expect(bench.group.status.callsWaiting == 0)
        held.finish(.success)
        #expect(bench.group.status.callsInFlight == 0)
    }

    @Test func `a client that leaves is taken out of the queue`() async throws {
        let bench = bench()
        let held = try await bench.group.lease(RoutingInput())
        let waiter = Task { [group = bench.group] in try await group.lease(RoutingInput()) }
        await waiting(1, bench)
        waiter.cancel()
        let error = await #expect(throws: GatewayError.self) { try await waiter.value }
        #expect(error?.code == .cancelled)
        #expect(bench.group.status.callsWaiting == 0)
        held.finish(.success)
        #expect(bench.group.status.callsInFlight == 0)
    }

    @Test func `a deployment's own limit sends calls elsewhere, then into the queue`() async throws {
        let bench = Bench([deployment("a", limit: 1), deployment("b", limit: 2)])
        var leases: [AttemptLease] = []
        for _ in 0..<3 { leases.append(try await bench.group.lease(RoutingInput())) }
        #expect(bench.group.status.deployments.map(\.callsInFlight) == [1, 2])
        #expect(bench.group.status.deployments.allSatisfy { $0.reasons == [.saturated] })
        let waiter = Task { [group = bench.group] in try await group.lease(RoutingInput()) }
        await waiting(1, bench)
        let freed = leases.removeFirst()
        freed.finish(.success)
        let served = try await waiter.value
        #expect(served.deployment.id == freed.deployment.id)
        served.finish(.success)
        leases.forEach { $0.finish(.success) }
    }

    @Test func `a waiting call passes those in front that cannot use the free place`() async throws {
        let bench = Bench([deployment("a", limit: 1), deployment("b", limit: 1)])
        let held = try await bench.group.lease(RoutingInput(forcedDeployment: "a"))
        let other = try await bench.group.lease(RoutingInput(forcedDeployment: "b"))
        let picky = Task { [group = bench.group] in try await group.lease(RoutingInput(forcedDeployment: "a")) }
        await waiting(1, bench)
        let easy = Task { [group = bench.group] in try await group.lease(RoutingInput()) }
        await waiting(2, bench)
        other.finish(.success)
        #expect(try await easy.value.deployment.id == "b")
        held.finish(.success)
        #expect(try await picky.value.deployment.id == "a")
    }

    @Test func `the bound holds under many tasks and nothing is lost`() async throws {
        let bench = bench(places: 5, queueSize: 1000)
        let group = bench.group
        let most = await withTaskGroup(of: Int.self) { tasks in
            for number in 0..<200 {
                tasks.addTask {
                    guard let lease = try? await group.lease(RoutingInput()) else { return .max }
                    let seen = group.status.callsInFlight
                    await Task.yield()
                    lease.finish(number % 7 == 0 ? .cancelled : .success)
                    return seen
                }
            }
            return await tasks.reduce(0) { max($0, $1) }
        }
        #expect(most <= 5)
        #expect(group.status.callsInFlight == 0)
        #expect(group.status.callsWaiting == 0)
    }
}
