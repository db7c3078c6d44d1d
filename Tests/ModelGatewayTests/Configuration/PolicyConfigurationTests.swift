// Policies in a configuration: the library's and those that a program brings along.

import ModelGateway
import Testing

@Suite("Policies in a configuration")
struct PolicyConfigurationTests {
    private func diagnose(_ policy: String, _ policies: PolicyCatalog = .standard) -> Configuration.Diagnosis {
        let text = "[workers]\npolicy = \(policy)\n"
        return Configuration.diagnose(Array(text.utf8), name: "g.toml", environment: [:], policies: policies)
    }

    private func policy(_ policy: String, _ policies: PolicyCatalog = .standard) throws -> RoutingPolicyKind {
        try diagnose(policy, policies).get().workers.policy
    }

    @Test func `policies have the names of the specification`() throws {
        let names = [
            "random", "round_robin", "power_of_two", "consistent_hashing", "prefix_hash", "manual", "bucket",
            "cache_aware", "least_load", "latency", "cost",
        ]
        #expect(PolicyCatalog.standard.names == names)
        for name in names { #expect(try policy("\"\(name)\"").name == name) }
        let wrong = #expect(throws: GatewayError.self) { try PolicyCatalog.standard.policy("cache_awre") }
        #expect(wrong?.code == .configuration)
        #expect(wrong?.message.contains("did you mean 'cache_aware'?") == true)
    }

    @Test func `options are read`() throws {
        let read = try policy(
            """
            { name = "cache_aware", cache_threshold = 0.5, index = "hash", max_tree_bytes = "1MiB", cache_ttl = "1m", \
            cache_boundaries = [16] }
            """
        )
        let expected = RoutingPolicyKind.cacheAware(
            cacheThreshold: 0.5,
            maxTreeBytes: 1 << 20,
            index: .hash,
            cacheLifetime: .seconds(60),
            cacheBoundaries: [16]
        )
        #expect(read == expected)
        #expect(read != .cacheAware())
    }

    @Test(
        arguments: [
            (#"{ name = "cache_aware", cache_treshold = 1 }"#, "did you mean 'cache_threshold'?"),
            (#"{ name = "cache_aware", cache_threshold = 1.5 }"#, "0 to 1"),
            (#"{ name = "manual", assignment_mode = "min_lod" }"#, "did you mean 'min_load'?"),
            (#"{ name = "manual", max_idle = "long" }"#, "a duration"),
            (#"{ name = "prefix_hash", cache_boundaries = [0] }"#, "1 to 10000000"),
            (#"{ name = "random", load_factor = 2 }"#, "unknown key"),
            (#"{ name = "consistent_hashing", load_factor = 0.5 }"#, "1 to 1000"),
            (#"{ load_factor = 1 }"#, "'name' is missing"),
        ]
    )
    func `wrong options are said with what is right`(_ text: String, _ hint: String) {
        let issues = diagnose(text).issues.map(\.description)
        #expect(issues.count == 1 && issues[0].contains(hint), "\(issues)")
    }

    @Test func `a name alone keeps the options of a policy that it is already`() throws {
        var configuration = Configuration()
        configuration.workers.policy = .consistentHashing(loadFactor: 2)
        try configuration.applyEnvironment(["GATEWAY_POLICY": "consistent_hashing"])
        #expect(configuration.workers.policy == .consistentHashing(loadFactor: 2))
        try configuration.applyEnvironment(["GATEWAY_POLICY": "bucket"])
        #expect(configuration.workers.policy == .bucket())
    }

    @Test func `a policy made in code has the defaults of one named in a configuration`() throws {
        let made: [RoutingPolicyKind] = [
            .random, .roundRobin, .powerOfTwo, .consistentHashing(), .prefixHash(), .manual(), .bucket(), .cacheAware(),
            .leastLoad, .latency(), .cost(),
        ]
        #expect(made.map(\.name) == PolicyCatalog.standard.names)
        for policy in made { #expect(try PolicyCatalog.standard.policy(policy.name) == policy) }
    }

    // MARK: Policies of a program

    private struct FixedOptions: PolicyOptions {
        enum End: String, CaseIterable { case first, last }

        var end = End.first
        var isStrict = false
        var label = ""

        static let keys: [PolicyKey<Self>] = [
            .choice("end", \.end, "which one takes the calls"),
            .boolean("strict", \.isStrict, "whether no other one may take them"),
            .text("label", \.label, "for people"),
        ]
    }

    /// Everything to one deployment of a fixed place in the order of their ids.
    private struct Fixed: RoutingPolicy {
        let options: FixedOptions

        mutating func choose(
            from candidates: RoutingCandidates,
            for input: RoutingInput,
            using generator: inout some RandomNumberGenerator
        ) -> Int? {
            let inOrder = candidates.indices.sorted { candidates[$0].deployment.id < candidates[$1].deployment.id }
            return options.end == .first ? inOrder.first : inOrder.last
        }
    }

    private var catalog: PolicyCatalog {
        var policies = PolicyCatalog.standard
        policies.register("fixed", options: FixedOptions.self) { Fixed(options: $0) }
        policies.register("lowest") { Fixed(options: FixedOptions()) }
        return policies
    }

    @Test func `a program's policy gets the options of the configuration`() throws {
        let read = try policy(#"{ name = "fixed", end = "last", strict = true, label = "x" }"#, catalog)
        let bench = Bench(deployments(3), read)
        #expect(try bench.pick() == "d2")
        #expect(bench.group.status.policy == "fixed")
        #expect(try Bench(deployments(3), policy("\"fixed\"", catalog)).pick() == "d0")
        #expect(try Bench(deployments(3), policy("\"lowest\"", catalog)).pick() == "d0")
    }

    @Test func `a program's policies are the same if their names and options are`() throws {
        let read = try policy(#"{ name = "fixed", end = "last" }"#, catalog)
        #expect(try read == policy(#"{ name = "fixed", end = "last" }"#, catalog))
        #expect(try read != policy("\"fixed\"", catalog))
        #expect(try policy("\"lowest\"", catalog) != policy("\"fixed\"", catalog))
    }

    @Test func `mistakes know a program's policies and their keys`() {
        #expect(diagnose("\"fixd\"", catalog).issues.first?.message.contains("did you mean 'fixed'?") == true)
        #expect(diagnose("\"fixed\"").issues.first?.message.contains("is not known") == true)
        let key = diagnose(#"{ name = "fixed", ends = "last" }"#, catalog).issues.first
        #expect(key?.message.contains("did you mean 'end'?") == true)
        let word = diagnose(#"{ name = "fixed", end = "lst" }"#, catalog).issues.first
        #expect(word?.message.contains("did you mean 'last'?") == true)
    }

    @Test func `a policy of a name that there is takes its place`() throws {
        var policies = PolicyCatalog.standard
        policies.register("random") { Fixed(options: FixedOptions()) }
        #expect(policies.names.filter { $0 == "random" }.count == 1)
        #expect(try Bench(deployments(3), policy("\"random\"", policies)).counts(20) == ["d0": 20])
    }
}
