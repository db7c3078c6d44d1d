// How the attempts of one call have failed, and which of the failures the client should see.

/// The failures of one call so far.
package struct CallFailures: Sendable {
    /// The last failure that says more than that a deployment lacks the model.
    private(set) var telling: GatewayError?
    /// The last answer saying that a deployment lacks the model.
    private(set) var missing: GatewayError?
    /// When each deployment may be asked again.
    private var returns: [MonotonicInstant] = []

    /// Creates an empty record.
    package init() {}

    /// The last failure worth reporting, if there was one.
    var last: GatewayError? { telling ?? missing }

    /// Adds a failure.
    package mutating func insert(_ error: GatewayError, now: MonotonicInstant) {
        if error.isModelMissing { missing = error } else { telling = error }
        if let wait = error.retryAfter { returns.append(now + wait) }
    }

    /// The time until the first deployment may be asked again, among those that have not been asked since.
    func timeUntilReturn(now: MonotonicInstant) -> Duration? {
        returns.filter { $0 > now }.min().map { $0 - now }
    }
}
