// What the tests of routing share: deployments that answer nothing, groups on a virtual clock.

import GatewayWire
import ModelGatewayTesting

@testable import ModelGateway

/// A provider that is never called.
struct SilentProvider: Provider {
    let name = "silent"
    let modes: Set<Mode> = [.chat]
    func models(timeouts: Timeouts) async throws(GatewayError) -> [ModelInfo] { [] }
}

extension VirtualClock {
    var source: TimeSource {
        TimeSource(
            now: { MonotonicInstant(nanoseconds: self.elapsed.nanoseconds) },
            sleep: { try await self.sleep(for: $0) }
        )
    }
}

func deployment(
    _ id: String,
    weight: Double = 1,
    priority: Int = 0,
    tags: [String] = [],
    limit: Int? = nil,
    inputPrice: Double? = nil,
    cacheTokens: Int? = nil,
    fingerprint: UInt64 = 0
) -> Deployment {
    var deployment = Deployment(
        id: id,
        provider: SilentProvider(),
        upstreamModel: "upstream",
        weight: weight,
        priority: priority,
        tags: tags,
        maxConcurrentCalls: limit,
        inputPrice: inputPrice,
        cacheTokens: cacheTokens
    )
    deployment.fingerprint = fingerprint
    return deployment
}

/// Deployments `d0`, `d1`, … with these weights.
func deployments(_ weights: [Double]) -> [Deployment] {
    weights.enumerated().map { deployment("d\($0.offset)", weight: $0.element) }
}

func deployments(_ count: Int) -> [Deployment] { deployments(Array(repeating: 1, count: count)) }

/// A group with its virtual clock.
struct Bench {
    let clock = VirtualClock(start: .seconds(1000))
    let group: GroupState

    init(
        _ deployments: [Deployment],
        _ policy: RoutingPolicyKind = .roundRobin,
        seed: UInt64 = 1,
        configure: (inout DeploymentGroup) -> Void = { _ in }
    ) {
        var configuration = DeploymentGroup(model: "m", deployments: deployments, policy: policy)
        configure(&configuration)
        group = GroupState(configuration, time: clock.source, seed: seed)
    }

    /// The deployment of one call that ends at once.
    func pick(_ input: RoutingInput = RoutingInput()) throws -> String {
        let lease = try group.acquire(input)
        lease.finish(.success)
        return lease.deployment.id
    }

    /// How often each deployment takes one of so many calls that end at once.
    func counts(_ calls: Int, input: (Int) -> RoutingInput = { _ in RoutingInput() }) throws -> [String: Int] {
        var counts: [String: Int] = [:]
        for call in 0..<calls { counts[try pick(input(call)), default: 0] += 1 }
        return counts
    }

    /// Makes a deployment's breaker open.
    func fail(_ id: String, times: Int = 5) throws {
        for _ in 0..<times {
            try group.acquire(RoutingInput(forcedDeployment: id)).finish(.failure)
        }
    }
}

func text(_ string: String, session: String? = nil, tags: [String] = []) -> RoutingInput {
    RoutingInput(text: Array(string.utf8), sessionKey: session, tags: tags)
}

let everyPolicy: [RoutingPolicyKind] = [
    .random, .roundRobin, .powerOfTwo, .consistentHashing(), .prefixHash(), .manual(),
    .manual(assignment: .leastLoad), .manual(assignment: .fewestSessions), .bucket(),
    .cacheAware(), .cacheAware(index: .hash), .leastLoad, .latency(), .cost(),
    .custom("first") { FirstPolicy() },
]

/// The first candidate by id.
struct FirstPolicy: RoutingPolicy {
    mutating func choose(
        from candidates: RoutingCandidates,
        for input: RoutingInput,
        using generator: inout some RandomNumberGenerator
    ) -> Int? {
        candidates.indices.min { candidates[$0].deployment.id < candidates[$1].deployment.id }
    }
}
