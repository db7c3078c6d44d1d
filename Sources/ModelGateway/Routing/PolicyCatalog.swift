// The policies that a configuration can name, and how each is made from its options.

import GatewayWire

/// Creates routing policies from their names and options.
///
/// ``standard`` has the library's policies. A program adds its own, and reads its configuration with them:
///
/// ```swift
/// var policies = PolicyCatalog.standard
/// policies.register("fill_first", options: FillFirstOptions.self) { options in FillFirst(calls: options.calls) }
/// let configuration = try Configuration.load(path: "gateway.toml", policies: policies)
/// ```
///
/// The file may then say `policy = "fill_first"` or `policy = { name = "fill_first", calls = 4 }`, and mistakes in it
/// are reported together with the valid names and keys.
public struct PolicyCatalog: Sendable {
    package private(set) var entries: [any CatalogedPolicy]

    /// The policies of the library.
    public static let standard = PolicyCatalog(entries: StandardPolicies.all.map { entry($0) })

    private init(entries: [any CatalogedPolicy]) {
        self.entries = entries
    }

    private static func entry<Policy: StandardPolicy>(_ policy: Policy.Type) -> any CatalogedPolicy {
        PolicyEntry(name: Policy.name) { RoutingPolicyKind(policy, $0) }
    }

    /// Adds a policy with options, or replaces the one with that name.
    /// - Parameters:
    ///   - name: What configurations, explanations and metrics call it, in lower case with underscores.
    ///   - options: The type of its options.
    ///   - make: Creates the one instance that a group uses, given the options from the configuration.
    public mutating func register<Options: PolicyOptions>(
        _ name: String,
        options: Options.Type,
        _ make: @escaping @Sendable (Options) -> any RoutingPolicy
    ) {
        entries.removeAll { $0.name == name }
        entries.append(
            PolicyEntry<Options>(name: name) { options in
                RoutingPolicyKind(name: name, options: options) { CustomPolicy(make(options)) }
            }
        )
    }

    /// Adds a policy without options, or replaces the one with that name.
    /// - Parameters:
    ///   - name: What configurations, explanations and metrics call it, in lower case with underscores.
    ///   - make: Creates the one instance that a group uses.
    public mutating func register(_ name: String, _ make: @escaping @Sendable () -> any RoutingPolicy) {
        register(name, options: NoPolicyOptions.self) { _ in make() }
    }

    /// The names of all policies.
    public var names: [String] { entries.map(\.name) }

    /// The policy with a name, with its default options.
    /// - Throws: ``GatewayError/Code/configuration`` with the nearest name and all valid ones.
    public func policy(_ name: String) throws(GatewayError) -> RoutingPolicyKind {
        guard let entry = entries.first(where: { $0.name == name }) else {
            throw GatewayError(.configuration, "There is no policy '\(name)': \(suggestion(for: name)).")
        }
        return entry.standard
    }

    /// What to write in place of an unknown name. It lists all names, even if one is close: there are few, and anyone
    /// guessing will want to see them.
    package func suggestion(for name: String) -> String {
        let nearest = nearestName(to: name, in: names).map { "did you mean '\($0)'? " } ?? ""
        return "\(nearest)allowed: \(names.joined(separator: ", "))"
    }
}

/// A policy in a catalog: its name, its options, and the policy that they create.
package protocol CatalogedPolicy: Sendable {
    associatedtype Options: PolicyOptions

    var name: String { get }

    func policy(_ options: Options) -> RoutingPolicyKind
}

extension CatalogedPolicy {
    /// The policy with its default options.
    package var standard: RoutingPolicyKind { policy(Options()) }
}

private struct PolicyEntry<Options: PolicyOptions>: CatalogedPolicy {
    let name: String
    let make: @Sendable (Options) -> RoutingPolicyKind

    func policy(_ options: Options) -> RoutingPolicyKind { make(options) }
}
