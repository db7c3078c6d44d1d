// How a model chooses a deployment, as it is configured: the policy's name and its parameters.

extension Configuration {
    /// A routing policy and its parameters.
    public struct Policy: Sendable, Hashable {
        /// A value of a parameter.
        public enum Value: Sendable, Hashable {
            /// A whole number.
            case integer(Int)
            /// A number.
            case number(Double)
            /// A time, such as `10s` in a file.
            case duration(Duration)
            /// A word.
            case text(String)
            /// A list of whole numbers.
            case integers([Int])
        }

        /// The policy's name. Default `round_robin`.
        public var name: String
        /// The parameters that differ from their defaults.
        public var parameters: [String: Value]

        /// Creates the choice of a policy.
        public init(name: String = "round_robin", parameters: [String: Value] = [:]) {
            self.name = name
            self.parameters = parameters
        }
    }
}

extension Configuration.Policy {
    /// The names that there are.
    package static var names: [String] { PolicySchema.names }

    /// Takes the policy of a name; if it is that of this name already, it keeps its parameters.
    package mutating func choose(_ name: String) {
        if self.name != name { self = Self(name: name) }
    }
}

/// The policies and the parameters that each of them takes.
enum PolicySchema {
    typealias Field = ConfigurationField<Configuration.Policy>

    static let names = [
        "random", "round_robin", "power_of_two", "consistent_hashing", "prefix_hash", "manual", "bucket",
        "cache_aware", "least_load", "latency", "cost",
    ]

    static func section(_ name: String) -> ConfigurationSection<Configuration.Policy> {
        ConfigurationSection("policy \(name)", fields(name))
    }

    private static func fields(_ name: String) -> [Field] {
        switch name {
        case "consistent_hashing": loadBound
        case "prefix_hash":
            [integer("prefix_token_count", 1...1_000_000, 256, "tokens of the prompt that make the key")]
                + [integers("cache_boundaries", [], "numbers of tokens to try as keys, the deepest first")] + loadBound
        case "manual":
            [
                duration("max_idle", .seconds(1) ... .seconds(30 * 86_400), .seconds(14_400), "how long a key is kept"),
                choice("assignment_mode", ["random", "min_load", "min_group"], "random", "how a new key is assigned"),
                integer("max_sessions", 1...100_000_000, 262_144, "keys that are kept"),
            ]
        case "bucket":
            [
                duration(
                    "adjust_interval",
                    .milliseconds(100) ... .seconds(3600),
                    .seconds(5),
                    "time between new boundaries"
                ),
                integer(
                    "balance_abs_threshold",
                    0...1_000_000_000,
                    16_384,
                    "tokens by which the fullest may exceed the emptiest"
                ),
                number("balance_rel_threshold", 1...1000, 1.5, "factor by which the fullest may exceed the emptiest"),
            ]
        case "cache_aware":
            [
                number("cache_threshold", 0...1, 0.3, "share of the prompt that must match"),
                integer("balance_abs_threshold", 0...1_000_000, 64, "calls by which a deployment may exceed the mean"),
                number("balance_rel_threshold", 1...1000, 1.5, "factor by which a deployment may exceed the mean"),
                size("max_tree_bytes", 65_536...(1 << 40), 64 << 20, "memory of the tree"),
                choice("index", ["tree", "hash"], "tree", "how prompts are remembered"),
                duration(
                    "cache_ttl",
                    .seconds(1) ... .seconds(86_400),
                    .seconds(180),
                    "how long the hash index remembers"
                ),
                integers(
                    "cache_boundaries",
                    [256, 512, 1024, 2048, 4096, 8192, 16_384],
                    "numbers of tokens at which the hash index looks"
                ),
            ]
        case "latency": [exploration]
        case "cost":
            [
                duration(
                    "max_latency",
                    .milliseconds(1) ... .seconds(3600),
                    .seconds(10),
                    "time to the first token that is fast enough"
                ),
                exploration,
            ]
        default: []
        }
    }

    private static let exploration = number("exploration", 0...1, 0.01, "share of calls that go to any deployment")

    private static let loadBound = [
        number("load_factor", 1...1000, 1.25, "factor by which a deployment may exceed the mean load"),
        integer(
            "balance_abs_threshold",
            0...1_000_000,
            10,
            "calls by which a deployment may always exceed the mean load"
        ),
    ]

