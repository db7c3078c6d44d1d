// The line that shows how far a model is loaded: on a terminal only, and only if it takes longer than half a second.

import GatewayWire
import ModelGateway
import Synchronization

/// One line of progress that is written over itself and leaves nothing behind.
final class LoadProgressLine: Sendable {
    private struct State {
        var shown: Int?
        var isOver = false
    }

    private static let patience = Duration.milliseconds(500)

    private let name: String
    private let start = MonotonicInstant.now
    private let isWatched = StandardStream.error.isTerminal
    private let state = Lock(State())

    init(name: String) {
        self.name = name
    }

    /// Shows a fraction, 0…1.
    func show(_ fraction: Double) {
        guard isWatched, MonotonicInstant.now - start > Self.patience else { return }
        let percent = Int(min(max(fraction, 0), 1) * 100)
        state.withLock { state in
            guard !state.isOver, state.shown != percent else { return }
            state.shown = percent
            StandardStream.error.control("\rLoading \(TerminalText.escaped(name)): \(percent) %")
        }
    }

    /// Takes the line away.
    func clear() {
        state.withLock { state in
            if state.shown != nil { StandardStream.error.control("\r\u{1B}[K") }
            state.isOver = true
        }
    }
}
