// What a policy lets its users choose, described once for configuration files, checks and the reference.

/// The options of a routing policy: a value whose plain initializer has the defaults, and the keys under which a
/// configuration sets them.
///
/// ```swift
/// struct FillFirstOptions: PolicyOptions {
///     var calls = 10
///
///     static let keys: [PolicyKey<Self>] = [
///         .integer("calls", \.calls, in: 1...10_000, "calls that a deployment gets before the next one")
///     ]
/// }
/// ```
///
/// Register a policy with its options in a ``PolicyCatalog``.
public protocol PolicyOptions: Sendable, Hashable {
    /// The keys besides `name` in a policy's table of a configuration.
    static var keys: [PolicyKey<Self>] { get }

    /// Creates options with their defaults.
    init()
}

/// The options of a policy without any.
struct NoPolicyOptions: PolicyOptions {
    static let keys: [PolicyKey<NoPolicyOptions>] = []
}
