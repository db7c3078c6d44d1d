// The questions of a conversation, as a person types and pastes them on a terminal.

import GatewayWire
import Synchronization

/// Reads questions and shows what is typed.
final class QuestionReader: Sendable {
    private static let howToLeave = "\n(Press Ctrl-C again or Ctrl-D, or type /exit, to leave.)\n"

    private struct State {
        var editor = LineEditor()
        /// Whether the prompt is there.
        var isAsking = false
        /// Whether nothing was typed since a Ctrl-C with nothing to stop.
        var mayLeave = false
    }

    private let input: StandardInput
    private let edits: Bool
    private let state = Lock(State())

    /// Takes the terminal over.
    init(_ input: StandardInput) {
        self.input = input
        edits = TerminalMode.enter()
    }

    /// Gives the terminal back.
    func close() { TerminalMode.leave() }

    /// The next question, or nil when the person leaves. A blank one is empty.
    func next() async -> String? {
        state.withLock { state in
            state.isAsking = true
            StandardStream.error.control(LineEditor.prompt)
        }
        let question = edits ? await edited() : await plain()
        state.withLock { $0.isAsking = false }
        // A pasted text often ends in a line break, which is not part of what is asked.
        guard var question else { return nil }
        while question.last?.isNewline == true { question.removeLast() }
        return question.contains { !$0.isWhitespace } ? question : ""
    }

    /// What Ctrl-C does while no answer is being made: forgets what was typed; with nothing typed it says how to leave, and
    /// the next one leaves.
    /// - Returns: Whether the person leaves.
    func interrupted() -> Bool {
        state.withLock { state in
            if state.editor.text.isEmpty {
                guard !state.mayLeave else { return true }
                state.mayLeave = true
                StandardStream.error.control(Self.howToLeave)
            } else {
                state.editor.clear()
                StandardStream.error.control("^C\n")
            }
            if state.isAsking { StandardStream.error.control(LineEditor.prompt) }
            return false
        }
    }

    private func edited() async -> String? {
        while true {
            let outcome = state.withLock { state in
                let (outcome, shown) = state.editor.advance(columns: TerminalMode.columns)
                StandardStream.error.control(shown)
                return outcome
            }
            switch outcome {
            case .question(let text): return text
            case .leave: return nil
            case .more: break
            }
            guard let bytes = await input.readKeys(), !bytes.isEmpty else { return nil }
            state.withLock { state in
                state.mayLeave = false
                state.editor.receive(bytes)
            }
        }
    }

    /// The same where the system edits the lines.
    private func plain() async -> String? {
        var lines: [String] = []
        while let line = await input.readLine() {
            state.withLock { $0.mayLeave = false }
            guard line.hasSuffix("\\") else { return (lines + [line]).joined(separator: "\n") }
            lines.append(String(line.dropLast()))
            StandardStream.error.control(". ")
        }
        return nil
    }
}
