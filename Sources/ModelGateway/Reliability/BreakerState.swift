// The states of a circuit breaker.

/// The state of a circuit breaker. Metrics and the control plane show the raw value.
public enum BreakerState: String, Sendable, Hashable, CustomStringConvertible {
    /// Calls go through.
    case closed
    /// No calls go through until the open time is up.
    case open
    /// A few calls at a time go through, to find out whether the deployment works again.
    case halfOpen = "half_open"

    public var description: String { rawValue }
}
