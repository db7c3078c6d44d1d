// When a failed attempt is retried, after how long, and when other models take over.

/// How often a call is tried, how long to wait in between, and which errors move it to other models.
public struct RetryOptions: Sendable, Hashable {
    /// Attempts per call, including the first. Default 3; at least 1.
    public var maxAttempts: Int
    /// The wait before the second attempt; doubles with each further one. Default 50 ms.
    public var backoff: Duration
    /// The longest wait between two attempts that the gateway chooses by itself. Default 5 s.
    public var maxBackoff: Duration
    /// The longest total time that a call waits for deployments that have asked to be left alone for a while
    /// (`Retry-After`) when no other one can take it. A call that would have to wait longer fails at once with 429 or
    /// 503 and the shortest of those times as its `Retry-After`. Default 5 s; with zero it never waits.
    public var maxWait: Duration
    /// Share by which the wait varies randomly in either direction. Default 0.2.
    public var jitter: Double
    /// The most retries, as a share of the calls of the last 10 s. Default 0.2.
    public var budgetRatio: Double
    /// Retries per second that are allowed on top of that share. Default 3.
    public var budgetPerSecond: Double

    /// Creates a set of limits.
    public init(
        maxAttempts: Int = 3,
        backoff: Duration = .milliseconds(50),
        maxBackoff: Duration = .seconds(5),
        maxWait: Duration = .seconds(5),
        jitter: Double = 0.2,
        budgetRatio: Double = 0.2,
        budgetPerSecond: Double = 3
    ) {
        self.maxAttempts = maxAttempts
        self.backoff = backoff
        self.maxBackoff = maxBackoff
        self.maxWait = maxWait
        self.jitter = jitter
        self.budgetRatio = budgetRatio
        self.budgetPerSecond = budgetPerSecond
    }
}

/// What happens after a failed attempt.
package enum RetryDecision: Sendable, Hashable {
    /// Try again after a wait, leaving out the deployments that are still in the set of tried ones.
    case retry(after: Duration)
    /// Try the same call on these models, in this order.
    case fallback(models: [String])
    /// Return the error to the client.
    case stop
}

/// What is known when an attempt has failed.
package struct FailedAttempt: Sendable {
    /// Attempts of this call so far, including this one.
    package var attempts: Int
    /// Time left until the call's deadline; nil if it has none.
    package var remaining: Duration?
    /// Whether the first byte of content has gone to the client: then nothing is retried.
    package var isCommitted: Bool
    /// How long the call has waited between attempts so far.
    package var waited: Duration

    /// Creates a record.
    package init(attempts: Int, remaining: Duration?, isCommitted: Bool = false, waited: Duration = .zero) {
        self.attempts = attempts
        self.remaining = remaining
        self.isCommitted = isCommitted
        self.waited = waited
    }
}

extension RetryOptions {
    /// Where a call may be tried again after an error.
    enum Kind: Sendable, Hashable {
        case never, contextFallback, contentFallback
        /// Anywhere except where it failed.
        case elsewhere
        /// Anywhere, including where it failed: the request never reached the upstream.
        case anywhere
    }

    static func kind(of error: GatewayError) -> Kind {
        // Another deployment may have the model, or an account with credit left.
        if error.isModelMissing || error.isOutOfQuota { return .elsewhere }
        switch error.code {
        case .contextLengthExceeded: return .contextFallback
        case .contentFiltered: return .contentFallback
        case .cancelled, .shuttingDown, .overloaded, .modelNotFound, .notFound, .invalidRequest, .unprocessable,
            .payloadTooLarge,
            .unsupported, .unsupportedMediaType, .methodNotAllowed, .conflict, .unauthenticated, .permissionDenied,
            .configuration:
            return .never
        case .connectFailed, .tlsFailed:
            return .anywhere
        case .truncatedResponse where !error.requestWasSent:
            return .anywhere
        default:
            if let status = error.upstream?.status, [400, 413, 422].contains(status) { return .never }
            return .elsewhere
        }
    }

    /// The wait before attempt number `attempts + 1`.
    /// - Parameter variation: A number in -1...1 that shifts the wait within its jitter.
    func wait(attempts: Int, variation: Double) -> Duration {
        let doublings = Double(1 << min(max(0, attempts - 1), 20))
        let base = min(backoff.inSeconds * doublings, maxBackoff.inSeconds)
        return .seconds(base * (1 + jitter * variation))
    }
}
