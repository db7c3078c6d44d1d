// The policy `cache_aware`: prompts go where their beginning has already been read, unless that place is too busy.

import GatewayWire

extension RoutingPolicyKind {
    /// How
    /// ``cacheAware(cacheThreshold:balanceAbsoluteThreshold:balanceRelativeThreshold:maxTreeBytes:index:cacheLifetime:cacheBoundaries:)``
    /// remembers which deployment has read what.
    public enum PrefixIndex: String, Sendable, Hashable, CaseIterable {
        /// A radix tree over the bytes of the prompts: finds any common beginning.
        case tree
        /// Hashes of the prompts' beginnings at fixed lengths, kept for a limited time.
        case hash
    }

    /// Prompts go where their beginning has already been read, unless that deployment is too busy. The best choice for
    /// self-hosted engines that cache prefixes.
    /// - Parameters:
    ///   - cacheThreshold: Only if more than this share of the prompt has been read does that matter.
    ///     Default 0.3.
    ///   - balanceAbsoluteThreshold: How many calls above the mean make a deployment too busy. Default 64; less at a
    ///     low mean: never more than two standard deviations of a Poisson count at that mean, but at least 4.
    ///   - balanceRelativeThreshold: The multiple of the mean load that makes a deployment too busy. Default 1.5.
    ///   - maxTreeBytes: Bytes of memory that the tree or the hashes may use. Default 64 MiB.
    ///   - index: How the gateway remembers. Default tree.
    ///   - cacheLifetime: How long a hash is remembered after its last use. Default 180 s.
    ///   - cacheBoundaries: The lengths in tokens, of four bytes each, at which beginnings are hashed. Default 256,
    ///     512, and so on up to 16,384.
    public static func cacheAware(
        cacheThreshold: Double = 0.3,
        balanceAbsoluteThreshold: Int = 64,
        balanceRelativeThreshold: Double = 1.5,
        maxTreeBytes: Int = 64 << 20,
        index: PrefixIndex = .tree,
        cacheLifetime: Duration = .seconds(180),
        cacheBoundaries: [Int] = [256, 512, 1024, 2048, 4096, 8192, 16384]
    ) -> RoutingPolicyKind {
        let options = CacheAwareOptions(
            cacheThreshold: cacheThreshold,
            balanceAbsoluteThreshold: balanceAbsoluteThreshold,
            balanceRelativeThreshold: balanceRelativeThreshold,
            maxTreeBytes: maxTreeBytes,
            index: index,
            cacheLifetime: cacheLifetime,
            cacheBoundaries: cacheBoundaries
        )
        return RoutingPolicyKind(CacheAwarePolicy.self, options)
    }
}

/// The parameters of the policy.
struct CacheAwareOptions: PolicyOptions {
    var cacheThreshold = 0.3
    var balanceAbsoluteThreshold = 64
    var balanceRelativeThreshold = 1.5
    var maxTreeBytes = 64 << 20
    var index = RoutingPolicyKind.PrefixIndex.tree
    var cacheLifetime = Duration.seconds(180)
    var cacheBoundaries = [256, 512, 1024, 2048, 4096, 8192, 16384]

    static let keys: [PolicyKey<CacheAwareOptions>] = [
        .number("cache_threshold", \.cacheThreshold, in: 0...1, "share of the prompt that must match"),
        .integer(
            "balance_abs_threshold",
            \.balanceAbsoluteThreshold,
            in: 0...1_000_000,
            "calls by which a deployment may exceed the mean"
        ),
        .number(
            "balance_rel_threshold",
            \.balanceRelativeThreshold,
            in: 1...1000,
            "factor by which a deployment may exceed the mean"
        ),
        .size("max_tree_bytes", \.maxTreeBytes, in: 65_536...(1 << 40), "memory of the tree"),
        .choice("index", \.index, "how prompts are remembered"),
        .duration(
            "cache_ttl",
            \.cacheLifetime,
            in: .seconds(1) ... .seconds(86_400),
            "how long the hash index remembers"
        ),
        .integers(
            "cache_boundaries",
            \.cacheBoundaries,
            in: 1...10_000_000,
            "numbers of tokens at which the hash index looks"
        ),
    ]

    /// The settings of the memory of prompts.
    fileprivate var memory: [Int64] {
        [index == .tree ? 0 : 1, Int64(maxTreeBytes)]
            + (index == .hash ? [cacheLifetime.nanoseconds] + cacheBoundaries.map(Int64.init) : [])
    }
}

/// Keeps common beginnings together, and the load even.
struct CacheAwarePolicy: StandardPolicy {
    static let name = "cache_aware"
    static let bytesPerToken = 4
    // Engines cache blocks of 16 tokens, so a match that is longer by less than that is no better.
    private static let blockBytes = 64

