// When a deployment has too much to do, by its own account.

/// The load at which a deployment that reports its load gets no further calls.
public struct OverloadOptions: Sendable, Hashable {
    /// Requests waiting in the engine from which on it is overloaded; nil turns this rule off.
    public var waitingRequests: Int?
    /// Use of the engine's KV cache (0 to 1) from which on it is overloaded; nil turns this rule off.
    public var cacheUsage: Double?

    /// Creates a set of limits.
    public init(waitingRequests: Int? = nil, cacheUsage: Double? = nil) {
        self.waitingRequests = waitingRequests
        self.cacheUsage = cacheUsage
    }
}
