// The policy `consistent_hashing`: a session's place on a ring, with a bound on the load.

import GatewayWire

extension RoutingPolicyKind {
    /// Calls with the same session key, or else the same beginning of the prompt, go to one deployment as long as its
    /// load is not far above the mean; adding or removing one of n deployments moves 1/n of the keys.
    /// - Parameters:
    ///   - loadFactor: The multiple of its share of the load that a deployment may reach before the next one takes
    ///     over. Default 1.25.
    ///   - balanceAbsoluteThreshold: How many calls above its share are always allowed. Default 10.
    public static func consistentHashing(
        loadFactor: Double = 1.25,
        balanceAbsoluteThreshold: Int = 10
    ) -> RoutingPolicyKind {
        let options = ConsistentHashingOptions(
            loadFactor: loadFactor,
            balanceAbsoluteThreshold: balanceAbsoluteThreshold
        )
        return RoutingPolicyKind(ConsistentHashingPolicy.self, options)
    }
}

/// The parameters of ``RoutingPolicyKind/consistentHashing(loadFactor:balanceAbsoluteThreshold:)``.
struct ConsistentHashingOptions: PolicyOptions {
    var loadFactor = 1.25
    var balanceAbsoluteThreshold = 10

    static let keys: [PolicyKey<ConsistentHashingOptions>] =
        PolicyKey.loadBound(\.loadFactor, \.balanceAbsoluteThreshold)
}

/// Keeps a session on one deployment: the key is the session's, or else the beginning of the prompt.
struct ConsistentHashingPolicy: StandardPolicy {
    static let name = "consistent_hashing"

    private static let textBytes = 1024
    private var ring: BoundedRing

    init(_ options: ConsistentHashingOptions) {
        ring = BoundedRing(loadFactor: options.loadFactor, allowance: options.balanceAbsoluteThreshold)
    }

    var readsText: Bool { true }
    // For calls without a key.
    var index: PoolIndex { .weights }

    mutating func select(
        from pool: inout Pool,
        members: [Member],
        input: RoutingInput,
        context: SelectionContext,
        random: inout SeededGenerator
    ) -> Int? {
        let key: UInt64
        if let session = input.sessionKey, !session.isEmpty {
            key = StableHash.hash(session)
        } else if !input.text.isEmpty {
            key = input.text.hashOfPrefix(bytes: Self.textBytes)
        } else {
            return pool.lesserOfTwo(members: members, excluding: context.excluded, random: &random)
        }
        ring.points.settle()
        return ring.owner(of: key, in: pool, members: members, context: context)
    }

    func score(of slot: Int, members: [Member], context: SelectionContext) -> PolicyScore {
        BoundedRing.score(of: slot, members: members)
    }

    mutating func join(_ slot: Int, members: [Member]) { ring.join(slot, members: members) }
    mutating func leave(_ slot: Int) { ring.points.remove(slot) }
}
