// The names under which clients may call models, and the kinds of work that each is offered for.

/// What the configuration says about the names of models, besides their deployments.
struct ModelNames: Sendable {
    /// The public name of each further name.
    var publicNames: [String: String] = [:]
    /// The kinds of work of the models that are not offered foreverything.
    var modes: [String: Set<Mode>] = [:]

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
