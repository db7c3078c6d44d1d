// One deployment, as a policy of an embedding program sees it.

/// One deployment that may take a call.
public struct RoutingCandidate: Sendable {
    /// The deployment.
    public let deployment: Deployment
    /// Calls in flight, counted until the last byte of their answers.
    public let callsInFlight: Int
    /// Estimated prompt tokens of calls that have not been answered yet.
    public let pendingTokens: Int
    /// Estimated seconds until work on a new prompt would begin.
    public let expectedWait: Double
    /// Smoothed seconds to the first token; nil before the first answer.
    public let timeToFirstToken: Double?
    /// The engine's last report, if it sends any.
    public let report: EngineLoad?
}
