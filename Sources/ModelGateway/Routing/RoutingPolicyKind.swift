// The choice of a policy in a configuration: which one, with which parameters.

/// How a group chooses among its deployments.
public struct RoutingPolicyKind: Sendable {
    enum Choice: Sendable {
        case random
        case roundRobin
    }

    let choice: Choice

    /// A uniform choice, weighted.
    public static let random = RoutingPolicyKind(choice: .random)
    /// Everyone in turn, the heavier ones more often.
    public static let roundRobin = RoutingPolicyKind(choice: .roundRobin)

    func makePolicy() -> any SelectionPolicy {
        switch choice {
        case .random: RandomPolicy()
        case .roundRobin: RoundRobinPolicy()
        }
    }
}
