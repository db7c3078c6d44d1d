// What routing reads from a call: the same for a request in bytes and for the one that a program writes.

import GatewayWire

extension Gateway {
    /// What a request in a wire format tells the router: headers first, then fields of the body.
    func routingInput(_ request: WireRequest, _ facts: any CallFacts) -> RoutingInput {
        var input = RoutingInput(mode: request.mode, forcedDeployment: request.deployment)
        input.estimatedTokens = request.body.count / 4
        for name in routingHeaders.sessionHeaders where input.sessionKey == nil {
            input.sessionKey = request.headers.first { $0.isNamed(name) && !$0.value.isEmpty }?.value
        }
        if input.sessionKey == nil { input.sessionKey = facts.sessionKey(in: request.body) }
        // Several lines of a list are one list (RFC 9110 §5.3).
        let lists = request.headers.filter { $0.isNamed(routingHeaders.tagsHeader) }
        input.tags = lists.isEmpty ? facts.tags(in: request.body) : lists.flatMap { HTTPList.values($0.value) }
        if fleet.readsText(names.publicName(facts.model)) {
            input.text = facts.routingText(in: request.body, limit: RoutingInput.textLimit)
        }
        return input
    }

    func routingInput(_ request: ChatRequest, _ options: CallOptions) -> RoutingInput {
        routingInput(.chat, request.model, request.extra, user: request.user, options) {
            let wire = OpenAIChatRequest(request: request, delivery: Delivery())
            return wire.encoded(model: request.model)
        }
    }

    func routingInput(_ request: CompletionRequest, _ options: CallOptions) -> RoutingInput {
        routingInput(.completion, request.model, [], user: nil, options) {
            let delivery = Delivery()
            return OpenAICompletionRequest(request: request, delivery: delivery).encoded(model: request.model)
        }
    }

    func routingInput(_ request: EmbeddingRequest, _ options: CallOptions) -> RoutingInput {
        routingInput(.embedding, request.model, [], user: request.user, options) {
            request.openAI(model: request.model)
        }
    }

    /// The same text as that of the same request in OpenAI's format, so that both find the same prompt caches.
    private func routingInput(
        _ mode: Mode,
        _ model: String,
        _ fields: [JSONMember],
        user: String?,
        _ options: CallOptions,
        _ wire: () -> JSONValue
    ) -> RoutingInput {
        var input = RoutingInput(
            mode: mode,
            sessionKey: options.sessionKey ?? Self.sessionKey(fields, user: user),
            tags: options.tags.isEmpty ? Self.tags(fields) : options.tags,
            forcedDeployment: options.deployment
        )
        guard fleet.readsText(names.publicName(model)) else { return input }
        let body = wire().serialized()
        input.estimatedTokens = body.count / 4
        if let facts = try? OpenAIRequestFacts(body) {
            input.text = facts.routingText(in: body, limit: RoutingInput.textLimit)
        }
        return input
    }

    /// The first field that has a key, in the order in which ``OpenAIRequestFacts/sessionKey(in:)`` looks at a body's.
    private static func sessionKey(_ fields: [JSONMember], user: String?) -> String? {
        let fields = JSONValue.object(fields)
        let keys = [
            fields["prompt_cache_key"]?.string, fields["metadata"]?["session_id"]?.string,
            fields["safety_identifier"]?.string, user,
        ]
        return keys.compactMap(\.self).first { !$0.isEmpty }
    }

    private static func tags(_ fields: [JSONMember]) -> [String] {
        let tags = JSONValue.object(fields)["metadata"]?["tags"]
        if let text = tags?.string { return HTTPList.values(text) }
        return tags?.array?.compactMap(\.string) ?? []
    }
}
