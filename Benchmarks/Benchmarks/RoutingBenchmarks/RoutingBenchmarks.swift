// What a selection costs: the lease of one attempt and its end, the group's lock and bookkeeping included.

import Benchmark
import ModelGateway

/// A provider that is never called: only its deployments are chosen.
private struct Unreached: Provider {
    let name = "unreached"
    let modes: Set<Mode> = [.chat]

    func models(timeouts: Timeouts) async throws(GatewayError) -> [ModelInfo] { [] }
}

private let policies: [(name: String, kind: RoutingPolicyKind)] = [
    ("random", .random),
    ("round_robin", .roundRobin),
    ("power_of_two", .powerOfTwo),
    ("consistent_hashing", .consistentHashing()),
    ("prefix_hash", .prefixHash()),
    ("manual", .manual()),
    ("bucket", .bucket()),
    ("cache_aware", .cacheAware()),
    ("least_load", .leastLoad),
    ("latency", .latency()),
    ("cost", .cost()),
]

private func group(_ policy: RoutingPolicyKind, deployments count: Int) -> GroupState {
    let deployments = (0..<count).map { number in
        Deployment(id: "d\(number)", model: "mock", provider: Unreached(), upstreamModel: "mock")
    }
    return GroupState(DeploymentGroup(model: "mock", deployments: deployments, policy: policy), seed: 1)
}

/// Prompts in 64 families: a policy that looks at prefixes finds some to share.
private let inputs: [RoutingInput] = (0..<1_024).map { number in
    let prefix = String(repeating: "Family \(number % 64) has a system prompt of its own. ", count: 40)
    return RoutingInput(text: Array((prefix + "Question \(number)").utf8), sessionKey: "session-\(number % 256)")
}

private func select(_ turn: Int, in group: GroupState) throws {
    let lease = try group.acquire(inputs[turn & 1_023])
    lease.accepted()
    lease.finish(.success)
}

let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = .init(
        metrics: [.wallClock, .throughput],
        warmupIterations: 10,
        scalingFactor: .kilo,
        maxDuration: .seconds(1)
    )

    for policy in policies {
        for count in [10, 100, 1_000, 10_000] {
            Benchmark(
                "\(policy.name), \(count) deployments",
                closure: { benchmark, group in
                    for turn in benchmark.scaledIterations { try select(turn, in: group) }
                },
                setup: {
                    let group = group(policy.kind, deployments: count)
                    // What is built at the first selection, such as a ring, is not part of one.
                    for turn in 0..<2 * max(count, inputs.count) { try select(turn, in: group) }
                    return group
                }
            )
        }
    }
}
