// One deployment as a policy of an embedding program sees it.

/// One deployment that may take a call.
public struct RoutingCandidate: Sendable {
    /// The deployment.
    public let deployment: Deployment
    /// Calls under way, up to the last byte of their answers.
    public let callsInFlight: Int
    /// Estimated prompt tokens of calls that have not been answered yet.
    public let pendingTokens: Int
    /// Estimated seconds until a new prompt would be begun.
    public let expectedWait: Double
    /// Smoothed seconds to the first token; nil before the first answer.
    public let timeToFirstToken: Double?
    /// The engine's last report, if it reports.
    public let report: EngineLoad?
}