    private static func integer(_ key: String, _ range: ClosedRange<Int>, _ standard: Int, _ summary: String) -> Field {
        Field(
            key: key,
            type: "integer, \(range.lowerBound) to \(range.upperBound)",
            standard: "\(standard)",
            summary: summary
        ) { node, decoder, policy in
            if let value = decoder.integer(node, in: range) { policy.parameters[key] = .integer(value) }
        }
    }

    private static func size(_ key: String, _ range: ClosedRange<Int>, _ standard: Int, _ summary: String) -> Field {
        Field(
            key: key,
            type: "size, \(SizeText.format(range.lowerBound)) to \(SizeText.format(range.upperBound))",
            standard: Field.quoted(SizeText.format(standard)),
            summary: summary
        ) { node, decoder, policy in
            if let value = decoder.size(node, in: range) { policy.parameters[key] = .integer(value) }
        }
    }

    private static func number(
        _ key: String,
        _ range: ClosedRange<Double>,
        _ standard: Double,
        _ summary: String
    ) -> Field {
        Field(
            key: key,
            type: "number, \(NumberText.format(range.lowerBound)) to \(NumberText.format(range.upperBound))",
            standard: NumberText.format(standard),
            summary: summary
        ) { node, decoder, policy in
            if let value = decoder.number(node, in: range) { policy.parameters[key] = .number(value) }
        }
    }

    private static func duration(
        _ key: String,
        _ range: ClosedRange<Duration>,
        _ standard: Duration,
        _ summary: String
    ) -> Field {
        Field(
            key: key,
            type: "duration, \(DurationText.format(range.lowerBound)) to \(DurationText.format(range.upperBound))",
            standard: Field.quoted(DurationText.format(standard)),
            summary: summary
        ) { node, decoder, policy in
            if let value = decoder.duration(node, in: range) { policy.parameters[key] = .duration(value) }
        }
    }

    private static func choice(_ key: String, _ names: [String], _ standard: String, _ summary: String) -> Field {
        Field(
            key: key,
            type: names.joined(separator: ", "),
            standard: Field.quoted(standard),
            summary: summary
        ) { node, decoder, policy in
            guard let name = decoder.string(node) else { return }
            guard names.contains(name) else { return decoder.unknownName(name, of: node, known: names) }
            policy.parameters[key] = .text(name)
        }
    }

    private static func integers(_ key: String, _ standard: [Int], _ summary: String) -> Field {
        Field(key: key, type: "list of integers", standard: "\(standard)", summary: summary) { node, decoder, policy in
            let values = decoder.elements(node).compactMap { decoder.integer($0, in: 1...10_000_000) }
            policy.parameters[key] = .integers(values)
        }
    }
}

extension ConfigurationField {
    /// A policy: its name, or a table with its name and parameters.
    static func policy(_ key: String, _ path: Path<Configuration.Policy>) -> Self {
        Self(
            key: key,
            type: "name or table: policy",
            standard: "\"round_robin\"",
            summary: "how a deployment is chosen for each call",
            nested: {
                PolicySchema.names.map { PolicySchema.section($0) }.filter { !$0.fields.isEmpty }.flatMap(\.tables)
            }
        ) { node, decoder, section in
            guard let entries = node.entries else {
                if let name = policyName(node, &decoder) { section[keyPath: path].choose(name) }
                return
            }
            guard let named = node.entry("name") else {
                return decoder.mistake("'name' is missing", at: node.mark)
            }
            guard let name = decoder.at("name", { policyName(named.node, &$0) }) else { return }
            var policy = Configuration.Policy(name: name)
            let parameters = ConfigurationNode(.table(entries.filter { $0.key != "name" }), node.mark)
            PolicySchema.section(name).read(parameters, &decoder, into: &policy)
            section[keyPath: path] = policy
        }
    }

    private static func policyName(_ node: ConfigurationNode, _ decoder: inout ConfigurationDecoder) -> String? {
        guard let name = decoder.string(node) else { return nil }
        guard PolicySchema.names.contains(name) else {
            // All names, also beside a near one: they are few, and whoever guesses wants to see them.
            let names = PolicySchema.names.joined(separator: ", ")
            let nearest = nearestName(to: name, in: PolicySchema.names).map { "did you mean '\($0)'? " } ?? ""
            decoder.mistake("\(decoder.shown(name, node)) is not known; \(nearest)allowed: \(names)", at: node.mark)
            return nil
        }
        return name
    }
}