    let options: CacheAwareOptions
    private let cache: PrefixCache

    init(_ options: CacheAwareOptions) {
        self.init(options, continuing: nil)
    }

    /// - Parameter previous: A policy whose memory is kept if it was made with the same settings.
    init(_ options: CacheAwareOptions, continuing previous: CacheAwarePolicy?) {
        self.options = options
        if let previous, previous.options.memory == options.memory {
            cache = previous.cache
        } else if options.index == .tree {
            cache = PrefixCache(PrefixTree(budget: options.maxTreeBytes))
        } else {
            let boundaries = options.cacheBoundaries.map { $0 * Self.bytesPerToken }
            cache = PrefixCache(
                PrefixPlacements(
                    boundaries: boundaries,
                    lifetime: options.cacheLifetime,
                    budget: options.maxTreeBytes
                )
            )
        }
    }

    var readsText: Bool { true }
    var index: PoolIndex { .order }
    var prefixCache: PrefixCache? { cache }

    mutating func select(
        from pool: inout Pool,
        members: [Member],
        input: RoutingInput,
        context: SelectionContext,
        random: inout SeededGenerator
    ) -> Int? {
        let leastBusy = pool.order?.least(excluding: context.excluded)
        guard let holder = holder(in: pool, members: members, context: context) else { return leastBusy }
        guard let leastBusy, isTooBusy(holder, in: pool, members: members) else { return holder }
        return relieves(holder, by: leastBusy, members: members, input: input, context: context) ? leastBusy : holder
    }

    /// The allowed deployment with the longest common beginning above the threshold, and among those the lowest load.
    private func holder(in pool: borrowing Pool, members: [Member], context: SelectionContext) -> Int? {
        guard let match = context.match, match.length > 0 else { return nil }
        let least = options.cacheThreshold * Double(match.length)
        var best: (slot: Int, depth: Int, load: Double)?
        for candidate in match.candidates where Double(candidate.depth) > least {
            if let best, candidate.depth + Self.blockBytes <= best.depth { break }
            guard context.allows(candidate.slot, in: pool) else { continue }
            let load = members[candidate.slot].load
            if let best, best.load <= load { continue }
            best = (candidate.slot, max(candidate.depth, best?.depth ?? 0), load)
        }
        return best?.slot
    }

    /// Whether a deployment is so far above the mean that another one should read the prompt as well.
    private func isTooBusy(_ slot: Int, in pool: borrowing Pool, members: [Member]) -> Bool {
        let mean = pool.load / Double(pool.count)
        let allowance = min(Double(options.balanceAbsoluteThreshold), max(4, 2 * mean.squareRoot()))
        let load = members[slot].load
        return load > mean * options.balanceRelativeThreshold && load > mean + allowance
    }

    /// Whether it is worth having another deployment read a prompt that a busy one has in its cache: what it reads
    /// a second time also keeps it from other work, so it counts twice.
    private func relieves(
        _ busy: Int,
        by other: Int,
        members: [Member],
        input: RoutingInput,
        context: SelectionContext
    ) -> Bool {
        let extra =
            promptTokens(of: input, on: other, context: context) - promptTokens(of: input, on: busy, context: context)
        return members[busy].load > members[other].load + 2 * Double(extra) / Double(EngineLoad.typicalTokens)
    }

    func key(of slot: Int, members: [Member]) -> OrderKey {
        OrderKey(
            primary: members[slot].expectedWait,
            secondary: Double(members[slot].cachedBytes) / max(members[slot].weight, 1e-9),
            tie: members[slot].turn
        )
    }

    func score(of slot: Int, members: [Member], context: SelectionContext) -> PolicyScore {
        guard let match = context.match, match.length > 0 else {
            return PolicyScore(value: members[slot].expectedWait, meaning: "expected wait in seconds")
        }
        return PolicyScore(
            value: Double(match.depth(of: slot)) / Double(match.length),
            meaning: "share of the prompt in the cache"
        )
    }

    func promptTokens(of input: RoutingInput, on slot: Int, context: SelectionContext) -> Int {
        guard let match = context.match, match.length > 0 else { return input.estimatedTokens }
        return input.estimatedTokens * (match.length - match.depth(of: slot)) / match.length
    }
}

extension Member {
    /// How many bytes of prompts fit into the engine's prefix cache, if known.
    var cacheCapacity: Int? {
        (record.deployment.cacheTokens ?? reportedCacheTokens).map { $0 * CacheAwarePolicy.bytesPerToken }
    }
}
