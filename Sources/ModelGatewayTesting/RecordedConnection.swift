// A connection that a scripted engine has seen.

/// A connection that a scripted engine accepted.
public struct RecordedConnection: Sendable {
    /// Its number, counted from 0.
    public let index: Int
    /// When it was accepted.
    public let opened: ContinuousClock.Instant
    /// When it ended, from either side; nil while it is open.
    public internal(set) var closed: ContinuousClock.Instant?
    /// Whether the client ended it: with a FIN or RST, before the script did.
    public internal(set) var wasClosedByClient = false
    /// Each byte that came in on it.
    public internal(set) var received: [UInt8] = []
    /// How many bytes the kernel took from the script.
    public internal(set) var sent = 0
}
