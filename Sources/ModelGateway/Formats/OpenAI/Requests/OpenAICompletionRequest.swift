// OpenAI's legacy completion request: JSON to `CompletionRequest` and back.

/// A completion request as a client of OpenAI's API writes it.
package struct OpenAICompletionRequest {
    /// What is asked of the model.
    package var request: CompletionRequest
    /// How the answer is delivered.
    package var delivery: Delivery

    package init(request: CompletionRequest, delivery: Delivery) {
        self.request = request
        self.delivery = delivery
    }

    /// Reads a request.
    /// - Throws: ``GatewayError/Code/invalidRequest`` that names the field.
    package init(decoding json: JSONValue) throws(GatewayError) {
        let body = RequestField(json)
        let members = try body.members()
        request = CompletionRequest(
            model: try body["model"].required().string(),
            prompts: try Self.prompts(body["prompt"].required()),
            sampling: try Sampling(openAI: body),
            echo: try body["echo"].present?.bool() ?? false,
            extra: members.beside(Self.known)
        )
        delivery = try Delivery(openAI: body)
    }

    /// The members that the vocabulary has a place for; all others go to ``CompletionRequest/extra``.
    private static let known = Sampling.openAINames.union(["model", "prompt", "echo", "stream", "stream_options"])

    /// Text, tokens, or an array of either.
    private static func prompts(_ field: RequestField) throws(GatewayError) -> [CompletionRequest.Prompt] {
        if case .string(let text) = field.value { return [.text(text)] }
        let elements = try field.elements()
        guard let first = elements.first else { throw field.invalid("must not be empty.") }
        if case .number = first.value { return [.tokens(try tokens(field))] }
        var prompts: [CompletionRequest.Prompt] = []
        for element in elements {
            if case .string(let text) = element.value {
                prompts.append(.text(text))
            } else {
                prompts.append(.tokens(try tokens(element)))
            }
        }
        return prompts
    }

    /// An array of token ids.
    package static func tokens(_ field: RequestField) throws(GatewayError) -> [Int] {
        var tokens: [Int] = []
        for element in try field.elements() { tokens.append(try element.int(0...Int(Int32.max))) }
        return tokens
    }

    /// Writes the request.
    /// - Parameter model: The model's id at the provider.
    package func encoded(model: String) -> JSONValue {
        let prompts = request.prompts.map { prompt -> JSONValue in
            switch prompt {
            case .text(let text): .string(text)
            case .tokens(let tokens): .array(tokens.map { .number(JSONNumber($0)) })
            }
        }
        var members = [
            JSONMember("model", .string(model)),
            JSONMember("prompt", prompts.count == 1 ? prompts[0] : .array(prompts)),
        ]
        request.sampling.appendOpenAI(to: &members)
        if request.echo { members.append(JSONMember("echo", true)) }
        members += request.extra
        delivery.appendOpenAI(to: &members)
        return .object(members)
    }
}
