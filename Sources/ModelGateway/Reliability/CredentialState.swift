// Whether an upstream accepts the gateway's credentials: a pure state machine that is told the time.

/// What the calls of one mode, and probes, have shown about a deployment's credentials.
///
/// A single rejection (401, 403) is not evidence against credentials that have worked: it may be about that one
/// request. Three in a row are, or a rejected probe with the credentials on top; for credentials that never worked, one
/// is enough. The way back takes real evidence, too: a probe made with the credentials, or one trial call at a time
/// after a wait that doubles. If a probe lets a deployment back in and its next call is rejected, the probe proved
/// nothing, and no such probe is believed until a call has succeeded.
package struct CredentialState: Sendable {
    /// The state of a deployment's credentials.
    package enum Phase: UInt8, Sendable, Hashable {
        /// There is nothing against them.
        case accepted
        /// They were rejected, but have worked before.
        case doubted
        /// They are being rejected: no calls.
        case rejected
        /// One call at a time tests whether they are accepted again.
        case onTrial
    }

    /// Consecutive rejections that count as evidence against credentials that have worked before.
    static let rejectionsToLeave: Int32 = 3
    private static let firstWait = 10.0
    private static let longestWait = 300.0
    private static let jitter = 0.2

    /// The present state.
    package private(set) var phase = Phase.accepted
    /// Whether a call has succeeded and nothing has come up against the credentials since: then a success changes
    /// nothing.
    package private(set) var isProven = false
    /// Whether the trial's one call is in flight.
    package private(set) var hasTrialUnderWay = false
    /// When the next trial may begin; ``MonotonicInstant/never`` unless rejected.
    package private(set) var nextTrial = MonotonicInstant.never

    private var hasWorked = false
    private var wasProbed = false
    private var probesProveNothing = false
    private var rejections: Int32 = 0
    private var departures: Int32 = 0

    /// Creates a state with nothing against the credentials.
    package init() {}

    /// Notes that a call begins. Returns whether it is a trial.
    package mutating func begin() -> Bool {
        guard phase == .onTrial else { return false }
        hasTrialUnderWay = true
        return true
    }

    /// Notes that a trial ended; what it has shown is noted separately, afterwards.
    package mutating func endTrial() {
        hasTrialUnderWay = false
    }

    /// Notes that a call was answered. Returns whether this brought the deployment back.
    package mutating func succeed(isTrial: Bool) -> Bool {
        // A call that began before the rejection says nothing about what came after it.
        if phase == .rejected || (phase == .onTrial && !isTrial) { return false }
        let isBack = phase == .onTrial
        self = CredentialState()
        hasWorked = true
        isProven = true
        return isBack
    }

    /// Notes that a call was rejected. Returns whether this took the deployment out.
    /// - Parameter variation: A number in -1...1 that shifts the wait within its jitter.
    package mutating func reject(isTrial: Bool, now: MonotonicInstant, variation: Double) -> Bool {
        if phase == .rejected || (phase == .onTrial && !isTrial) { return false }
        isProven = false
        rejections += 1
        if phase != .onTrial, hasWorked, !wasProbed, rejections < Self.rejectionsToLeave {
            phase = .doubted
            return false
        }
        if wasProbed { probesProveNothing = true }
        leave(now: now, variation: variation)
        return true
    }

    /// Notes that a probe with the credentials was answered. Returns whether this brought the deployment back.
    package mutating func probeAccepted() -> Bool {
        guard phase == .rejected || phase == .onTrial, !probesProveNothing else { return false }
        phase = .accepted
        nextTrial = .never
        hasTrialUnderWay = false
        rejections = 0
        wasProbed = true
        return true
    }

    /// Notes that a probe with the credentials was rejected. Returns whether this took the deployment out.
    /// - Parameter variation: A number in -1...1 that shifts the wait within its jitter.
    package mutating func probeRejected(now: MonotonicInstant, variation: Double) -> Bool {
        guard phase != .accepted, !hasTrialUnderWay else { return false }
        let isNew = phase != .rejected
        leave(now: now, variation: variation)
        return isNew
    }

    /// Lets time pass: once the wait is over, a trial may begin. Returns whether it is over.
    package mutating func advance(to now: MonotonicInstant) -> Bool {
        guard phase == .rejected, now >= nextTrial else { return false }
        phase = .onTrial
        nextTrial = .never
        return true
    }

    private mutating func leave(now: MonotonicInstant, variation: Double) {
        let doublings = min(departures, 16)
        let wait = min(Self.firstWait * Double(1 << doublings), Self.longestWait)
        departures += 1
        phase = .rejected
        wasProbed = false
        nextTrial = now + .seconds(wait * (1 + Self.jitter * variation))
    }
}
