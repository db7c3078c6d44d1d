// One model, opened and ready to be asked: streams an answer to the terminal and keeps the whole of it.

import GatewaySystem
import GatewayWire
import ModelGateway

/// An answer as far as it came.
struct Answer: Sendable {
    var response: ChatResponse
    /// Whether Ctrl-C ended it.
    var isInterrupted: Bool
}

/// What all questions of one run of the command have in common.
struct ChatSession: Sendable {
    let gateway: Gateway
    let model: String
    let system: String?
    let sampling: Sampling
    let showsStatistics: Bool

    /// Asks and prints the answer as it is made.
    /// - Parameters:
    ///   - messages: The conversation, without the system's instructions.
    ///   - printing: Whether the text goes to standard output.
    func answer(_ messages: [ChatMessage], printing: Bool = true) async throws -> Answer {
        let instructions = system.map { [ChatMessage.system($0)] } ?? []
        let request = ChatRequest(model: model, messages: instructions + messages, sampling: sampling)
        var collector = ChatCollector(created: WallClock.unixSeconds())
        var statistics = AnswerStatistics()
        var isInterrupted = false
        var endsLine = true
        do {
            for try await event in gateway.stream(request) {
                collector.add(event)
                guard let text = event.visibleText else { continue }
                statistics.received()
                if printing {
                    try await StandardStream.output.write(text)
                    endsLine = text.utf8.last.map { $0 == 0x0A } ?? endsLine
                }
            }
        } catch GatewayError.Code.cancelled {
            isInterrupted = true
        } catch {
            if !endsLine { try await StandardStream.output.write("\n") }
            throw error
        }
        if !endsLine { try await StandardStream.output.write("\n") }
        var response = collector.response
        if response.model.isEmpty { response.model = model }
        if showsStatistics {
            try await StandardStream.error.write(statistics.summary(of: response.usage) + "\n")
        }
        return Answer(response: response, isInterrupted: isInterrupted)
    }
}

extension ChatEvent {
    /// What of the event a person gets to read.
    fileprivate var visibleText: String? {
        switch self {
        case .text(let text, choice: 0), .refusal(let text, choice: 0): text
        default: nil
        }
    }
}
