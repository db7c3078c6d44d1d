// The policy `manual`: a session stays where it began.

import GatewayWire

extension RoutingPolicyKind {
    /// How ``manual(assignment:maxIdle:maxSessions:)`` chooses the deployment of a new session.
    public enum SessionAssignment: String, Sendable, Hashable, CaseIterable {
        /// At random, by weight.
        case random
        /// The least loaded one.
        case leastLoad = "min_load"
        /// The one with the fewest live sessions.
        case fewestSessions = "min_group"
    }

    /// A session stays on the deployment where it began, and has a second one in case that fails.
    /// - Parameters:
    ///   - assignment: How the deployment of a new session is chosen. Default random.
    ///   - maxIdle: Sessions that have not been used for this long are forgotten. Default 4 h; zero for never.
    ///   - maxSessions: The most sessions that are remembered; the one unused longest makes room. Default 262,144.
    public static func manual(
        assignment: SessionAssignment = .random,
        maxIdle: Duration = .seconds(4 * 3600),
        maxSessions: Int = 262_144
    ) -> RoutingPolicyKind {
        let options = ManualOptions(assignment: assignment, maxIdle: maxIdle, maxSessions: maxSessions)
        return RoutingPolicyKind(ManualPolicy.self, options)
    }
}

/// The parameters of ``RoutingPolicyKind/manual(assignment:maxIdle:maxSessions:)``.
struct ManualOptions: PolicyOptions {
    var assignment = RoutingPolicyKind.SessionAssignment.random
    var maxIdle = Duration.seconds(4 * 3600)
    var maxSessions = 262_144

    static let keys: [PolicyKey<ManualOptions>] = [
        .duration("max_idle", \.maxIdle, in: .seconds(1) ... .seconds(30 * 86_400), "how long a key is kept"),
        .choice("assignment_mode", \.assignment, "how a new key is assigned"),
        .integer("max_sessions", \.maxSessions, in: 1...100_000_000, "keys that are kept"),
    ]
}

/// Sticky sessions: the first eligible deployment that the session has used, so that it returns once that recovers.
struct ManualPolicy: StandardPolicy {
    static let name = "manual"

    private let options: ManualOptions
    private var table: SessionTable

    init(_ options: ManualOptions) {
        self.init(options, continuing: nil)
    }

    /// - Parameter previous: A policy whose sessions are kept.
    init(_ options: ManualOptions, continuing previous: ManualPolicy?) {
        self.options = options
        let empty = SessionTable(capacity: 1, maxIdle: .zero, tracksChanges: false)
        table = (previous?.table ?? empty).resized(
            capacity: options.maxSessions,
            maxIdle: options.maxIdle,
            tracksChanges: options.assignment == .fewestSessions
        )
    }

    var index: PoolIndex { options.assignment == .random ? .weights : .order }

    /// The number of remembered sessions.
    var sessionCount: Int { table.count }

    mutating func select(
        from pool: inout Pool,
        members: [Member],
        input: RoutingInput,
        context: SelectionContext,
        random: inout SeededGenerator
    ) -> Int? {
        guard let key = input.sessionKey, !key.isEmpty else {
            return assign(from: &pool, members: members, context: context, random: &random)
        }
        let pins = table.pins(of: key, now: context.now)
        refreshOrder(of: &pool, members: members)
        if let pins, isUsable(pins.0, in: pool, members, context) { return pins.0.slot }
        if let second = pins?.1, isUsable(second, in: pool, members, context) { return second.slot }
        guard let slot = assign(from: &pool, members: members, context: context, random: &random) else { return nil }
        let pin = SessionPin(slot: slot, number: members[slot].number)
        if let pins, members[pins.0.slot].number != pins.0.number, pins.1 == nil {
            table.replace(key, by: pin, now: context.now)
        } else {
            table.pin(key, to: pin, now: context.now)
        }
        refreshOrder(of: &pool, members: members)
        return slot
    }

    func key(of slot: Int, members: [Member]) -> OrderKey {
        let primary =
            options.assignment == .fewestSessions ? sessionsPerWeight(slot, members) : members[slot].loadPerWeight
        return OrderKey(primary: primary, tie: members[slot].turn)
    }

    func score(of slot: Int, members: [Member], context: SelectionContext) -> PolicyScore {
        switch options.assignment {
        case .random: PolicyScore(value: members[slot].weight, meaning: "weight; the session's own first")
        case .leastLoad:
            PolicyScore(value: members[slot].loadPerWeight, meaning: "load per weight; the session's own first")
        case .fewestSessions:
            PolicyScore(
                value: sessionsPerWeight(slot, members),
                meaning: "sessions per weight; the session's own first"
            )
        }
    }

    private func sessionsPerWeight(_ slot: Int, _ members: [Member]) -> Double {
        Double(table.sessions(on: slot)) / max(members[slot].weight, 1e-9)
    }

    private mutating func refreshOrder(of pool: inout Pool, members: [Member]) {
        guard options.assignment == .fewestSessions else { return }
        for slot in table.takeChanged() where pool.contains(slot) {
            pool.order?.set(slot, to: self.key(of: slot, members: members))
        }
    }

    private func isUsable(
        _ pin: SessionPin,
        in pool: borrowing Pool,
        _ members: [Member],
        _ context: SelectionContext
    ) -> Bool {
        context.allows(pin.slot, in: pool) && members[pin.slot].number == pin.number
    }

    private mutating func assign(
        from pool: inout Pool,
        members: [Member],
        context: SelectionContext,
        random: inout SeededGenerator
    ) -> Int? {
        if options.assignment == .random {
            return pool.weighted(excluding: context.excluded, random: &random)
        }
        return pool.order?.least(excluding: context.excluded)
    }
}
