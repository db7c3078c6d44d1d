// From the chunks of a streamed answer of OpenAI's format to the whole answer, with every field that they have.

/// Puts chunks together into the answer that the provider would have sent whole.
///
/// It works on the JSON, not on the vocabulary, so that nothing is lost that is unknown here.
package struct OpenAIAnswerAssembly {
    /// The members besides the choices.
    private var members: [JSONMember] = []
    private var choices: [Int: Choice] = [:]
    /// Whether a choice carried a piece of the answer, or its end.
    package private(set) var hasContent = false

    fileprivate struct Choice {
        /// The members besides the message.
        var members: [JSONMember] = []
        var message: [JSONMember] = []
        /// Nil in a chat completion.
        var text: JSONValue?

        var hasFinished: Bool { members.contains { $0.name == "finish_reason" && $0.value != .null && $0.value != "" } }
    }

    package init() {}

    /// Whether the answer is complete: every choice that began has finished.
    package var isComplete: Bool { !choices.isEmpty && choices.values.allSatisfy(\.hasFinished) }

    /// What the call used, if a chunk said so.
    package var usage: Usage? { members.last { $0.name == "usage" }.flatMap { Usage(openAI: $0.value) } }

    /// Takes in the next chunk.
    package mutating func add(_ chunk: JSONValue) {
        for member in (chunk.object ?? []).unrepeated {
            switch member.name {
            case "choices":
                for choice in member.value.array ?? [] { add(choice: choice) }
            case "id", "created", "model":
                if let place = members.firstIndex(where: { $0.name == member.name }) {
                    // The first chunk names the answer, unless it left that to the next.
                    if AnswerHead.isBlank(members[place].value) { members[place] = member }
                } else {
                    members.append(member)
                }
            default: members.merge(member, by: .latest)
            }
        }
    }

    private mutating func add(choice json: JSONValue) {
        if json.carriesAnswer { hasContent = true }
        let index = json["index"]?.int ?? 0
        // Taken out first, so that appending to a long text does not copy it.
        var choice = choices.removeValue(forKey: index) ?? Choice()
        for member in (json.object ?? []).unrepeated {
            switch member.name {
            case "index": break
            case "delta": choice.take(delta: member.value.object ?? [])
            case "text":
                var text = choice.text.take() ?? ""
                text.merge(member.value, by: .joinTexts)
                choice.text = text
            default: choice.members.merge(member, by: .joinLists)
            }
        }
        choices[index] = choice
    }

    /// The answer as far as it has come.
    /// - Parameters:
    ///   - isChat: Whether it is a chat completion and not a completion of a raw text.
    ///   - head: What stands for the members of the head that the provider left out.
    package func answer(isChat: Bool, head: AnswerHead) -> JSONValue {
        var whole = head.completed(members, object: isChat ? "chat.completion" : "text_completion")
        let choices = choices.sorted { $0.key < $1.key }.map { index, choice -> JSONValue in
            .object([JSONMember("index", .number(JSONNumber(index)))] + choice.whole(isChat: isChat))
        }
        // Where OpenAI has them: behind the head.
        whole.insert(JSONMember("choices", .array(choices)), at: 4)
        return .object(whole)
    }
}

// MARK: - Choices

extension OpenAIAnswerAssembly.Choice {
    fileprivate mutating func take(delta: [JSONMember]) {
        for member in delta.unrepeated {
            if member.name == "content", let place = message.firstIndex(where: { $0.name == "content" }) {
                message[place].value.mergeContent(member.value)
            } else if member.name == "tool_calls" {
                // Some engines leave the place of a call out.
                let calls = (member.value.array ?? []).enumerated().map { $1.withIndex($0) }
                if !calls.isEmpty { message.merge(JSONMember("tool_calls", .array(calls)), by: .joinTexts) }
            } else {
                message.merge(member, by: .joinTexts)
            }
        }
    }

    /// The members of the choice in a whole answer.
    fileprivate func whole(isChat: Bool) -> [JSONMember] {
        guard isChat else { return [JSONMember("text", text ?? "")] + finished(hasToolCalls: false) }
        var message = message.filter { !["role", "content"].contains($0.name) }
        var hasToolCalls = false
        if let place = message.firstIndex(where: { $0.name == "tool_calls" }) {
            let calls = (message[place].value.array ?? []).map(\.wholeToolCall)
            hasToolCalls = !calls.isEmpty
            message[place].value = .array(calls)
        }
        let own = JSONValue.object(self.message)
        let content = own["content"] ?? .null
        let said = [
            JSONMember("role", own["role"] ?? "assistant"),
            JSONMember("content", content == "" && hasToolCalls ? .null : content),
        ]
        return [JSONMember("message", .object(said + message))] + finished(hasToolCalls: hasToolCalls)
    }

    private func finished(hasToolCalls: Bool) -> [JSONMember] {
        if hasFinished { return members }
        let reason = FinishReason(openAI: nil, hasToolCalls: hasToolCalls)
        return members.filter { $0.name != "finish_reason" }
            + [JSONMember("finish_reason", .string(reason.rawValue))]
    }
}

extension JSONValue {
    /// The value with one member set.
    fileprivate func with(_ name: String, _ value: JSONValue?) -> JSONValue {
        guard case .object(var members) = self else { return self }
        members.removeAll { $0.name == name }
        members.append(name, value)
        return .object(members)
    }

    fileprivate func withIndex(_ index: Int) -> JSONValue {
        self["index"]?.int == nil ? with("index", .number(JSONNumber(index))) : self
    }

    /// A tool call without its place among the pieces.
    fileprivate var wholeToolCall: JSONValue {
        with("index", nil).withTextArguments
    }

    /// The value of `content` as parts: a text is one part.
    private var contentParts: [JSONValue] {
        switch self {
        case .string(let text) where !text.isEmpty: [["type": "text", "text": .string(text)]]
        case .array(let parts): parts
        default: []
        }
    }

    /// Takes in a later piece of `content`, which some engines send as text and some as parts.
    fileprivate mutating func mergeContent(_ later: JSONValue) {
        if later.array == nil, array == nil {
            merge(later, by: .joinTexts)
            return
        }
        var parts = contentParts
        self = .null
        for part in later.contentParts {
            if let type = part["type"], parts.last?["type"] == type {
                parts[parts.count - 1].merge(part, by: .joinTexts)
            } else {
                parts.append(part)
            }
        }
        self = .array(parts)
    }

    /// A tool call whose arguments are text, as clients expect; some engines send an object.
    package var withTextArguments: JSONValue {
        guard let function = self["function"], let arguments = function["arguments"], arguments.object != nil else {
            return self
        }
        let text = String(decoding: arguments.serialized(), as: UTF8.self)
        return with("function", function.with("arguments", .string(text)))
    }
}
