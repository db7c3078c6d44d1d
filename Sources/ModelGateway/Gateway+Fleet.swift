// What can be asked about the fleet of a gateway: where a call would go, how the deployments are.

extension Gateway {
    /// Where a call would go, and where after each failure, without sending it. Changes nothing.
    /// - Parameters:
    ///   - model: The public name of the model.
    ///   - input: What the call tells the router.
    /// - Throws: ``GatewayError/Code/modelNotFound``.
    public func explain(
        _ model: String,
        _ input: RoutingInput = RoutingInput()
    ) throws(GatewayError) -> RoutingExplanation {
        try fleet.group(model).explain(input)
    }

    /// The state of all groups and their deployments now, by the names of their models.
    public var groups: [GroupStatus] { fleet.status }
}
