// The end of a call, settled exactly once: the deployment's load and health, the metrics, the log entry.

import GatewayWire
import Synchronization

/// Follows one attempt that was given to a client from its first piece of the answer to its end.
package final class CallSettlement: Sendable {
    /// How the answer ended.
    package enum Outcome: Sendable {
        /// It arrived whole.
        case success
        /// It broke off or was an error.
        case failure(GatewayError)
        /// The client went away.
        case cancelled
    }

    private let lease: AttemptLease
    private let record: Lock<CallRecord>
    private let isSettled = Atomic(false)
    private let started: MonotonicInstant
    private let attemptStarted = MonotonicInstant.now
    private let observer: (any CallObserver)?
    /// What follows the attempt and its call, if anything does.
    let watch: AttemptWatch?

    init(
        lease: AttemptLease,
        record: CallRecord,
        started: MonotonicInstant,
        observer: (any CallObserver)?,
        watch: AttemptWatch?
    ) {
        self.lease = lease
        self.record = Lock(record)
        self.started = started
        self.observer = observer
        self.watch = watch
    }

    deinit {
        settle(.cancelled, usage: nil)
    }

    /// The provider accepted the request.
    func accepted() {
        lease.accepted()
    }

    /// The first piece of the answer is there.
    func firstToken() {
        lease.answered()
        let now = MonotonicInstant.now
        record.withLock { record in
            if record.timeToFirstToken == nil { record.timeToFirstToken = now - started }
        }
    }

    /// An error of the deployment as it may be shown.
    func masked(_ error: GatewayError) -> GatewayError {
        lease.deployment.provider.masked(error)
    }

    /// Ends the call. Only the first time counts.
    func settle(_ outcome: Outcome, usage: Usage?) {
        guard isSettled.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged else { return }
        let now = MonotonicInstant.now
        let record = record.withLock { record in
            record.usage = usage ?? record.usage
            record.duration = now - started
            record.error = outcome.code
            return record
        }
        finishLease(outcome, record)
        observer?.callFinished(record)
        guard let watch else { return }
        let error = outcome.error.map(masked)
        watch.finished(error: error)
        watch.call.finished(record, error: error)
    }

    /// Ends the attempt but not the call, which another attempt goes on with.
    func abandon(_ error: GatewayError) {
        guard isSettled.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged else { return }
        lease.finish(AttemptOutcome(error))
        watch?.finished(error: error)
    }

    private func finishLease(_ outcome: Outcome, _ record: CallRecord) {
        let verdict: AttemptOutcome =
            switch outcome {
            case .success: .success
            case .failure(let error): AttemptOutcome(error)
            case .cancelled: .cancelled
            }
        let measure = AttemptMeasure(
            timeToFirstToken: record.timeToFirstToken.map { started + $0 - attemptStarted },
            total: verdict == .success && record.error == nil
                ? started + record.duration - attemptStarted : nil,
            promptTokens: record.usage?.promptTokens,
            completionTokens: record.usage?.completionTokens
        )
        lease.finish(verdict, measure)
    }
}

extension CallSettlement.Outcome {
    fileprivate var code: GatewayError.Code? {
        switch self {
        case .success: nil
        case .failure(let error): error.code
        case .cancelled: .cancelled
        }
    }

    fileprivate var error: GatewayError? {
        switch self {
        case .success: nil
        case .failure(let error): error
        case .cancelled: GatewayError(.cancelled, "The client disconnected before its answer was complete.")
        }
    }
}
