// The policy `bucket`: prompts of similar length share deployments.

internal import DequeModule
import GatewayWire

extension RoutingPolicyKind {
    /// Prompts of similar length share deployments.
    /// - Parameters:
    ///   - adjustInterval: How often the boundaries may move, and the period of calls that decides where to. Default 5
    ///     s.
    ///   - balanceAbsoluteThreshold: The difference in prompt tokens between the busiest and the least busy deployment
    ///     from which the least busy one takes the call, whatever its length. Default 16,384.
    ///   - balanceRelativeThreshold: How many times the least busy deployment's tokens the busiest must have for that.
    ///     Default 1.5.
    public static func bucket(
        adjustInterval: Duration = .seconds(5),
        balanceAbsoluteThreshold: Int = 16_384,
        balanceRelativeThreshold: Double = 1.5
    ) -> RoutingPolicyKind {
        let options = BucketOptions(
            adjustInterval: adjustInterval,
            balanceAbsoluteThreshold: balanceAbsoluteThreshold,
            balanceRelativeThreshold: balanceRelativeThreshold
        )
        return RoutingPolicyKind(BucketPolicy.self, options)
    }
}

/// The parameters of ``RoutingPolicyKind/bucket(adjustInterval:balanceAbsoluteThreshold:balanceRelativeThreshold:)``.
struct BucketOptions: PolicyOptions {
    var adjustInterval = Duration.seconds(5)
    var balanceAbsoluteThreshold = 16_384
    var balanceRelativeThreshold = 1.5

    static let keys: [PolicyKey<BucketOptions>] = [
        .duration(
            "adjust_interval",
            \.adjustInterval,
            in: .milliseconds(100) ... .seconds(3600),
            "time between new boundaries"
        ),
        .integer(
            "balance_abs_threshold",
            \.balanceAbsoluteThreshold,
            in: 0...1_000_000_000,
            "tokens by which the fullest may exceed the emptiest"
        ),
        .number(
            "balance_rel_threshold",
            \.balanceRelativeThreshold,
            in: 1...1000,
            "factor by which the fullest may exceed the emptiest"
        ),
    ]
}

/// Each deployment takes the prompts between two lengths, chosen so that all get the same share of tokens.
struct BucketPolicy: StandardPolicy {
    static let name = "bucket"

    // Before there is traffic, each deployment takes a range of this many tokens.
    private static let initialWidth = 4096
    // A share of more than twice or less than half the fair one moves the boundaries.
    private static let hysteresis = 2.0

    private struct Call: Sendable {
        var time: MonotonicInstant
        var tokens: Int
        var slot: Int
    }

    /// The interval's tokens relative to the weight; slots with the most come first.
    private struct Busyness: TournamentKey {
        var tokens: Double

        static let last = Busyness(tokens: -1)

        static func < (left: Self, right: Self) -> Bool { left.tokens > right.tokens }
    }

    private let options: BucketOptions
    /// The members in ascending order of their prompts' lengths, and the first length above each one's range.
    private var owners: [Int] = []
    private var bounds: [Double] = []
    private var weights: [Double] = []
    /// The calls of the interval, the oldest first.
    private var calls = Deque<Call>()
    private var sizes = SizeHistogram()
    /// The interval's tokens by slot, and the slot with the most of them for its weight.
    private var tokens: [Int] = []
    private var busiest = TournamentTree<Busyness>()
    private var nextAdjustment: MonotonicInstant?

    init(_ options: BucketOptions) {
        self.options = options
    }

    var readsText: Bool { true }
    var index: PoolIndex { .order }

    mutating func select(
        from pool: inout Pool,
        members: [Member],
        input: RoutingInput,
        context: SelectionContext,
        random: inout SeededGenerator
    ) -> Int? {
        forget(before: context.now, pool: &pool, members: members)
        adjust(now: context.now)
        let size = input.estimatedTokens
        let chosen =
            isUneven(pool, context)
            ? pool.order?.least(excluding: context.excluded)
            : owner(of: size, in: pool, context)
        guard let slot = chosen else { return nil }
        calls.append(Call(time: context.now, tokens: size, slot: slot))
        sizes.add(size, count: 1)
        count(size, on: slot, pool: &pool, members: members)
        return slot
    }

    func key(of slot: Int, members: [Member]) -> OrderKey {
        OrderKey(primary: perWeight(slot), secondary: members[slot].loadPerWeight, tie: members[slot].turn)
    }

