// The right to make one attempt on one deployment; its load counts until the lease ends.

internal import Synchronization

/// One attempt on one deployment. Ends exactly once: by ``finish(_:_:)``, or as a cancelled one when it is let go.
package final class AttemptLease: Sendable {
    /// The deployment to send the request to.
    package var deployment: Deployment { record.deployment }

    let record: DeploymentRecord
    let slot: Int
    let era: UInt32
    let tokens: Int
    let input: RoutingInput
    private let group: GroupState
    private let phase: Atomic<UInt8>

    private static let begun: UInt8 = 0
    private static let answered: UInt8 = 1
    private static let ended: UInt8 = 2

    init(group: GroupState, record: DeploymentRecord, slot: Int, era: UInt32, input: RoutingInput) {
        self.group = group
        self.record = record
        self.slot = slot
        self.era = era
        self.input = input
        tokens = input.estimatedTokens
        phase = Atomic(Self.begun)
    }

    deinit {
        finish(.cancelled)
    }

    /// Says that the upstream accepted the request: its status is a success. Policies that remember prompts do it now.
    package func accepted() {
        group.accepted(self)
    }

    /// Says that the first byte of content came: the prompt no longer waits to be read. May be called more than once.
    package func answered() {
        if phase.compareExchange(expected: Self.begun, desired: Self.answered, ordering: .relaxed).exchanged {
            group.answered(self)
        }
    }

    /// Ends the attempt, after the last byte of its answer. Only the first call counts.
    package func finish(_ outcome: AttemptOutcome, _ measure: AttemptMeasure = AttemptMeasure()) {
        let before = phase.exchange(Self.ended, ordering: .acquiringAndReleasing)
        guard before != Self.ended else { return }
        group.finished(self, pendingTokens: before == Self.begun ? tokens : 0, outcome: outcome, measure: measure)
    }
}

/// The deployments that a call has tried, which its next attempt should not go to.
package struct TriedDeployments: Sendable {
    struct Entry: Sendable {
        var slot: Int
        var number: UInt64
    }

    private(set) var entries: [Entry] = []

    /// Creates an empty set.
    package init() {}

    /// Adds the deployment of a lease.
    package mutating func insert(_ lease: AttemptLease) {
        entries.append(Entry(slot: lease.slot, number: lease.record.number))
    }

    /// Whether a deployment may be tried again when nothing else is left, because the last request did not reach it.
    var mayRepeat = false
}
