// How an attempt ended, as far as the health of its deployment is concerned.

/// The verdict on one attempt.
package enum AttemptOutcome: Sendable, Hashable {
    /// The deployment did its job, which includes refusing a bad request.
    case success
    /// The deployment failed: a transport error, a timeout, a 5xx, a 408 or a truncated answer.
    case failure
    /// The deployment is overloaded (429): it rests for this long, or for a growing time if it did not say how long.
    case rateLimited(retryAfter: Duration?)
    /// The deployment lacks the model or the endpoint (404): it rests for a growing time while others take
    /// its calls, and if it is a worker, it is asked for its models.
    case modelMissing
    /// The deployment's account has run out of credit (402, `insufficient_quota`): it rests for this long, or
    /// for a growing time if it did not say how long, while others take its calls.
    case outOfQuota(retryAfter: Duration?)
    /// The caller went away, or the gateway itself could not do its part: no verdict.
    case cancelled
    /// The deployment rejected the gateway's credentials (401, 403); see ``CredentialState``.
    case misconfigured
}

extension AttemptOutcome {
    /// The verdict that follows from an attempt's error.
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

    /// The verdict that follows from a response's status, if its body arrived in full.
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

/// What an attempt cost and how fast it was, for policies that learn from that.
package struct AttemptMeasure: Sendable, Hashable {
    /// From the attempt's start to the first byte of content.
    package var timeToFirstToken: Duration?
    /// From the attempt's start to the last byte of a complete answer; nil if there was none.
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