    func score(of slot: Int, members: [Member], context: SelectionContext) -> PolicyScore {
        PolicyScore(value: perWeight(slot), meaning: "recent prompt tokens per weight")
    }

    mutating func join(_ slot: Int, members: [Member]) {
        reserve(slot)
        weights[slot] = max(members[slot].weight, 1e-9)
        if !owners.contains(slot) { owners.append(slot) }
        drawBounds()
    }

    mutating func leave(_ slot: Int) {
        owners.removeAll { $0 == slot }
        busiest.remove(slot)
        for index in calls.indices where calls[index].slot == slot { calls[index].slot = -1 }
        if slot < tokens.count { tokens[slot] = 0 }
        drawBounds()
    }
}

// MARK: - Boundaries

extension BucketPolicy {
    /// The owner of a length, or the nearest allowed neighbour.
    private func owner(of size: Int, in pool: borrowing Pool, _ context: SelectionContext) -> Int? {
        var (low, high) = (0, max(0, owners.count - 1))
        while low < high {
            let middle = (low + high) / 2
            if Double(size) < bounds[middle] { high = middle } else { low = middle + 1 }
        }
        for distance in 0..<max(1, owners.count) {
            for place in [low - distance, low + distance] where owners.indices.contains(place) {
                if context.allows(owners[place], in: pool) { return owners[place] }
            }
        }
        return pool.slots.lazy.map(Int.init).first { context.allows($0, in: pool) }
    }

    private func isUneven(_ pool: borrowing Pool, _ context: SelectionContext) -> Bool {
        guard let most = busiest.least, let least = pool.order?.least else { return false }
        let (high, low) = (perWeight(most), perWeight(least))
        return high - low > Double(options.balanceAbsoluteThreshold) && high > options.balanceRelativeThreshold * low
    }

    private mutating func adjust(now: MonotonicInstant) {
        guard let due = nextAdjustment else {
            nextAdjustment = now + options.adjustInterval
            return
        }
        guard now >= due else { return }
        nextAdjustment = now + options.adjustInterval
        if sharesAreOff { drawBounds() }
    }

    /// Whether the current boundaries would have given any slot more than twice or less than half its fair share.
    private var sharesAreOff: Bool {
        let total = owners.reduce(0) { $0 + weights[$1] }
        guard sizes.tokens > 0, total > 0 else { return false }
        var lower = 0.0
        for (place, slot) in owners.enumerated() {
            let share = sizes.tokens(below: bounds[place]) - lower
            let fair = sizes.tokens * weights[slot] / total
            if share > Self.hysteresis * fair || share * Self.hysteresis < fair { return true }
            lower += share
        }
        return false
    }

    /// Sets the boundaries so that each owner would have had its share of the interval's tokens.
    private mutating func drawBounds() {
        let total = owners.reduce(0) { $0 + weights[$1] }
        var share = 0.0
        var places = sizes.places()
        bounds = owners.indices.map { place in
            share += weights[owners[place]]
            if place == owners.count - 1 { return .infinity }
            if sizes.tokens == 0 { return Double((place + 1) * Self.initialWidth) }
            return places.next(tokens: sizes.tokens * share / total)
        }
    }
}

// MARK: - The interval

extension BucketPolicy {
    private func perWeight(_ slot: Int) -> Double {
        slot < tokens.count ? Double(tokens[slot]) / weights[slot] : 0
    }

    private mutating func reserve(_ slot: Int) {
        guard slot >= tokens.count else { return }
        tokens += Array(repeating: 0, count: slot + 1 - tokens.count)
        weights += Array(repeating: 1, count: slot + 1 - weights.count)
    }

    private mutating func forget(before now: MonotonicInstant, pool: inout Pool, members: [Member]) {
        while let call = calls.first, now - call.time >= options.adjustInterval {
            calls.removeFirst()
            sizes.add(call.tokens, count: -1)
            if call.slot >= 0 { count(-call.tokens, on: call.slot, pool: &pool, members: members) }
        }
    }

    private mutating func count(_ size: Int, on slot: Int, pool: inout Pool, members: [Member]) {
        reserve(slot)
        tokens[slot] += size
        busiest.set(slot, to: Busyness(tokens: perWeight(slot)))
        if pool.contains(slot) { pool.order?.set(slot, to: key(of: slot, members: members)) }
    }
}
