// How an attempt ended, as far as the health of its deployment is concerned.

/// The verdict on one attempt.
package enum AttemptOutcome: Sendable, Hashable {
    /// The deployment did its work; this includes refusing a bad request.
    case success
    /// The deployment failed: transport error, timeout, 5xx, 408 or a truncated answer.
    case failure
    /// The deployment has too much to do (429): it rests for this long, or for a growing time if it did not say.
    case rateLimited(retryAfter: Duration?)
    /// The deployment does not have the model, or not the endpoint (404): it rests for a growing time while others take
    /// its calls, and a worker is asked for its models.
    case modelMissing
    /// The account of the deployment has nothing left to pay with (402, `insufficient_quota`): it rests for this long, or
    /// for a growing time if it did not say, while others take its calls.
    case outOfQuota(retryAfter: Duration?)
    /// The caller went away, or the gateway itself could not do its part: no verdict.
    case cancelled
    /// The deployment rejected the gateway's credentials (401, 403); see ``CredentialState``.
    case misconfigured
}

extension AttemptOutcome {
    /// The verdict that belongs to an error of an attempt.
    package init(_ error: GatewayError) {
        if error.upstream != nil {
            if error.isModelMissing {
                self = .modelMissing
                return
            }
            if error.isOutOfQuota {
                self = .outOfQuota(retryAfter: error.retryAfter)
                return
            }
        }
        switch error.code {
        case .cancelled, .shuttingDown, .overloaded:
            self = .cancelled
        case .rateLimited:
            self = .rateLimited(retryAfter: error.retryAfter)
        case .upstreamUnauthorized:
            self = .misconfigured
        case .connectFailed, .tlsFailed, .timedOut, .truncatedResponse, .malformedResponse, .modelLoadFailed,
            .unavailable, .internalError:
            self = .failure
        default:
            self =
                error.upstream.map { AttemptOutcome(status: $0.status) }
                ?? (error.code == .upstreamFailed ? .failure : .success)
        }
    }

    /// The verdict that belongs to a response's status, when its body came whole.
    package init(status: Int, retryAfter: Duration? = nil) {
        switch status {
        case 401, 403: self = .misconfigured
        case 402: self = .outOfQuota(retryAfter: retryAfter)
        case 404: self = .modelMissing
        case 408, 500...: self = .failure
        case 429: self = .rateLimited(retryAfter: retryAfter)
        default: self = .success
        }
    }
}

/// What an attempt cost and how fast it was, for policies that learn from it.
package struct AttemptMeasure: Sendable, Hashable {
    /// From the attempt's start to the first byte of content.
    package var timeToFirstToken: Duration?
    /// From the attempt's start to the last byte of a whole answer; nil if there was none.
    package var total: Duration?
    /// Tokens of the prompt, as the provider counted them.
    package var promptTokens: Int?
    /// Tokens of the answer, as the provider counted them.
    package var completionTokens: Int?

    /// Creates a measure.
    package init(
        timeToFirstToken: Duration? = nil,
        total: Duration? = nil,
        promptTokens: Int? = nil,
        completionTokens: Int? = nil
    ) {
        self.timeToFirstToken = timeToFirstToken
        self.total = total
        self.promptTokens = promptTokens
        self.completionTokens = completionTokens
    }
}
