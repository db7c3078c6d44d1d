// A conversation on a terminal: reads lines, answers them, remembers what was said.

import ModelGateway

struct Conversation {
    private static let help = """
        Ask, and the answer comes as it is made. A line that ends in \\ goes on in the next one.
        /clear forgets what was said, /exit or Ctrl-D leaves. Ctrl-C stops an answer, once more it leaves.

        """

    let session: ChatSession
    let interrupts: Interrupts
    let input: StandardInput

    func run() async throws {
        var messages: [ChatMessage] = []
        try await StandardStream.error.write("\(session.model): /help says what there is, Ctrl-D leaves.\n")
        while let line = try await question() {
            switch line {
            case "": continue
            case "/exit", "/quit": return
            case "/help": try await StandardStream.error.write(Self.help)
            case "/clear":
                messages = []
                try await StandardStream.error.write("All that was said is forgotten.\n")
            default: messages = try await ask(line, after: messages)
            }
        }
        try await StandardStream.error.write("\n")
    }

    /// The next question, or nil when the person leaves.
    private func question() async throws -> String? {
        var lines: [String] = []
        while true {
            try await StandardStream.error.write(lines.isEmpty ? "> " : ". ")
            guard let line = await input.readLine() else { return nil }
            guard line.hasSuffix("\\") else {
                lines.append(line)
                let text = lines.joined(separator: "\n")
                return text.contains { !$0.isWhitespace } ? text : ""
            }
            lines.append(String(line.dropLast()))
        }
    }

    /// Asks, and returns the conversation with what came of it. A failure is shown and takes the question back.
    private func ask(_ line: String, after earlier: [ChatMessage]) async throws -> [ChatMessage] {
        let messages = earlier + [.user(line)]
        do {
            let session = session
            let answer = try await interrupts.cancelling { try await session.answer(messages) }
            // Half an answer is still what was said; no answer at all takes the question back.
            if answer.isInterrupted, answer.response.text.isEmpty { return earlier }
            return messages + [answer.response.message]
        } catch let error as GatewayError {
            try await StandardStream.error.write(CommandFailure(error).report)
            if error.code == .contextLengthExceeded {
                try await StandardStream.error.write("The conversation has become too long; /clear starts anew.\n")
            }
            return earlier
        }
    }
}
