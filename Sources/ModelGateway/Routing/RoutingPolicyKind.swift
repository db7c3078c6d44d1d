// The choice of a policy for a group: which one, with which parameters.

/// How a group chooses among its deployments.
///
/// ```swift
/// DeploymentGroup(model: "llama", deployments: engines, policy: .cacheAware())
/// DeploymentGroup(model: "gpt", deployments: accounts, policy: .manual(.init(assignment: .leastLoad)))
/// ```
///
/// Before a policy is asked, the group has left out everything that may not take the call: other priority tiers than
/// the first one with an eligible deployment, deployments without the tags that the call prefers, and those that the
/// call has tried already.
public struct RoutingPolicyKind: Sendable, Hashable, CustomStringConvertible {
    enum Choice: Sendable, Hashable {
        case random
        case roundRobin
        case powerOfTwo
        case consistentHashing(ConsistentHashingOptions)
        case prefixHash(PrefixHashOptions)
        case manual(ManualOptions)
        case bucket(BucketOptions)
        case cacheAware(CacheAwareOptions)
        case leastLoad
        case latency(LatencyOptions)
        case cost(CostOptions)
        case custom(Custom)
    }

    /// A policy of the embedding program; two are the same if their names are.
    struct Custom: Sendable, Hashable {
        let name: String
        let make: @Sendable () -> any RoutingPolicy

        static func == (left: Custom, right: Custom) -> Bool { left.name == right.name }
        func hash(into hasher: inout Hasher) { hasher.combine(name) }
    }

    let choice: Choice

    /// A uniform choice, weighted.
    public static let random = RoutingPolicyKind(choice: .random)

    /// Everyone in turn, the heavier ones more often, evenly spread.
    public static let roundRobin = RoutingPolicyKind(choice: .roundRobin)

    /// The one of two random candidates that has less load for its weight.
    public static let powerOfTwo = RoutingPolicyKind(choice: .powerOfTwo)

    /// Calls with the same session key, else with the same beginning of the prompt, on one deployment as long as its
    /// load is not far above the mean; adding or removing one of n deployments moves 1/n of the keys.
    public static func consistentHashing(
        _ options: ConsistentHashingOptions = ConsistentHashingOptions()
    ) -> RoutingPolicyKind {
        RoutingPolicyKind(choice: .consistentHashing(options))
    }

    /// Prompts with the same beginning on one deployment as long as its load is not far above the mean.
    public static func prefixHash(_ options: PrefixHashOptions = PrefixHashOptions()) -> RoutingPolicyKind {
        RoutingPolicyKind(choice: .prefixHash(options))
    }

    /// A session stays on the deployment where it began, and has a second one for when that fails.
    public static func manual(_ options: ManualOptions = ManualOptions()) -> RoutingPolicyKind {
        RoutingPolicyKind(choice: .manual(options))
    }

    /// Prompts of similar length share deployments.
    public static func bucket(_ options: BucketOptions = BucketOptions()) -> RoutingPolicyKind {
        RoutingPolicyKind(choice: .bucket(options))
    }

    /// Prompts go where their beginning has been read already, unless that deployment is too busy. The best choice for
    /// self-hosted engines that cache prefixes.
    public static func cacheAware(_ options: CacheAwareOptions = CacheAwareOptions()) -> RoutingPolicyKind {
        RoutingPolicyKind(choice: .cacheAware(options))
    }

    /// The shortest expected wait of all.
    public static let leastLoad = RoutingPolicyKind(choice: .leastLoad)

    /// The shortest time to the first token for each token of the prompt, as measured, times the calls under way.
    public static func latency(_ options: LatencyOptions = LatencyOptions()) -> RoutingPolicyKind {
        RoutingPolicyKind(choice: .latency(options))
    }

    /// The lowest price among the deployments that are fast enough.
    public static func cost(_ options: CostOptions = CostOptions()) -> RoutingPolicyKind {
        RoutingPolicyKind(choice: .cost(options))
    }

    /// A policy of your own.
    /// - Parameters:
    ///   - name: What explanations and metrics call it.
    ///   - make: Makes the one instance that a group uses.
    public static func custom(
        _ name: String,
        _ make: @escaping @Sendable () -> any RoutingPolicy
    ) -> RoutingPolicyKind {
        RoutingPolicyKind(choice: .custom(Custom(name: name, make: make)))
    }

    /// The policy's name, as a configuration spells it.
    public var name: String {
        switch choice {
        case .random: "random"
        case .roundRobin: "round_robin"
        case .powerOfTwo: "power_of_two"
        case .consistentHashing: "consistent_hashing"
        case .prefixHash: "prefix_hash"
        case .manual: "manual"
        case .bucket: "bucket"
        case .cacheAware: "cache_aware"
        case .leastLoad: "least_load"
        case .latency: "latency"
        case .cost: "cost"
        case .custom(let custom): custom.name
        }
    }

    public var description: String { name }

    /// The policy for a group.
    /// - Parameter previous: The group's policy until now; what it remembers goes on if it can.
    func makePolicy(continuing previous: (any SelectionPolicy)? = nil) -> any SelectionPolicy {
        switch choice {
        case .random: RandomPolicy()
        case .roundRobin: RoundRobinPolicy()
        case .powerOfTwo: PowerOfTwoPolicy()
        case .consistentHashing(let options): ConsistentHashingPolicy(options)
        case .prefixHash(let options): PrefixHashPolicy(options)
        case .manual(let options): ManualPolicy(options, continuing: previous as? ManualPolicy)
        case .bucket(let options): BucketPolicy(options)
        case .cacheAware(let options): CacheAwarePolicy(options, continuing: previous as? CacheAwarePolicy)
        case .leastLoad: LeastLoadPolicy()
        case .latency(let options): LatencyPolicy(exploration: options.exploration)
        case .cost(let options): CostPolicy(options)
        case .custom(let custom): CustomPolicy(custom.make())
        }
    }
}

/// Parameters of ``RoutingPolicyKind/latency(_:)``.
public struct LatencyOptions: Sendable, Hashable {
    /// The share of calls that go to any deployment, so that a slow one can show that it is fast again. Default 0.01.
    public var exploration: Double

    /// Creates a set of parameters.
    public init(exploration: Double = 0.01) {
        self.exploration = exploration
    }
}

/// Parameters of ``RoutingPolicyKind/cost(_:)``.
public struct CostOptions: Sendable, Hashable {
    /// The longest smoothed time to the first token of a deployment that is fast enough. Default 10 s.
    public var maximumLatency: Duration
    /// The share of calls that go to any deployment, so that a slow one can show that it is fast again. Default 0.01.
    public var exploration: Double

    /// Creates a set of parameters.
    public init(maximumLatency: Duration = .seconds(10), exploration: Double = 0.01) {
        self.maximumLatency = maximumLatency
        self.exploration = exploration
    }
}
