// A turn of a conversation in OpenAI's format: JSON to `ChatMessage` and back.

extension ChatMessage {
    package init(openAI field: RequestField) throws(GatewayError) {
        _ = try field.members()
        let role = Role(rawValue: try field["role"].required().string())
        guard Self.openAIRoles.contains(role) else {
            throw field["role"].invalid("must be one of 'system', 'developer', 'user', 'assistant' and 'tool'.")
        }
        self.init(role: role, content: try Self.parts(field["content"]))
        name = try field["name"].present?.string()
        toolCallID = try field["tool_call_id"].present?.string()
        reasoning = try (field["reasoning_content"].present ?? field["reasoning"].present)?.string()
        for call in try field["tool_calls"].present?.elements() ?? [] {
            toolCalls.append(try ToolCall(openAI: call))
        }
        extra = try field.members().beside(Self.known)
        if role == .tool, toolCallID == nil { _ = try field["tool_call_id"].required() }
        if role != .assistant { _ = try field["content"].required() }
    }

    /// The members that the vocabulary has a place for; all others go to ``ChatMessage/extra``.
    private static let known: Set<String> = [
        "role", "content", "name", "tool_call_id", "reasoning_content", "reasoning", "tool_calls",
    ]

    private static let openAIRoles: Set<Role> = [.system, .developer, .user, .assistant, .tool]

    private static func parts(_ field: RequestField) throws(GatewayError) -> [Part] {
        switch field.value {
        case .null: return []
        case .string(let text): return [.text(text)]
        case .array:
            var parts: [Part] = []
            for element in try field.elements() { parts.append(try part(element)) }
            return parts
        default: throw field.wrongType("a string or an array of parts")
        }
    }

    private static func part(_ field: RequestField) throws(GatewayError) -> Part {
        let part: Part
        switch try field["type"].required().string() {
        case "text": part = .text(try field["text"].required().string())
        case "image_url":
            let image = try field["image_url"].required()
            part = .image(url: try image["url"].required().string(), detail: try image["detail"].present?.string())
        default: return .other(field.value)
        }
        return part.hasAllFields(of: field.value) ? part : .other(field.value)
    }

    package var openAI: JSONValue {
        var members = [JSONMember("role", .string(role.rawValue))]
        members.append("content", openAIContent)
        members.append("name", name.map(JSONValue.string))
        members.append("reasoning_content", reasoning.map(JSONValue.string))
        if !toolCalls.isEmpty { members.append(JSONMember("tool_calls", .array(toolCalls.map(\.openAI)))) }
        members.append("tool_call_id", toolCallID.map(JSONValue.string))
        return .object(members + extra)
    }

    /// A lone text is a plain string, which every server reads; no text alongside tool calls is null.
    private var openAIContent: JSONValue {
        if content.isEmpty { return role == .assistant && !toolCalls.isEmpty ? .null : "" }
        if content.count == 1, case .text(let text) = content[0] { return .string(text) }
        return .array(content.map(\.openAI))
    }
}

extension ChatMessage.Part {
    /// Whether the part says everything that its JSON does.
    fileprivate func hasAllFields(of json: JSONValue) -> Bool {
        switch self {
        case .text: (json.object ?? []).beside(["type", "text"]).isEmpty
        case .image:
            (json.object ?? []).beside(["type", "image_url"]).isEmpty
                && (json["image_url"]?.object ?? []).beside(["url", "detail"]).isEmpty
        case .other: true
        }
    }

    package var openAI: JSONValue {
        switch self {
        case .text(let text): return ["type": "text", "text": .string(text)]
        case .image(let url, let detail):
            var image = [JSONMember("url", .string(url))]
            image.append("detail", detail.map(JSONValue.string))
            return ["type": "image_url", "image_url": .object(image)]
        case .other(let value): return value
        }
    }
}

extension ToolCall {
    fileprivate init(openAI field: RequestField) throws(GatewayError) {
        let function = try field["function"].required()
        self.init(
            id: try field["id"].required().string(),
            name: try function["name"].required().string(),
            arguments: try function["arguments"].required().string(),
            extra: FunctionExtra(of: field.value, known: FunctionExtra.knownOfCall).members
        )
    }

    package var openAI: JSONValue {
        FunctionExtra(members: extra).object(
            [JSONMember("id", .string(id)), JSONMember("type", "function")],
            function: [JSONMember("name", .string(name)), JSONMember("arguments", .string(arguments))]
        )
    }
}
