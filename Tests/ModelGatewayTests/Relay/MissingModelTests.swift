// Deployments without the model, and accounts with nothing left on them: the next one takes the call.

import Logging
import ModelGatewayTesting
import Testing

@testable import ModelGateway

@Suite(.timeLimit(.minutes(1))) struct MissingModelTests {
    private static let missing = Script.openAIError(status: 404, message: "The model 'mock' does not exist.")

    private static let refusals: [(Int, String)] = [
        (404, #"{"object":"error","message":"The model `mock` does not exist.","type":"NotFoundError","code":404}"#),
        (404, "<html>no such page</html>"), (400, #"{"error":{"message":"no","code":"model_not_found"}}"#),
        (403, #"{"error":{"message":"no access","code":"model_not_found"}}"#), (402, #"{"error":{"message":"pay"}}"#),
        (429, #"{"error":{"message":"pay","type":"insufficient_quota","code":"insufficient_quota"}}"#),
    ]

    @Test(arguments: refusals)
    func `D16: what is wrong with one deployment is answered by the next one`(_ status: Int, _ body: String)
        async throws
    {
        let fleet = try ScriptedFleet(2)
        fleet.answer(0, .json(body, status: status))
        for _ in 0..<6 { #expect(try await fleet.call().status == 200) }
        #expect(fleet.calls == [1, 6])
        #expect(fleet.status(0)?.reasons == [.coolingDown])
        #expect(fleet.status(0)?.breaker == .closed)
        fleet.answer(0, nil)
        fleet.clock.advance(by: .seconds(40))
        for _ in 0..<2 { #expect(try await fleet.call().status == 200) }
        #expect(fleet.calls[0] == 2)
    }

    @Test func `D16: it is the client's 404 only if every deployment says so`() async throws {
        let fleet = try ScriptedFleet(2)
        fleet.answer(0, Self.missing)
        fleet.answer(1, Self.missing)
        for _ in 0..<4 {
            let error = await #expect(throws: GatewayError.self) { try await fleet.call() }
            #expect(error?.code == .modelNotFound)
            #expect(error?.status == 404)
            #expect(error?.message == "The model 'mock' does not exist.")
        }
        #expect(fleet.calls[0] + fleet.calls[1] == 5)
        // Whichever has it again is found by the next calls.
        for index in 0..<2 { fleet.answer(index, nil) }
        #expect(try await fleet.call().status == 200)
    }

    @Test(arguments: [500, 503, 429])
    func `D16: a failure of the other one is no 404`(_ status: Int) async throws {
        let fleet = try ScriptedFleet(2)
        fleet.answer(0, Self.missing)
        fleet.answer(1, .json("{}", status: status, headers: [HTTPHeader("Retry-After", "30")]))
        for _ in 0..<3 {
            let error = try #require(await fleet.timedCall().result.failure)
            #expect(error.status >= 429 && error.code != .modelNotFound)
        }
    }

    @Test func `D16: an empty account is the gateway's affair, not the client's`() async throws {
        let fleet = try ScriptedFleet(1)
        fleet.answer(0, .json(#"{"error":{"message":"Insufficient balance of acct-1"}}"#, status: 402))
        for _ in 0..<2 {
            let error = await #expect(throws: GatewayError.self) { try await fleet.call() }
            #expect(error?.status == 503)
            #expect(error?.message.contains("acct-1") == false)
            #expect(error?.message.contains("is out of credit") == true)
        }
        fleet.answer(0, nil)
        // The only one is asked each time, so that it is back as soon as it has been paid for.
        #expect(try await fleet.call().status == 200)
    }

    @Test func `D16: rests grow up to ten minutes, and a success ends that`() throws {
        let bench = Bench(deployments(2))
        var rests: [Double] = []
        for _ in 0..<9 {
            try bench.group.acquire(RoutingInput(forcedDeployment: "d0")).finish(.modelMissing)
            let rest = try #require(bench.group.status(of: "d0")?.timeUntilEligible)
            rests.append(rest.inSeconds)
            bench.clock.advance(by: rest)
        }
        for (rest, base) in zip(rests, [5.0, 10, 20, 40, 80, 160, 320, 600, 600]) {
            #expect(rest >= base * 0.8 && rest <= base * 1.2)
        }
        try bench.group.acquire(RoutingInput(forcedDeployment: "d0")).finish(.success)
        try bench.group.acquire(RoutingInput(forcedDeployment: "d0")).finish(.outOfQuota(retryAfter: .seconds(90)))
        #expect(bench.group.status(of: "d0")?.timeUntilEligible == .seconds(90))
    }

    @Test func `D16: a worker that answers 404 is asked for its models at once`() async throws {
        let clock = VirtualClock(start: .seconds(1000))
        let offered = Locked(["mock"])
        let engines = try (0..<2).map { index in
            try ScriptedEngine { request in
                let models = index == 0 ? offered.withLock { $0 } : ["mock"]
                if request.method == "POST", models.isEmpty { return Self.missing }
                return ScriptedEngine.openAI(models: models)(request)
            }
        }
        defer { for engine in engines { engine.stop() } }
        var options = WorkerOptions()
        options.askTimeout = .seconds(20)
        let registry = WorkerRegistry(
            Fleet(time: clock.source),
            options: options,
            transport: try CurlTransport(),
            time: clock.source
        )
        let gateway = Gateway(registry: registry, sources: [try StaticWorkerSource(engines.map(\.url))])
        let running = Task { try await gateway.run(logger: Logger(label: "t") { _ in SwiftLogNoOpLogHandler() }) }
        defer { running.cancel() }
        func deployments() -> Int { gateway.groups.first?.deployments.count ?? 0 }
        while deployments() < 2 { try await Task.sleep(for: .milliseconds(1)) }
        clock.advance(by: .seconds(5))
        offered.withLock { $0 = [] }
        for _ in 0..<2 {
            let body = #"{"model":"mock","messages":[{"role":"user","content":"Hi"}]}"#
            let request = WireRequest(.openAIChat, body: Array(body.utf8), requestID: "r")
            #expect(try await gateway.relay(request).status == 200)
        }
        // No time passes until it is known.
        while deployments() > 1 { try await Task.sleep(for: .milliseconds(1)) }
        #expect(engines[0].requests.count { $0.method == "POST" } == 1)
    }
}
