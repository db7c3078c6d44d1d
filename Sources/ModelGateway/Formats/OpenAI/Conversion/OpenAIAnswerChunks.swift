// From a whole answer of OpenAI's format to the chunks of a streamed one, with every field that it has.

import GatewayWire

/// The chunks that stream a whole answer: for each choice who speaks, what is said, and how it ends; then the usage.
///
/// It works on the JSON, not on the vocabulary, so that nothing is lost that is unknown here.
package struct OpenAIAnswerChunks {
    /// The chunks, in order.
    package let chunks: [JSONValue]

    /// Cuts an answer into chunks.
    /// - Parameters:
    ///   - answer: A chat completion or a completion.
    ///   - isChat: Which of the two it is.
    ///   - head: What stands for the members of the head that the provider left out.
    /// - Throws: What the answer says instead; ``GatewayError/Code/malformedResponse`` if there is nothing in it.
    package init(_ answer: JSONValue, isChat: Bool, head: AnswerHead) throws(GatewayError) {
        guard let choices = answer["choices"]?.array, choices.contains(where: \.carriesAnswer) else {
            throw GatewayError(upstreamWithoutAnswer: answer)
        }
        let members = head.completed(answer.object ?? [], object: isChat ? "chat.completion.chunk" : "text_completion")
            .filter { !["choices", "usage"].contains($0.name) }
        let scalars = members.filter { $0.value.array == nil && $0.value.object == nil }
        // What an answer has besides, such as citations, comes once.
        let others = members.filter { $0.value.array != nil || $0.value.object != nil }
        var chunks: [JSONValue] = []
        for (position, choice) in choices.enumerated() {
            let index = choice["index"] ?? .number(JSONNumber(position))
            let pieces = isChat ? choice.chatPieces : choice.completionPieces
            let isLast = position == choices.count - 1
            for (place, piece) in pieces.enumerated() {
                let piece = JSONValue.object([JSONMember("index", index)] + piece)
                let rest = isLast && place == pieces.count - 1 ? others : []
                chunks.append(.object(scalars + [JSONMember("choices", [piece])] + rest))
            }
        }
        if let usage = answer["usage"], usage != .null {
            chunks.append(.object(scalars + [JSONMember("choices", []), JSONMember("usage", usage)]))
        }
        self.chunks = chunks
    }

    /// The chunks as an event stream with its end mark.
    package var events: [UInt8] {
        var bytes: [UInt8] = []
        for chunk in chunks { SSEWriter.append(data: chunk.serialized(), to: &bytes) }
        SSEWriter.appendDone(to: &bytes)
        return bytes
    }
}

extension JSONValue {
    /// The choice of a chat completion in three pieces.
    fileprivate var chatPieces: [[JSONMember]] {
        let message = self["message"] ?? .null
        var said = (message.object ?? []).filter { $0.name != "role" && $0.value != .null }
        for place in said.indices {
            switch said[place].name {
            case "content": said[place].value = said[place].value.joinedText
            case "tool_calls": said[place].value = said[place].value.numberedCalls
            default: break
            }
        }
        let hasToolCalls = message["tool_calls"]?.array?.isEmpty == false
        let speaker: JSONValue = ["role": message["role"] ?? "assistant", "content": ""]
        let logprobs = (object ?? []).filter { $0.name == "logprobs" }
        let none = JSONMember("finish_reason", .null)
        return [
            [JSONMember("delta", speaker), none],
            [JSONMember("delta", .object(said))] + logprobs + [none],
            [JSONMember("delta", .object([]))] + end(hasToolCalls: hasToolCalls),
        ]
    }

    /// The choice of a completion in two pieces.
    fileprivate var completionPieces: [[JSONMember]] {
        let said = (object ?? []).filter { $0.name == "logprobs" }
        return [
            [JSONMember("text", self["text"] ?? "")] + said + [JSONMember("finish_reason", .null)],
            [JSONMember("text", "")] + end(hasToolCalls: false),
        ]
    }

    /// The members of the choice's last piece: why it ended, and what the provider says of it besides.
    private func end(hasToolCalls: Bool) -> [JSONMember] {
        var members = (object ?? []).filter { !["index", "message", "text", "logprobs"].contains($0.name) }
        if let reason = self["finish_reason"], reason != .null, reason != "" { return members }
        members.removeAll { $0.name == "finish_reason" }
        let reason = FinishReason(openAI: nil, hasToolCalls: hasToolCalls)
        return members + [JSONMember("finish_reason", .string(reason.rawValue))]
    }

    /// Parts that are all text, as one text; anything else as it is.
    private var joinedText: JSONValue {
        guard let parts = array else { return self }
        var text = ""
        for part in parts {
            guard part["type"] == "text", let piece = part["text"]?.string else { return self }
            text += piece
        }
        return .string(text)
    }

    /// Tool calls with their places, which clients put the pieces together by.
    private var numberedCalls: JSONValue {
        .array(
            (array ?? []).enumerated().map { position, call in
                let members = (call.withTextArguments.object ?? []).filter { $0.name != "index" }
                return .object([JSONMember("index", .number(JSONNumber(position)))] + members)
            }
        )
    }
}
