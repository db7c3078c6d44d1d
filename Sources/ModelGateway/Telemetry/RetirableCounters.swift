// Counters that do not stay forever.

/// Counters that can be given back to the metrics backend.
protocol RetirableCounters: AnyObject, Sendable {
    /// Gives the counters back; what is counted afterwards is lost.
    func retire()
}
