// What a running group looks like from outside.

/// The state of a group at one moment.
public struct GroupStatus: Sendable {
    /// The public name of the model.
    public var model: String
    /// The name of the policy.
    public var policy: String
    /// Calls in flight.
    public var callsInFlight: Int
    /// Calls waiting for a place.
    public var callsWaiting: Int
    /// Bytes of memory used by the policy's record of prompts.
    public var prefixCacheBytes: Int
    /// The deployments, by their ids.
    public var deployments: [DeploymentStatus]
}
