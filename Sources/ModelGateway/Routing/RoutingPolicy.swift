// The protocol for policies of embedding programs.

/// A way of choosing among deployments that your program provides.
///
/// A group creates one instance for itself and never calls it from two threads at a time, so a policy can be a plain
/// structure with state. It is called under the group's lock: choose quickly, and never wait for anything.
///
/// ```swift
/// /// Everything to the first deployment until it has ten calls, then to the second, and so on.
/// struct FillFirst: RoutingPolicy {
///     mutating func choose(
///         from candidates: RoutingCandidates,
///         for input: RoutingInput,
///         using generator: inout some RandomNumberGenerator
///     ) -> Int? {
///         let inOrder = candidates.indices.sorted { candidates[$0].deployment.id < candidates[$1].deployment.id }
///         return inOrder.first { candidates[$0].callsInFlight < 10 } ?? inOrder.first
///     }
/// }
///
/// let group = DeploymentGroup(model: "llama", deployments: engines, policy: .custom("fill_first") { FillFirst() })
/// ```
///
/// A policy that configuration files can name, with options if it has any, is registered in a ``PolicyCatalog``.
public protocol RoutingPolicy: Sendable {
    /// Chooses a deployment for a call.
    /// - Parameters:
    ///   - candidates: The deployments that may take the call, at least one, in no particular order: eligible, of one
    ///     priority tier, with the tags that the call prefers, and not tried yet by this call.
    ///   - input: What routing reads from the call.
    ///   - generator: The group's random numbers, repeatable in tests.
    /// - Returns: An index into the candidates, or nil if none of them suits: then the call fails as unavailable.
    mutating func choose(
        from candidates: RoutingCandidates,
        for input: RoutingInput,
        using generator: inout some RandomNumberGenerator
    ) -> Int?
}
