// What can be seen of a running group.

/// The state of a group at one moment.
public struct GroupStatus: Sendable {
    /// The public name of the model.
    public var model: String
    /// The name of the policy.
    public var policy: String
    /// Calls under way.
    public var callsInFlight: Int
    /// Calls that wait for a place.
    public var callsWaiting: Int
    /// Bytes of memory that the policy's book of prompts uses.
    public var prefixCacheBytes: Int
    /// The deployments, by their ids.
    public var deployments: [DeploymentStatus]
}
