// The live fleet: the running groups by the public names of their models.

internal import Synchronization

/// All groups of a gateway.
package final class Fleet: Sendable {
    private let groups: Mutex<[String: GroupState]>

    /// Starts a fleet.
    package init(_ configurations: [DeploymentGroup] = [], time: TimeSource = .system) {
        var groups: [String: GroupState] = [:]
        for configuration in configurations {
            groups[configuration.model] = GroupState(configuration, time: time)
        }
        self.groups = Mutex(groups)
    }

    /// The group behind a public model name.
    /// - Throws: ``GatewayError/Code/modelNotFound``.
    package func group(_ model: String) throws(GatewayError) -> GroupState {
        if let group = groups.withLock({ $0[model] }) { return group }
        throw GatewayError(
            .modelNotFound,
            "There is no model \(model.debugDescription); GET /v1/models lists the ones there are.",
            param: "model"
        )
    }

    /// The public names of all models, in alphabetical order.
    package var models: [String] { groups.withLock { $0.keys.sorted() } }

    /// Whether at least one deployment can take a call now.
    package var isReady: Bool { groups.withLock { !$0.isEmpty } }

    /// Whether the policy of a model's group looks at the prompt.
    package func readsText(_ model: String) -> Bool {
        groups.withLock { $0[model] }?.readsText ?? false
    }
}
