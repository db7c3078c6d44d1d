// The policy `prefix_hash`: the place of a prompt's beginning on a ring, with a bound on the load.

import GatewayWire

extension RoutingPolicyKind {
    /// Prompts with the same beginning go to one deployment as long as its load is not far above the mean.
    /// - Parameters:
    ///   - prefixTokenCount: How many tokens, of four bytes each, at the start of the prompt make up the key. Default
    ///     256.
    ///   - loadFactor: The multiple of its share of the load that a deployment may reach before the next one takes
    ///     over. Default 1.25.
    ///   - balanceAbsoluteThreshold: How many calls above its share are always allowed. Default 10.
    ///   - cacheBoundaries: Other lengths in tokens that make keys; the longest that the prompt reaches is tried first.
    ///     Default none.
    public static func prefixHash(
        prefixTokenCount: Int = 256,
        loadFactor: Double = 1.25,
        balanceAbsoluteThreshold: Int = 10,
        cacheBoundaries: [Int] = []
    ) -> RoutingPolicyKind {
        let options = PrefixHashOptions(
            prefixTokenCount: prefixTokenCount,
            loadFactor: loadFactor,
            balanceAbsoluteThreshold: balanceAbsoluteThreshold,
            cacheBoundaries: cacheBoundaries
        )
        return RoutingPolicyKind(PrefixHashPolicy.self, options)
    }
}

/// The parameters of the policy.
struct PrefixHashOptions: PolicyOptions {
    var prefixTokenCount = 256
    var loadFactor = 1.25
    var balanceAbsoluteThreshold = 10
    var cacheBoundaries: [Int] = []

    static let keys: [PolicyKey<PrefixHashOptions>] =
        [
            .integer(
                "prefix_token_count",
                \.prefixTokenCount,
                in: 1...1_000_000,
                "tokens of the prompt that form the key"
            ),
            .integers(
                "cache_boundaries",
                \.cacheBoundaries,
                in: 1...10_000_000,
                "numbers of tokens to try as keys, the deepest first"
            ),
        ] + PolicyKey.loadBound(\.loadFactor, \.balanceAbsoluteThreshold)
}

/// Keeps prompts with the same beginning on one deployment.
struct PrefixHashPolicy: StandardPolicy {
    static let name = "prefix_hash"

    private static let bytesPerToken = 4
    private let prefixBytes: Int
    private let boundaries: [Int]
    private var ring: BoundedRing

    init(_ options: PrefixHashOptions) {
        prefixBytes = options.prefixTokenCount * Self.bytesPerToken
        boundaries = Set(options.cacheBoundaries).sorted(by: >).map { $0 * Self.bytesPerToken }
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
        guard !input.text.isEmpty else {
            return pool.lesserOfTwo(members: members, excluding: context.excluded, random: &random)
        }
        ring.points.settle()
        for boundary in boundaries where boundary <= input.text.count {
            let key = input.text.hashOfPrefix(bytes: boundary)
            if let slot = ring.home(of: key, in: pool, members: members, context: context) { return slot }
        }
        let deepest = boundaries.first { $0 <= input.text.count } ?? prefixBytes
        let key = input.text.hashOfPrefix(bytes: deepest)
        return ring.owner(of: key, in: pool, members: members, context: context)
    }

    func score(of slot: Int, members: [Member], context: SelectionContext) -> PolicyScore {
        BoundedRing.score(of: slot, members: members)
    }

    mutating func join(_ slot: Int, members: [Member]) { ring.join(slot, members: members) }
    mutating func leave(_ slot: Int) { ring.points.remove(slot) }
}
