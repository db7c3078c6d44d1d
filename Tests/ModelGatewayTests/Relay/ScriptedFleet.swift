// A gateway on a virtual clock in front of engines that answer as a test says at the moment.

import ModelGatewayTesting

@testable import ModelGateway

/// A gateway with deployments `e0`, `e1`, … of the model `public`, in turn.
final class ScriptedFleet: Sendable {
    let clock = VirtualClock(start: .seconds(1000))
    let engines: [ScriptedEngine]
    let gateway: Gateway
    private let answers: Locked<[Script?]>

    init(
        _ count: Int,
        policy: RoutingPolicyKind = .roundRobin,
        configure: (inout DeploymentGroup) -> Void = { _ in }
    ) throws {
        let answers = Locked([Script?](repeating: nil, count: count))
        engines = try (0..<count).map { index in
            try ScriptedEngine { request in
                if request.method == "POST", let script = answers.withLock({ $0[index] }) { return script }
                return ScriptedEngine.openAI(models: ["mock"])(request)
            }
        }
        self.answers = answers
        let transport = try CurlTransport()
        let members = try engines.enumerated().map { index, engine in
            let provider = try OpenAICompatibleProvider(baseURL: engine.url, transport: transport)
            return Deployment(id: "e\(index)", provider: provider, upstreamModel: "mock")
        }
        var group = DeploymentGroup(model: "public", deployments: members, policy: policy)
        configure(&group)
        let registry = WorkerRegistry(Fleet([group], time: clock.source), transport: transport, time: clock.source)
        gateway = Gateway(registry: registry)
    }

    deinit {
        for engine in engines { engine.stop() }
    }

    /// Says what an engine answers to calls from now on; nil for a good answer.
    func answer(_ index: Int, _ script: Script?) { answers.withLock { $0[index] = script } }

    /// How many calls each engine got.
    var calls: [Int] { engines.map { $0.requests.count { $0.method == "POST" } } }

    func call() async throws(GatewayError) -> WireResponse {
        let body = Array(RelayFixture.plainRequest.utf8)
        return try await gateway.relay(WireRequest(.openAIChat, body: body, requestID: "r", caller: .admin))
    }

    /// Makes a call while virtual time passes whenever the call waits, and returns how long it took on that clock.
    func timedCall() async -> (result: Result<WireResponse, GatewayError>, time: Duration) {
        let start = clock.elapsed
        let isDone = Locked(false)
        async let result = outcome(isDone)
        while !isDone.withLock({ $0 }) {
            if clock.sleepers > 0 { clock.advance(by: .milliseconds(10)) }
            try? await Task.sleep(for: .microseconds(200))
        }
        let time = clock.elapsed - start
        return (await result, time)
    }

    private func outcome(_ isDone: Locked<Bool>) async -> Result<WireResponse, GatewayError> {
        defer { isDone.withLock { $0 = true } }
        do throws(GatewayError) { return .success(try await call()) } catch { return .failure(error) }
    }

    func status(_ index: Int) -> DeploymentStatus? {
        gateway.groups.first?.deployments.first { $0.deployment.id == "e\(index)" }
    }
}

extension Result where Failure == GatewayError {
    var failure: GatewayError? { if case .failure(let error) = self { error } else { nil } }
}
