// Limits retries to a share of recent calls, so that a failing fleet is not buried under them.

/// Allows retries up to 20 % of the calls of the last 10 s, plus 3 a second.
package struct RetryBudget: Sendable {
    private static let length = Duration.seconds(10)

    private let ratio: Double
    private let reserve: Double
    // A "failure" of this window is a retry.
    private var window = SlidingWindow(length: RetryBudget.length)

    /// Creates a budget.
    /// - Parameters:
    ///   - ratio: The share of calls that may be retried.
    ///   - perSecond: The retries per second that are always allowed.
    package init(ratio: Double = 0.2, perSecond: Double = 3) {
        self.ratio = ratio
        reserve = perSecond * Self.length.inSeconds
    }

    /// Counts a call, but not its retries.
    package mutating func recordCall(now: MonotonicInstant) {
        window.record(failure: false, now: now)
    }

    /// Takes one retry from the budget if there is one left.
    package mutating func spend(now: MonotonicInstant) -> Bool {
        let counts = window.counts(now: now)
        let calls = counts.calls - counts.failures
        guard Double(counts.failures + 1) <= ratio * Double(calls) + reserve else { return false }
        window.record(failure: true, now: now)
        return true
    }
}
