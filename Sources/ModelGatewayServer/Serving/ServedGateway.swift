// What the server needs of a gateway, so that it can be tested without one.

package import ModelGateway

/// The part of ``Gateway`` that a server stands on.
package protocol ServedGateway: Sendable {
    /// Answers a call that is bytes.
    func relay(_ request: WireRequest) async throws(GatewayError) -> WireResponse

    /// The public models, in the order in which they are listed.
    var models: [ModelInfo] { get }

    /// Who the gateway is among others.
    var identity: GatewayIdentity { get }

    /// Whether at least one model can be called now.
    var isReady: Bool { get }
}

extension Gateway: ServedGateway {
    package var identity: GatewayIdentity { registry.identity }
}
