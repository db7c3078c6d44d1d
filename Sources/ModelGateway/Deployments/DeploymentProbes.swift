// Whether and how one deployment is probed.

/// How one deployment is probed.
public enum DeploymentProbes: Sendable, Hashable {
    /// As its group says: ``DeploymentGroup/health``.
    case ofGroup
    /// Not at all: only calls tell whether it is up.
    case off
    /// In its own way.
    case options(HealthOptions)
}
