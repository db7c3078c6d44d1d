// One deployment, as a policy of an embedding program sees it.

/// One deployment that may take a call.
public struct RoutingCandidate: Sendable {
    /// The deployment.
    public let deployment: Deployment
    /// Calls in flight, counted until the last byte of their answers.
    public let callsInFlight: Int
    /// Estimated prompt tokens of calls that have not been answered yet.
    public let pendingTokens: Int
    /// The estimated time until work on a new prompt would begin.
    public let expectedWait: Duration
    /// The smoothed time to the first token; nil before the first answer.
    public let timeToFirstToken: Duration?
    /// The engine's last report of its load, if it sends any.
    public let load: EngineLoad?
}
