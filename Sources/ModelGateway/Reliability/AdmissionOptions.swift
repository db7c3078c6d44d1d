// How many calls a group runs at a time, and how further ones wait.

/// How calls wait when a group has no room for them.
public struct AdmissionOptions: Sendable, Hashable {
    /// Calls that may be in flight in the group at a time, counted until the last byte of their answers; nil for no
    /// limit.
    public var maxConcurrentCalls: Int?
    /// Calls that may wait for room, first come, first served. Default 100; 0 refuses them at once.
    public var queueSize: Int
    /// How long a call may wait. Default 60 s; zero for no limit.
    public var queueTimeout: Duration

    /// Creates a set of limits.
    public init(maxConcurrentCalls: Int? = nil, queueSize: Int = 100, queueTimeout: Duration = .seconds(60)) {
        self.maxConcurrentCalls = maxConcurrentCalls
        self.queueSize = queueSize
        self.queueTimeout = queueTimeout
    }
}
