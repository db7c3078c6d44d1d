// What happens in the fleet, for the log: collected where it happens, written where writing may take a while.

import GatewayWire
internal import Logging
import Synchronization

/// Something that operators want to see in the log.
struct FleetNotice: Sendable {
    var level: Logger.Level
    var text: String
    var metadata: [(String, String)]
}

/// Takes notices from calls and from the control plane, which must not wait for a log, and writes them while someone
/// runs it. Otherwise they are not kept.
final class FleetJournal: Sendable {
    /// Notices beyond this number are dropped while the log cannot keep up.
    private static let capacity = 1000

    private let writer = Lock<AsyncStream<FleetNotice>.Continuation?>(nil)

    /// Takes a notice. Never waits.
    func note(_ level: Logger.Level, _ text: String, _ metadata: [(String, String)]) {
        let writer = writer.withLock { $0 }
        writer?.yield(FleetNotice(level: level, text: text, metadata: metadata))
    }

    /// Starts collecting.
    func open() -> AsyncStream<FleetNotice> {
        let (notices, writer) = AsyncStream.makeStream(
            of: FleetNotice.self,
            bufferingPolicy: .bufferingOldest(Self.capacity)
        )
        self.writer.withLock { $0 = writer }
        return notices
    }

    /// Writes what is collected until the task is cancelled.
    func write(_ notices: AsyncStream<FleetNotice>, to logger: Logger) async {
        for await notice in notices {
            var metadata: Logger.Metadata = [:]
            for (key, value) in notice.metadata { metadata[key] = .string(value) }
            logger.log(level: notice.level, "\(notice.text)", metadata: metadata)
        }
    }
}

extension FleetJournal {
    /// Takes an event from a group.
    func note(_ event: FleetEvent, model: String) {
        guard let (level, text, record) = event.notice else { return }
        var metadata = [("model", model), ("deployment", record.deployment.id)]
        switch event {
        case .left(_, _, let calls) where calls > 0: metadata.append(("calls", "\(calls)"))
        case .draining(_, let calls): metadata.append(("calls", "\(calls)"))
        case .credentials(_, let mode, _): metadata.append(("mode", mode.rawValue))
        default: break
        }
        note(level, text, metadata)
    }
}

extension FleetEvent {
    /// What the log says about it; nil for events that only concern other parts of the program.
    fileprivate var notice: (Logger.Level, String, DeploymentRecord)? {
        switch self {
        case .breaker(let record, to: .open):
            (.notice, "The circuit breaker opened: the deployment has failed too often and receives no calls.", record)
        case .breaker(let record, to: .halfOpen):
            (.info, "The circuit breaker is half-open: the deployment receives a few trial calls.", record)
        case .breaker(let record, to: .closed):
            (.notice, "The circuit breaker closed: the deployment receives calls again.", record)
        case .health(let record, isHealthy: false):
            (.notice, "The deployment does not answer its health probes and receives no calls.", record)
        case .health(let record, isHealthy: true): (.notice, "The deployment is healthy again.", record)
        case .credentials(let record, _, areAccepted: false):
            (
                .warning, "The deployment rejected the gateway's credentials and receives no calls; check its API key.",
                record
            )
        case .credentials(let record, _, areAccepted: true):
            (.notice, "The deployment accepts the gateway's credentials again.", record)
        case .draining(let record, _): (.info, "The deployment is draining and receives no new calls.", record)
        case .returned(let record): (.info, "The deployment is no longer draining.", record)
        case .left(let record, .drained, _): (.info, "The deployment was removed after its last call.", record)
        case .left(let record, .atDeadline, _):
            (.notice, "The deployment was removed at its deadline, with calls still running.", record)
        case .left(let record, .removed, _): (.info, "The deployment was removed.", record)
        case .left(let record, .replaced, _): (.info, "The deployment was replaced by one with other settings.", record)
        case .modelMissing, .credentialsDoubted, .probesChanged: nil
        }
    }
}
