// A conversation on a terminal: reads lines, answers them, remembers what was said.

import ModelGateway

struct Conversation {
    private static let help = """
        Type a question and press Enter. Pasted lines are one question; a line that ends in \\ continues on the next.
        /clear   forgets the conversation
        /help    shows this help
        /exit    leaves, like Ctrl-D
        Ctrl-C stops an answer; pressed twice at an empty prompt, it leaves. Put a space before a question that begins with a slash.

        """

    /// What a line that begins with a slash means.
    private enum Command: String {
        case clear
        case help
        case exit
        case quit
    }

    let session: ChatSession
    let interrupts: Interrupts
    let input: StandardInput

    func run() async throws {
        var messages: [ChatMessage] = []
        try await StandardStream.error.write("\(session.model): /help lists the commands, Ctrl-D leaves.\n")
        let reader = QuestionReader(input)
        defer { reader.close() }
        interrupts.whenIdle { reader.interrupted() }
        while let question = await reader.next() {
            if question.isEmpty { continue }
            guard let word = Self.command(question) else {
                messages = try await ask(question, after: messages)
                continue
            }
            switch Command(rawValue: word) {
            case .exit, .quit: return
            case .help: try await StandardStream.error.write(Self.help)
            case .clear:
                messages = []
                try await StandardStream.error.write("The conversation is forgotten.\n")
            case nil: try await StandardStream.error.write("There is no command '/\(word)'.\n" + Self.help)
            }
        }
        try await StandardStream.error.write("\n")
    }

    /// The command that a line is, without its slash; nil if it is a question. A path or a comment is one: its first word
    /// has another slash or a dot in it. So is what has a blank before it, and what was pasted in several lines.
    private static func command(_ question: String) -> String? {
        guard question.first == "/", !question.contains(where: \.isNewline) else { return nil }
        var line = question.dropFirst()
        while line.last?.isWhitespace == true { line.removeLast() }
        let word = line.prefix { !$0.isWhitespace }
        return word.contains { $0 == "/" || $0 == "." } ? nil : String(line)
    }

    /// Asks, and returns the conversation with what came of it. A failure is shown and takes the question back.
    private func ask(_ line: String, after earlier: [ChatMessage]) async throws -> [ChatMessage] {
        let messages = earlier + [.user(line)]
        do {
            let session = session
            let answer = try await interrupts.cancelling { try await session.answer(messages) }
            // Half an answer is still what was said; no answer at all takes the question back.
            if answer.isInterrupted, answer.response.text.isEmpty { return earlier }
            var turn = answer.response.message
            // Some servers refuse in a question what they themselves put into an answer.
            turn.extra = []
            return messages + [turn]
        } catch let error as GatewayError {
            try await StandardStream.error.write(CommandFailure(error).report)
            if error.code == .contextLengthExceeded {
                try await StandardStream.error.write("The conversation has become too long; /clear starts a new one.\n")
            }
            return earlier
        }
    }
}
