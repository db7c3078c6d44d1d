// From a policy's name and parameters in a configuration to the policy.

extension RoutingPolicyKind {
    /// The policy that a configuration names.
    ///
    /// ```swift
    /// try RoutingPolicyKind(.init(name: "cache_aware", parameters: ["cache_threshold": .number(0.5)]))
    /// ```
    /// - Throws: ``GatewayError/Code/configuration`` that names the nearest valid name, if a name is unknown, or what
    ///   a parameter may be, if its value is of another kind.
    public init(_ policy: Configuration.Policy) throws(GatewayError) {
        var parameters = PolicyParameters(policy)
        switch policy.name {
        case "random": self = .random
        case "round_robin": self = .roundRobin
        case "power_of_two": self = .powerOfTwo
        case "consistent_hashing": self = .consistentHashing(try ConsistentHashingOptions(&parameters))
        case "prefix_hash": self = .prefixHash(try PrefixHashOptions(&parameters))
        case "manual": self = .manual(try ManualOptions(&parameters))
        case "bucket": self = .bucket(try BucketOptions(&parameters))
        case "cache_aware": self = .cacheAware(try CacheAwareOptions(&parameters))
        case "least_load": self = .leastLoad
        case "latency": self = .latency(try LatencyOptions(&parameters))
        case "cost": self = .cost(try CostOptions(&parameters))
        default: throw Self.unknown("policy", policy.name, known: PolicySchema.names)
        }
        try parameters.finish()
    }

    fileprivate static func unknown(_ what: String, _ name: String, known: [String]) -> GatewayError {
        let nearest = nearestName(to: name, in: known).map { " Did you mean \($0)?" } ?? ""
        let all = known.isEmpty ? "there are none" : "there are " + known.joined(separator: ", ")
        return GatewayError(.configuration, "There is no \(what) \(name.debugDescription): \(all).\(nearest)")
    }
}

/// The parameters of a policy, each of which must be asked for exactly once.
private struct PolicyParameters {
    private let policy: Configuration.Policy
    private var known: [String] = []

    init(_ policy: Configuration.Policy) {
        self.policy = policy
    }

    mutating func integer(_ key: String, _ value: inout Int, atLeast least: Int = 0) throws(GatewayError) {
        guard let given = parameter(key) else { return }
        guard case .integer(let integer) = given, integer >= least else {
            throw wrong(key, "an integer of at least \(least)")
        }
        value = integer
    }

    mutating func number(_ key: String, _ value: inout Double, in range: ClosedRange<Double>) throws(GatewayError) {
        let number: Double?
        switch parameter(key) {
        case nil: return
        case .number(let given): number = given
        case .integer(let given): number = Double(given)
        default: number = nil
        }
        guard let number, range.contains(number) else {
            throw wrong(key, "a number from \(range.lowerBound) to \(range.upperBound)")
        }
        value = number
    }

    mutating func duration(_ key: String, _ value: inout Duration) throws(GatewayError) {
        guard let given = parameter(key) else { return }
        guard case .duration(let duration) = given, duration >= .zero else { throw wrong(key, "a duration") }
        value = duration
    }

    mutating func integers(_ key: String, _ value: inout [Int]) throws(GatewayError) {
        guard let given = parameter(key) else { return }
        guard case .integers(let integers) = given, integers.allSatisfy({ $0 > 0 }) else {
            throw wrong(key, "a list of positive integers")
        }
        value = integers
    }

    mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ key: String,
        _ value: inout Choice
    ) throws(GatewayError) {
        guard let given = parameter(key) else { return }
        let names = Choice.allCases.map(\.rawValue)
        guard case .text(let text) = given else { throw wrong(key, "one of " + names.joined(separator: ", ")) }
        guard let choice = Choice(rawValue: text) else {
            throw RoutingPolicyKind.unknown("\(key) of the policy \(policy.name)", text, known: names)
        }
        value = choice
    }

    /// Refuses parameters that nobody has asked for.
    func finish() throws(GatewayError) {
        for key in policy.parameters.keys.sorted() where !known.contains(key) {
            throw RoutingPolicyKind.unknown("parameter of the policy \(policy.name)", key, known: known)
        }
    }

    private mutating func parameter(_ key: String) -> Configuration.Policy.Value? {
        known.append(key)
        return policy.parameters[key]
    }

    private func wrong(_ key: String, _ wanted: String) -> GatewayError {
        GatewayError(.configuration, "The parameter \(key) of the policy \(policy.name) must be \(wanted).")
    }
}

extension ConsistentHashingOptions {
    fileprivate init(_ parameters: inout PolicyParameters) throws(GatewayError) {
        self.init()
        try parameters.number("load_factor", &loadFactor, in: 1...1000)
        try parameters.integer("balance_abs_threshold", &balanceAbsoluteThreshold)
    }
}

extension PrefixHashOptions {
    fileprivate init(_ parameters: inout PolicyParameters) throws(GatewayError) {
        self.init()
        try parameters.integer("prefix_token_count", &prefixTokenCount, atLeast: 1)
        try parameters.number("load_factor", &loadFactor, in: 1...1000)
        try parameters.integer("balance_abs_threshold", &balanceAbsoluteThreshold)
        try parameters.integers("cache_boundaries", &cacheBoundaries)
    }
}

extension ManualOptions {
    fileprivate init(_ parameters: inout PolicyParameters) throws(GatewayError) {
        self.init()
        try parameters.choice("assignment_mode", &assignment)
        try parameters.duration("max_idle", &maximumIdle)
        try parameters.integer("max_sessions", &maximumSessions, atLeast: 1)
    }
}

extension BucketOptions {
    fileprivate init(_ parameters: inout PolicyParameters) throws(GatewayError) {
        self.init()
        try parameters.duration("adjust_interval", &adjustInterval)
        try parameters.integer("balance_abs_threshold", &balanceAbsoluteThreshold)
        try parameters.number("balance_rel_threshold", &balanceRelativeThreshold, in: 1...1000)
    }
}

extension CacheAwareOptions {
    fileprivate init(_ parameters: inout PolicyParameters) throws(GatewayError) {
        self.init()
        try parameters.number("cache_threshold", &cacheThreshold, in: 0...1)
        try parameters.integer("balance_abs_threshold", &balanceAbsoluteThreshold)
        try parameters.number("balance_rel_threshold", &balanceRelativeThreshold, in: 1...1000)
        try parameters.integer("max_tree_bytes", &maximumTreeBytes, atLeast: 65_536)
        try parameters.choice("index", &index)
        try parameters.duration("cache_ttl", &cacheLifetime)
        try parameters.integers("cache_boundaries", &cacheBoundaries)
    }
}

extension LatencyOptions {
    fileprivate init(_ parameters: inout PolicyParameters) throws(GatewayError) {
        self.init()
        try parameters.number("exploration", &exploration, in: 0...1)
    }
}

extension CostOptions {
    fileprivate init(_ parameters: inout PolicyParameters) throws(GatewayError) {
        self.init()
        try parameters.duration("max_latency", &maximumLatency)
        try parameters.number("exploration", &exploration, in: 0...1)
    }
}
