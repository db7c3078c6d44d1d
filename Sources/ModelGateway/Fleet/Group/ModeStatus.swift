// What the calls of one mode have shown about a deployment.

/// What the calls of one mode have shown about a deployment.
public struct ModeStatus: Sendable {
    /// The kind of work.
    public var mode: Mode
    /// Whether the deployment may take calls of the mode.
    public var isEligible: Bool
    /// Why it may not; empty if it may.
    public var reasons: [IneligibilityReason]
    /// The time until it may take calls, if it only has to wait.
    public var timeUntilEligible: Duration?
    /// The circuit breaker.
    public var breaker: BreakerState
}
