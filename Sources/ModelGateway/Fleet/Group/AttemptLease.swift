// The right to make one attempt on one deployment; its load counts until the lease ends.

internal import Synchronization

/// One attempt on one deployment. It ends exactly once: by ``finish(_:_:)``, or as cancelled when it is released.
package final class AttemptLease: Sendable {
    /// The deployment to send the request to.
    package var deployment: Deployment { placement.record.deployment }

    /// Its provider, if the provider passes bytes through.
    var relaying: (any RelayingProvider)? { placement.record.relaying }

    let placement: Placement
    let input: RoutingInput
    let started: MonotonicInstant
    private let group: GroupState
    private let phase: Atomic<UInt8>
    private let wasAccepted = Atomic(false)
    /// How much of the prompt the deployment had read before it was chosen; nil if nobody keeps track of that.
    let knownBytes: Int?

    private static let begun: UInt8 = 0
    private static let answered: UInt8 = 1
    private static let ended: UInt8 = 2

    init(group: GroupState, placement: Placement, input: RoutingInput, started: MonotonicInstant, knownBytes: Int?) {
        self.group = group
        self.placement = placement
        self.input = input
        self.started = started
        self.knownBytes = knownBytes
        phase = Atomic(Self.begun)
    }

    deinit {
        finish(.cancelled)
    }

    /// Notes that the upstream accepted the request: its status is a success. Without this, policies that remember
    /// prompts forget at the end that this one was ever sent.
    package func accepted() {
        wasAccepted.store(true, ordering: .relaxed)
    }

    /// Notes that the first byte of content arrived: the prompt has been read. May be called more than once.
    package func answered() {
        if phase.compareExchange(expected: Self.begun, desired: Self.answered, ordering: .relaxed).exchanged {
            group.answered(self)
        }
    }

    /// Ends the attempt, after the last byte of its answer. Only the first call counts.
    package func finish(_ outcome: AttemptOutcome, _ measure: AttemptMeasure = AttemptMeasure()) {
        let before = phase.exchange(Self.ended, ordering: .acquiringAndReleasing)
        guard before != Self.ended else { return }
        if !wasAccepted.load(ordering: .relaxed) { group.refused(self) }
        group.finished(self, wasAnswered: before == Self.answered, outcome: outcome, measure: measure)
    }
}

/// The deployments that a call has tried and that its next attempt should avoid.
package struct TriedDeployments: Sendable {
    struct Entry: Sendable {
        var slot: Int
        var number: UInt64
        /// When it may be tried again if nothing else is left; never, unless its failure allows it.
        var returns = MonotonicInstant.never
    }

    private(set) var entries: [Entry] = []
    /// Whether a deployment may be tried again when nothing else is left: the request did not reach it, or it said when
    /// to come back.
    var mayRepeat: Bool { entries.contains { $0.returns != .never } }

    /// Creates an empty set.
    package init() {}

    /// Adds the deployment of a lease.
    package mutating func insert(_ lease: AttemptLease) {
        entries.append(Entry(slot: lease.placement.slot, number: lease.placement.record.number))
    }

    /// Allows the last deployment to be tried again from an instant on, if nothing else is left.
    mutating func allowReturn(at instant: MonotonicInstant) {
        if !entries.isEmpty { entries[entries.count - 1].returns = instant }
    }
}
