// What the attempts of one call have ended with, and which of it the client should hear.

/// The failures of one call so far.
package struct CallFailures: Sendable {
    /// The last failure that says more than that a deployment does not have the model.
    private(set) var telling: GatewayError?
    /// The last answer that a deployment does not have the model.
    private(set) var missing: GatewayError?
    /// The times at which deployments want to be asked again.
    private var returns: [MonotonicInstant] = []

    /// Creates an empty record.
    package init() {}

    /// The last failure that is worth telling, if there was any.
    var last: GatewayError? { telling ?? missing }

    /// Adds a failure.
    package mutating func insert(_ error: GatewayError, now: MonotonicInstant) {
        if error.isModelMissing { missing = error } else { telling = error }
        if let wait = error.retryAfter { returns.append(now + wait) }
    }

    /// The time until the first deployment wants to be asked again, of those that have not been asked since.
    func timeUntilReturn(now: MonotonicInstant) -> Duration? {
        returns.filter { $0 > now }.min().map { $0 - now }
    }
}
