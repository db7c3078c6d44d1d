// Which policy a group uses, and with which options.

/// How a group chooses among its deployments.
///
/// ```swift
/// DeploymentGroup(model: "llama", deployments: engines, policy: .cacheAware())
/// DeploymentGroup(model: "gpt", deployments: accounts, policy: .manual(assignment: .leastLoad))
/// ```
///
/// Before it asks a policy, the group leaves out everything that may not take the call: priority tiers other than
/// the first with an eligible deployment, deployments without the tags that the call prefers, and those that the
/// call has already tried.
public struct RoutingPolicyKind: Sendable, Hashable, CustomStringConvertible {
    /// The policy's name, as a configuration spells it.
    public let name: String
    private let options: any PolicyOptions
    private let make: @Sendable ((any SelectionPolicy)?) -> any SelectionPolicy

    /// A policy of the library.
    init<Policy: StandardPolicy>(_ policy: Policy.Type, _ options: Policy.Options = Policy.Options()) {
        name = Policy.name
        self.options = options
        make = { Policy(options, continuing: $0 as? Policy) }
    }

    /// A policy of the embedding program; two are the same if their names and options are.
    init(name: String, options: some PolicyOptions, make: @escaping @Sendable () -> CustomPolicy) {
        self.name = name
        self.options = options
        self.make = { _ in make() }
    }

    /// A policy of your own. Two with the same name count as the same one.
    /// - Parameters:
    ///   - name: What explanations and metrics call it.
    ///   - make: Creates the one instance that a group uses.
    public static func custom(
        _ name: String,
        _ make: @escaping @Sendable () -> any RoutingPolicy
    ) -> RoutingPolicyKind {
        RoutingPolicyKind(name: name, options: NoPolicyOptions()) { CustomPolicy(make()) }
    }

    public var description: String { name }

    /// The policy for a group.
    /// - Parameter previous: The group's policy until now; what it remembers is kept if possible.
    func makePolicy(continuing previous: (any SelectionPolicy)? = nil) -> any SelectionPolicy { make(previous) }

    public static func == (left: RoutingPolicyKind, right: RoutingPolicyKind) -> Bool {
        left.name == right.name && AnyHashable(left.options) == AnyHashable(right.options)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(name)
        hasher.combine(AnyHashable(options))
    }
}
