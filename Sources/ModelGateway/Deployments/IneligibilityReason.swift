// Why a deployment receives no calls, in the words of the API and of reports.

/// Why a deployment may not take calls.
///
/// The raw value is what explanations and the control plane show. More reasons may come with later versions.
public struct IneligibilityReason: Sendable, Hashable, RawRepresentable, CustomStringConvertible {
    public var rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    public var description: String { rawValue }

    /// Its weight is zero.
    public static let standby = IneligibilityReason(rawValue: "standby")
    /// Health probes failed.
    public static let unhealthy = IneligibilityReason(rawValue: "unhealthy")
    /// Its circuit breaker is open.
    public static let breakerOpen = IneligibilityReason(rawValue: "breaker_open")
    /// It answered 429, 402 or 404, or cast doubt on its credentials, and rests.
    public static let coolingDown = IneligibilityReason(rawValue: "cooling_down")
    /// It rejected the gateway's credentials.
    public static let misconfigured = IneligibilityReason(rawValue: "misconfigured")
    /// It reports more load than its group allows.
    public static let overloaded = IneligibilityReason(rawValue: "overloaded")
    /// It is about to be removed.
    public static let draining = IneligibilityReason(rawValue: "draining")
    /// All its places are taken; one gets free when a call ends.
    public static let saturated = IneligibilityReason(rawValue: "saturated")
}
