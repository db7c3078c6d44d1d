// When a deployment is overloaded, by its own account.

/// The load at which a deployment that reports its load receives no further calls.
public struct OverloadOptions: Sendable, Hashable {
    /// The engine counts as overloaded once this many requests are waiting in it; nil turns this rule off.
    public var waitingRequests: Int?
    /// The engine counts as overloaded once its KV cache is this full (0 to 1); nil turns this rule off.
    public var cacheUsage: Double?

    /// Creates a set of limits.
    public init(waitingRequests: Int? = nil, cacheUsage: Double? = nil) {
        self.waitingRequests = waitingRequests
        self.cacheUsage = cacheUsage
    }
}
