// What calls of one mode have shown of a deployment, apart from the calls of other modes.

/// The health of a deployment in one mode.
///
/// An engine may answer conversations and fail at embeddings: endpoints differ in their code, their permissions and their
/// limits. So what calls show (failures, 429, rejected credentials) counts for their own mode, and what is asked of the
/// whole deployment or decided about it (probes, load, drain, weight, places) counts for all. Each mode has pools of its
/// own, so that a selection costs as much as if there was only one mode: it never looks at anyone's health.
///
/// It belongs to one group. The same upstream under two public names is judged by the calls of each name apart:
/// a group decides under its own lock, and a verdict that it shared would put a second lock into each call. The price
/// is that each group has to see the failures itself, at most as many as its breaker counts before it opens.
struct ModeHealth: Sendable {
    /// The reasons of this mode alone: ``Ineligibility/breakerOpen``, ``Ineligibility/coolingDown``,
    /// ``Ineligibility/misconfigured``, and ``Ineligibility/saturated`` for a half-open breaker without a free place or
    /// a trial of the credentials under way.
    var ineligibility: Ineligibility = []
    /// Whether the last answer was that it does not have the model.
    var isModelMissing = false
    /// Rejections with 429, 404 or 402 in a row.
    var cooldowns: Int32 = 0
    var breaker: CircuitBreaker
    var cooldownEnds = MonotonicInstant.never
    var credentials = CredentialState()

    init(_ breaker: CircuitBreakerOptions) {
        self.breaker = CircuitBreaker(breaker)
    }

    /// Whether a half-open breaker has no place left for another probe.
    @inline(__always) var isProbing: Bool {
        breaker.state == .halfOpen && breaker.probesUnderWay >= breaker.options.probes
    }

    /// When time alone changes something next.
    var nextEvent: MonotonicInstant {
        let next = min(breaker.reopening, credentials.nextTrial)
        return ineligibility.contains(.coolingDown) ? min(next, cooldownEnds) : next
    }
}
