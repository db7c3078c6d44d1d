// OpenAI's chat completion request: JSON to `ChatRequest` and back.
//
// https://platform.openai.com/docs/api-reference/chat/create, with the sampling fields that vLLM, SGLang and llama.cpp
// add (`top_k`, `min_p`, `repetition_penalty`).

/// A chat completion request as a client of OpenAI's API writes it.
package struct OpenAIChatRequest {
    /// What is asked of the model.
    package var request: ChatRequest
    /// How the answer is delivered.
    package var delivery: Delivery
}

extension Delivery {
    /// Reads how a client of OpenAI's API wants an answer delivered.
    package init(openAI body: RequestField) throws(GatewayError) {
        self.init(isStreamed: try body["stream"].present?.bool() ?? false)
        guard let options = body["stream_options"].present else { return }
        _ = try options.members()
        includesUsage = try options["include_usage"].present?.bool() ?? false
    }

    /// Appends the members that say so.
    package func appendOpenAI(to members: inout [JSONMember]) {
        guard isStreamed else { return }
        members.append(JSONMember("stream", true))
        if includesUsage { members.append(JSONMember("stream_options", ["include_usage": true])) }
    }
}

extension OpenAIChatRequest {
    /// The members that the vocabulary has a place for; all others go to ``ChatRequest/extra``.
    private static let known = Sampling.openAINames.union([
        "model", "messages", "tools", "tool_choice", "parallel_tool_calls", "response_format", "user", "stream",
        "stream_options",
    ])

    /// Reads a request.
    /// - Throws: ``GatewayError/Code/invalidRequest`` that names the field.
    package init(decoding json: JSONValue) throws(GatewayError) {
        let body = RequestField(json)
        let members = try body.members()
        var request = ChatRequest(model: try body["model"].required().string(), messages: [])
        let messages = try body["messages"].required()
        for message in try messages.elements() {
            request.messages.append(try ChatMessage(openAI: message))
        }
        if request.messages.isEmpty { throw messages.invalid("must hold at least one message.") }
        for tool in try body["tools"].present?.elements() ?? [] {
            request.tools.append(try Tool(openAI: tool))
        }
        request.toolChoice = try body["tool_choice"].present.map(ToolChoice.init(openAI:))
        request.parallelToolCalls = try body["parallel_tool_calls"].present?.bool()
        request.sampling = try Sampling(openAI: body)
        request.responseFormat = try body["response_format"].present.map(ResponseFormat.init(openAI:))
        request.user = try body["user"].present?.string()
        request.extra = members.beside(Self.known)
        self.request = request
        delivery = try Delivery(openAI: body)
    }

    /// Writes the request.
    /// - Parameters:
    ///   - model: The model's id at the provider.
    ///   - limit: How the provider wants the longest answer spelled.
    package func encoded(model: String, limit: TokenLimitField = .maxTokens) -> JSONValue {
        var members = [
            JSONMember("model", .string(model)),
            JSONMember("messages", .array(request.messages.map(\.openAI))),
        ]
        if !request.tools.isEmpty { members.append(JSONMember("tools", .array(request.tools.map(\.openAI)))) }
        members.append("tool_choice", request.toolChoice?.openAI)
        members.append("parallel_tool_calls", request.parallelToolCalls.map(JSONValue.bool))
        request.sampling.appendOpenAI(to: &members, limit: limit)
        members.append("response_format", request.responseFormat?.openAI)
        members.append("user", request.user.map(JSONValue.string))
        members += request.extra
        delivery.appendOpenAI(to: &members)
        return .object(members)
    }
}

extension [JSONMember] {
    /// Appends a member unless there is no value for it.
    package mutating func append(_ name: String, _ value: JSONValue?) {
        if let value { append(JSONMember(name, value)) }
    }

    /// The members that the vocabulary has no place for.
    package func beside(_ known: Set<String>) -> [JSONMember] {
        filter { !known.contains($0.name) }
    }
}

extension ToolChoice {
    fileprivate init(openAI field: RequestField) throws(GatewayError) {
        switch field.value {
        case .string("auto"): self = .auto
        case .string("none"): self = .none
        case .string("required"): self = .required
        case .object where field["type"].value == "function":
            self = .function(try field["function"]["name"].required().string())
            if openAI.object?.count != field.value.object?.count { self = .other(field.value) }
        case .object where field["type"].value.string != nil: self = .other(field.value)
        default:
            throw field.invalid("must be 'auto', 'none', 'required' or an object that names a function.")
        }
    }

    fileprivate var openAI: JSONValue {
        switch self {
        case .auto: "auto"
        case .none: "none"
        case .required: "required"
        case .function(let name): ["type": "function", "function": ["name": .string(name)]]
        case .other(let value): value
        }
    }
}

extension ResponseFormat {
    fileprivate init(openAI field: RequestField) throws(GatewayError) {
        switch try field["type"].required().string() {
        case "text": self = .text
        case "json_object": self = .jsonObject
        case "json_schema":
            let schema = try field["json_schema"].required()
            self = .jsonSchema(
                name: try schema["name"].required().string(),
                schema: schema["schema"].value,
                strict: try schema["strict"].present?.bool(),
                extra: try schema.members().beside(["name", "schema", "strict"])
            )
        default: throw field["type"].invalid("must be 'text', 'json_object' or 'json_schema'.")
        }
    }

    fileprivate var openAI: JSONValue {
        switch self {
        case .text: return ["type": "text"]
        case .jsonObject: return ["type": "json_object"]
        case .jsonSchema(let name, let schema, let strict, let extra):
            var members = [JSONMember("name", .string(name)), JSONMember("schema", schema)]
            members.append("strict", strict.map(JSONValue.bool))
            members += extra
            return ["type": "json_schema", "json_schema": .object(members)]
        }
    }
}

extension Tool {
    fileprivate init(openAI field: RequestField) throws(GatewayError) {
        guard try field["type"].required().string() == "function" else {
            throw field["type"].invalid("must be 'function' for this model.")
        }
        let function = try field["function"].required()
        self.init(
            name: try function["name"].required().string(),
            description: try function["description"].present?.string(),
            parameters: function["parameters"].present?.value,
            strict: try function["strict"].present?.bool(),
            extra: FunctionExtra(of: field.value, known: ["name", "description", "parameters", "strict"]).members
        )
    }

    fileprivate var openAI: JSONValue {
        var function = [JSONMember("name", .string(name))]
        function.append("description", description.map(JSONValue.string))
        function.append("parameters", parameters)
        function.append("strict", strict.map(JSONValue.bool))
        return FunctionExtra(members: extra).object([JSONMember("type", "function")], function: function)
    }
}
