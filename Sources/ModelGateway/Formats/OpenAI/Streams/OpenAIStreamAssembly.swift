// From a streamed answer of OpenAI's format to the whole answer: bytes in at any partition, one body out.

/// Puts a stream together.
package struct OpenAIStreamAssembly: AnswerAssembly {
    private let isChat: Bool
    private var reader = OpenAIChunkReader()
    private var answer = OpenAIAnswerAssembly()

    /// - Parameter isChat: Whether it is a chat completion and not a completion of a raw text.
    package init(isChat: Bool) {
        self.isChat = isChat
    }

    package var isDone: Bool { reader.isDone }
    package var isComplete: Bool { answer.isComplete }
    package var hasContent: Bool { answer.hasContent }
    package var usage: Usage? { answer.usage }

    package mutating func feed(_ bytes: [UInt8]) throws(GatewayError) {
        for chunk in try reader.feed(bytes) { answer.add(chunk) }
    }

    package mutating func truncation() -> GatewayError { reader.truncation() }

    package func body(head: AnswerHead) -> [UInt8] { answer.answer(isChat: isChat, head: head).serialized() }
}
