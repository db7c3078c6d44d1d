// What signals do to the server: announce its end, drain, end at once. SIGHUP reads certificates again.

import GatewaySystem
import GatewayWire
import Logging
import Synchronization
import UnixSignals

/// The way of a server to its end, one step further with each signal.
///
/// The first SIGTERM or SIGINT makes the server unready, while it goes on to take calls for the delay: load balancers
/// need that time to notice. Then it drains. A signal during the delay cuts it short, and one during the drain ends the
/// process.
final class Shutdown: Sendable {
    private enum Stage {
        case running
        case announced
        case draining
    }

    /// What the steps do.
    struct Actions: Sendable {
        /// Says that no more calls should come.
        var announce: @Sendable () -> Void
        /// Looks at the certificates of TLS; nil if there are none.
        var reloadCertificates: (@Sendable () async -> Void)?
        /// Lets running calls finish and ends.
        var drain: @Sendable () async -> Void
    }

    private let delay: Duration
    /// Whether somebody sits at a terminal, whose Ctrl-C waits for nothing.
    private let isInteractive: Bool
    private let actions: Actions
    private let logger: Logger
    private let stage = Lock(Stage.running)

    /// - Parameter delay: Between the first signal and the drain; nil for 5 s, or none if standard input is a terminal.
    init(delay: Duration?, actions: Actions, logger: Logger) {
        isInteractive = StreamDescriptor.standardInput.isTerminal
        self.delay = delay ?? (isInteractive ? .zero : .seconds(5))
        self.actions = actions
        self.logger = logger
    }

    /// Takes the signals over, for the rest of the process.
    func install() async {
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup)
        Task.detached {
            for await signal in signals {
                if signal == .sighup { await self.reload() } else { await self.advance(signal) }
            }
        }
    }

    private func reload() async {
        guard let reloadCertificates = actions.reloadCertificates else {
            return logger.notice(
                "SIGHUP is ignored: the configuration is read only at the start; restart to apply changes."
            )
        }
        logger.notice(
            "SIGHUP: checking the certificates. The configuration is read only at the start; restart to apply changes."
        )
        await reloadCertificates()
    }

    private func advance(_ signal: UnixSignal) async {
        let delay = signal == .sigint && isInteractive ? .zero : delay
        let (before, after) = stage.withLock { stage in
            let before = stage
            stage = before == .running && delay > .zero ? .announced : .draining
            return (before, stage)
        }
        if before == .draining { ThisProcess.exit(ExitStatus.interrupted.rawValue) }
        guard after == .announced else { return await drain(signal) }
        logger.info(
            "No longer ready; calls are still accepted for a while.",
            metadata: ["signal": "\(signal)", "delay": "\(delay)"]
        )
        actions.announce()
        Task.detached {
            try await Task.sleep(for: delay)
            let isDue = self.stage.withLock { stage in
                defer { stage = .draining }
                return stage == .announced
            }
            if isDue { await self.drain(signal) }
        }
    }

    private func drain(_ signal: UnixSignal) async {
        logger.info("Shutting down; running answers may finish.", metadata: ["signal": "\(signal)"])
        await actions.drain()
    }
}
