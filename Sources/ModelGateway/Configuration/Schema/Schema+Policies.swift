// The key that says how a deployment is chosen: a policy's name, or a table of its name and its options.

extension ConfigurationField {
    /// A policy of the decoder's catalog.
    static func policy(_ key: String, _ path: Path<RoutingPolicyKind>) -> Self {
        Self(
            key: key,
            type: "name or table: policy",
            standard: quoted(RoutingPolicyKind.roundRobin.name),
            summary: "how a deployment is chosen for each call",
            nested: {
                PolicyCatalog.standard.entries.flatMap { ConfigurationSchema.tables($0) }
            }
        ) { node, decoder, section in
            guard node.entries != nil else {
                // The policy that it is already keeps its options.
                if let entry = cataloged(node, &decoder), section[keyPath: path].name != entry.name {
                    section[keyPath: path] = entry.standard
                }
                return
            }
            guard let named = node.entry("name") else {
                return decoder.mistake("'name' is missing", at: node.mark)
            }
            guard let entry = decoder.at("name", { cataloged(named.node, &$0) }) else { return }
            section[keyPath: path] = ConfigurationSchema.read(entry, node, &decoder)
        }
    }

    private static func cataloged(
        _ node: ConfigurationNode,
        _ decoder: inout ConfigurationDecoder
    ) -> (any CatalogedPolicy)? {
        guard let name = decoder.string(node) else { return nil }
        if let entry = decoder.policies.entries.first(where: { $0.name == name }) { return entry }
        let suggestion = decoder.policies.suggestion(for: name)
        decoder.mistake("\(decoder.shown(name, node)) is not known; \(suggestion)", at: node.mark)
        return nil
    }
}

extension ConfigurationSchema {
    /// The table of a policy's options for the reference, if it has any.
    fileprivate static func tables<Entry: CatalogedPolicy>(_ entry: Entry) -> [ConfigurationTable] {
        Entry.Options.keys.isEmpty ? [] : section(entry).tables
    }

    /// Reads a policy's table.
    fileprivate static func read<Entry: CatalogedPolicy>(
        _ entry: Entry,
        _ node: ConfigurationNode,
        _ decoder: inout ConfigurationDecoder
    ) -> RoutingPolicyKind {
        var options = Entry.Options()
        let entries = (node.entries ?? []).filter { $0.key != "name" }
        section(entry).read(ConfigurationNode(.table(entries), node.mark), &decoder, into: &options)
        return entry.policy(options)
    }

    private static func section<Entry: CatalogedPolicy>(_ entry: Entry) -> ConfigurationSection<Entry.Options> {
        ConfigurationSection("policy \(entry.name)", Entry.Options.keys.map { ConfigurationField($0) })
    }
}

extension ConfigurationField where Section: PolicyOptions {
    fileprivate init(_ key: PolicyKey<Section>) {
        let (name, summary, standard) = (key.name, key.summary, Section())
        switch key.value {
        case .boolean(let path):
            self = .boolean(name, path, default: standard[keyPath: path], summary)
        case .integer(let path, let range):
            self = .integer(name, path, in: range, default: standard[keyPath: path], summary)
        case .size(let path, let range):
            self = .size(name, path, in: range, default: standard[keyPath: path], summary)
        case .number(let path, let range):
            self = .number(name, path, in: range, default: standard[keyPath: path], summary)
        case .duration(let path, let range):
            self = .duration(name, path, in: range, default: standard[keyPath: path], summary)
        case .text(let path):
            self = .string(name, path, default: standard[keyPath: path], summary)
        case .integers(let path, let range):
            self = .integers(name, path, in: range, default: standard[keyPath: path], summary)
        case .choice(let words, let get, let set):
            self = .choice(name, words, default: get(standard), summary) { set(&$0, $1) }
        }
    }
}
