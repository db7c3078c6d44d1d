// What calls of one mode have shown of a deployment.

/// What calls of one mode have shown of a deployment.
public struct ModeStatus: Sendable {
    /// The kind of work.
    public var mode: Mode
    /// Whether the deployment may take calls of the mode.
    public var isEligible: Bool
    /// Why it may not; empty if it may.
    public var reasons: [IneligibilityReason]
    /// The time until it may take calls, if time alone will bring it back.
    public var timeUntilEligible: Duration?
    /// The circuit breaker.
    public var breaker: BreakerState
}
