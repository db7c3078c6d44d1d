// The states of a circuit breaker.

/// The state of a circuit breaker. The raw value is what metrics and the control plane show.
public enum BreakerState: String, Sendable, Hashable, CustomStringConvertible {
    /// Calls go through.
    case closed
    /// No call goes through until the open time is over.
    case open
    /// A few calls at a time go through to find out whether the deployment works again.
    case halfOpen = "half_open"

    public var description: String { rawValue }
}
