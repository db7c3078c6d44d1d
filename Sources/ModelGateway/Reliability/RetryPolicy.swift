// When a failed attempt is followed by another one, after how long, and when other models take over.

/// How often a call is tried, how long to wait in between, and which errors go to other models.
public struct RetryOptions: Sendable, Hashable {
    /// Attempts of one call, the first one included. Default 3; at least 1.
    public var maxAttempts: Int
    /// The wait before the second attempt; doubles with each further one. Default 50 ms.
    public var backoff: Duration
    /// The longest wait between two attempts that the gateway chooses itself. Default 5 s.
    public var maxBackoff: Duration
    /// The longest time, in all, that a call waits for deployments which have asked to be left alone for a while
    /// (`Retry-After`), when no other one can take it. A call that would have to wait longer fails at once with 429 or
    /// 503 and the least of those times as its `Retry-After`. Default 5 s; zero never waits.
    public var maxWait: Duration
    /// Share by which the wait varies at random in both directions. Default 0.2.
    public var jitter: Double
    /// Retries as a share of the calls of the last 10 s. Default 0.2.
    public var budgetRatio: Double
    /// Retries per second that are allowed in addition to the share. Default 3.
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
    /// Try again after a wait, without the deployments in the set of tried ones as the decision left it.
    case retry(after: Duration)
    /// Try the same call on these models, in this order.
    case fallback(models: [String])
    /// Give the error to the client.
    case stop
}

/// What is known when an attempt failed.
package struct FailedAttempt: Sendable {
    /// Attempts of this call so far, this one included.
    package var attempts: Int
    /// Time left until the call's deadline; nil if it has none.
    package var remaining: Duration?
    /// Whether the first byte of content has gone to the client: then nothing is tried again.
    package var isCommitted: Bool
    /// How long the call has waited between its attempts so far.
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
    /// What kind of second try an error allows.
    enum Kind: Sendable, Hashable {
        case never, contextFallback, contentFallback
        /// Anywhere, but not where it failed.
        case elsewhere
        /// Anywhere, also where it failed: the request did not reach the upstream.
        case anywhere
    }

    static func kind(of error: GatewayError) -> Kind {
        // Another deployment may have the model, or an account with something left on it.
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
    /// - Parameter variation: A number in -1...1 that moves the wait within its jitter.
    func wait(attempts: Int, variation: Double) -> Duration {
        let doublings = Double(1 << min(max(0, attempts - 1), 20))
        let base = min(backoff.inSeconds * doublings, maxBackoff.inSeconds)
        return .seconds(base * (1 + jitter * variation))
    }
}
