// The names under which clients may call models, and the kinds of work that each is offered for.

/// What groups say of the names of their models.
struct ModelNames: Sendable {
    /// The public name of each further name.
    var publicNames: [String: String] = [:]
    /// The kinds of work of the models that are not offered for everything.
    var modes: [String: Set<Mode>] = [:]

    init(_ groups: [DeploymentGroup] = []) {
        for group in groups {
            for alias in group.aliases { publicNames[alias] = group.model }
            if !group.modes.isEmpty { modes[group.model] = group.modes }
        }
    }

    /// The further names.
    var aliases: [String] { Array(publicNames.keys) }

    /// The public name of the model that a client calls by this one.
    func publicName(_ name: String) -> String { publicNames[name] ?? name }

    /// Checks that a model is offered for a kind of work.
    /// - Throws: ``GatewayError/Code/unsupported`` if it is not.
    func check(_ mode: Mode, of model: String) throws(GatewayError) {
        guard let offered = modes[model], !offered.contains(mode) else { return }
        let names = offered.map(\.rawValue).sorted().joined(separator: ", ")
        throw GatewayError(.unsupported, "The model \(model) is offered for \(names), not for \(mode).", param: "model")
    }
}
