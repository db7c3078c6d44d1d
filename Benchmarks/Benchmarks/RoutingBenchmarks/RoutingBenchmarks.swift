// What routing costs per call, in two benchmarks for each policy and fleet: the selection, which is the choice of one
// deployment under the group's lock with its reading of the clock and, for cache_aware, the walk through the tree of
// prompts; and the lease, which is an attempt's selection and its end with all the group's bookkeeping.

import Benchmark
import ModelGateway

/// A provider that is never called: only its deployments are chosen.
private struct Unreached: Provider {
    let name = "unreached"
    let modes: Set<Mode> = [.chat]

    func models(timeouts: Timeouts) async throws(GatewayError) -> [ModelInfo] { [] }
}

/// One policy, and the length of the prompts that it gets.
private struct Subject {
    var name: String
    var policy: RoutingPolicyKind
    var promptBytes = 2_048
    /// Bytes of prompts that the policy has seen before.
    var warmBytes = 0
}

private let subjects = [
    Subject(name: "random", policy: .random),
    Subject(name: "round_robin", policy: .roundRobin),
    Subject(name: "power_of_two", policy: .powerOfTwo),
    Subject(name: "consistent_hashing", policy: .consistentHashing()),
    Subject(name: "prefix_hash", policy: .prefixHash()),
    Subject(name: "manual", policy: .manual()),
    Subject(name: "bucket", policy: .bucket()),
    Subject(name: "cache_aware, 2048-byte prompts", policy: .cacheAware(), warmBytes: 63 << 20),
    Subject(name: "cache_aware, 8192-byte prompts", policy: .cacheAware(), promptBytes: 8_192, warmBytes: 63 << 20),
    Subject(name: "least_load", policy: .leastLoad),
    Subject(name: "latency", policy: .latency()),
    Subject(name: "cost", policy: .cost()),
]

/// A group and the calls that it gets, each with a session of its own.
private final class Scene: Sendable {
    private static let callCount = 4_096
    private static let familyCount = 1_024

    private let group: GroupState
    private let calls: [RoutingInput]

    init(_ subject: Subject, deployments count: Int) throws {
        let deployments = (0..<count).map { number in
            Deployment(id: "d\(number)", provider: Unreached(), upstreamModel: "mock")
        }
        group = GroupState(DeploymentGroup(model: "mock", deployments: deployments, policy: subject.policy), seed: 1)
        calls = (0..<Self.callCount).map { Self.call($0, promptBytes: subject.promptBytes) }
        var other = Self.callCount
        while group.status.prefixCacheBytes < subject.warmBytes {
            for _ in 0..<1_024 {
                try Self.lease(Self.call(other, promptBytes: subject.promptBytes), in: group)
                other += 1
            }
        }
        // What is built at the first selection, such as a ring, is not part of one; and each prompt has been read.
        for turn in 0..<max(2 * count, calls.count) { try lease(turn) }
    }

    func select(_ turn: Int) {
        blackHole(group.select(calls[turn % Self.callCount]))
    }

    func lease(_ turn: Int) throws {
        try Self.lease(calls[turn % Self.callCount], in: group)
    }

    private static func lease(_ call: RoutingInput, in group: GroupState) throws {
        let lease = try group.acquire(call)
        lease.accepted()
        lease.finish(.success)
    }

    /// A prompt of one of 1,024 families, the first half of which is the family's.
    private static func call(_ number: Int, promptBytes: Int) -> RoutingInput {
        let shared = letters(seed: number % familyCount, count: promptBytes / 2)
        let own = letters(seed: familyCount + number, count: promptBytes - shared.count)
        return RoutingInput(text: shared + own, sessionKey: "session-\(number)")
    }

    private static func letters(seed: Int, count: Int) -> [UInt8] {
        var state = UInt64(seed + 1) &* 0x9E37_79B9_7F4A_7C15
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(ascii: "a") + UInt8(state >> 33 & 15)
        }
    }
}

let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = .init(
        metrics: [.wallClock, .throughput],
        warmupIterations: 10,
        scalingFactor: .kilo,
        maxDuration: .milliseconds(500)
    )

    for subject in subjects {
        for count in [10, 100, 1_000, 10_000] {
            Benchmark(
                "selection: \(subject.name), \(count) deployments",
                closure: { benchmark, scene in
                    for turn in benchmark.scaledIterations { scene.select(turn) }
                },
                setup: { try Scene(subject, deployments: count) }
            )
            Benchmark(
                "lease: \(subject.name), \(count) deployments",
                closure: { benchmark, scene in
                    for turn in benchmark.scaledIterations { try scene.lease(turn) }
                },
                setup: { try Scene(subject, deployments: count) }
            )
        }
    }
}
