// The one list of the library's policies, and what each of them must be.

/// A policy of the library. Its own file has everything about it: its name, its options with their keys and
/// defaults, and how it chooses. Configuration, command line, reference and messages follow from the list.
protocol StandardPolicy: SelectionPolicy {
    associatedtype Options: PolicyOptions = NoPolicyOptions

    /// What configurations, explanations and metrics call it.
    static var name: String { get }

    init(_ options: Options)

    /// - Parameter previous: The group's policy until now, if it was of the same kind; what it remembers is kept if
    ///   possible.
    init(_ options: Options, continuing previous: Self?)
}

extension StandardPolicy {
    init(_ options: Options, continuing previous: Self?) { self.init(options) }
}

enum StandardPolicies {
    /// In the order in which help, messages and the reference list them. A new policy is one file and one line here.
    static let all: [any StandardPolicy.Type] = [
        RandomPolicy.self,
        RoundRobinPolicy.self,
        PowerOfTwoPolicy.self,
        ConsistentHashingPolicy.self,
        PrefixHashPolicy.self,
        ManualPolicy.self,
        BucketPolicy.self,
        CacheAwarePolicy.self,
        LeastLoadPolicy.self,
        LatencyPolicy.self,
        CostPolicy.self,
    ]
}
