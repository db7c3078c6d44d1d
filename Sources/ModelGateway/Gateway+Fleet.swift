// What can be asked about the fleet of a gateway: where a call would go, how the deployments are.

extension Gateway {
    /// Where a call would go, and where after each failure, without sending it. Changes nothing.
    /// - Parameters:
    ///   - model: The public name of the model.
    ///   - input: What the call tells the router.
    /// - Throws: ``GatewayError/Code/modelNotFound``; ``GatewayError/Code/unsupported`` if the model is not offered for
    ///   the kind of work.
    public func explain(
        _ model: String,
        _ input: RoutingInput = RoutingInput()
    ) throws(GatewayError) -> RoutingExplanation {
        let model = names.publicName(model)
        try names.check(input.mode, of: model)
        return try fleet.group(model).explain(input)
    }

    /// Where ``stream(_:options:)`` or ``chat(_:options:)`` would send a conversation. Sends and changes nothing.
    /// - Throws: As ``explain(_:_:)``.
    public func explain(
        _ request: ChatRequest,
        options: CallOptions = CallOptions()
    ) throws(GatewayError) -> RoutingExplanation {
        try explain(request.model, routingInput(request, options))
    }

    /// Where ``complete(_:options:)`` would send a text. Sends and changes nothing.
    /// - Throws: As ``explain(_:_:)``.
    public func explain(
        _ request: CompletionRequest,
        options: CallOptions = CallOptions()
    ) throws(GatewayError) -> RoutingExplanation {
        try explain(request.model, routingInput(request, options))
    }

    /// Where ``embed(_:options:)`` would send texts. Sends and changes nothing.
    /// - Throws: As ``explain(_:_:)``.
    public func explain(
        _ request: EmbeddingRequest,
        options: CallOptions = CallOptions()
    ) throws(GatewayError) -> RoutingExplanation {
        try explain(request.model, routingInput(request, options))
    }

    /// Where ``relay(_:)`` would send a request. Sends and changes nothing.
    /// - Throws: As ``explain(_:_:)``; ``GatewayError/Code/invalidRequest`` if the body is not one of a call.
    public func explain(_ request: WireRequest) throws(GatewayError) -> RoutingExplanation {
        let format = StandardFormats.format(of: request.endpoint)
        let facts = try format.facts(of: request.body, at: request.endpoint)
        return try explain(facts.model, routingInput(request, facts))
    }

    /// The state of all groups and their deployments now, by the names of their models.
    public var groups: [GroupStatus] { fleet.status }
}
