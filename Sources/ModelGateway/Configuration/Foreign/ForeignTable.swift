// What readers of foreign schemas share: taking keys out of a table so that the rest can be named in warnings.

import GatewayWire

/// A table of a foreign configuration, whose keys are taken one by one.
struct ForeignTable {
    let node: ConfigurationNode
    let path: String
    private var remaining: [ConfigurationNode.Entry]

    /// Nil if the node is not a table.
    init?(_ node: ConfigurationNode?, path: String) {
        guard let node, let entries = node.entries else { return nil }
        self.node = node
        self.path = path
        remaining = entries
    }

    /// The value of the first of the keys that is there and not empty.
    mutating func take(_ keys: String...) -> ConfigurationNode? {
        var found: ConfigurationNode?
        for key in keys {
            guard let index = remaining.firstIndex(where: { $0.key == key }) else { continue }
            let entry = remaining.remove(at: index)
            if found == nil, entry.node.value != .null { found = entry.node }
        }
        return found
    }

    /// The same as a table of its own.
    mutating func table(_ key: String) -> ForeignTable? {
        take(key).flatMap { ForeignTable($0, path: path.isEmpty ? key : "\(path).\(key)") }
    }

    /// Warns of every key that was not taken.
    func warnOfTheRest(_ decoder: inout ConfigurationDecoder) {
        for entry in remaining {
            let path = path.isEmpty ? entry.key : "\(path).\(entry.key)"
            decoder.report(.warning, "has no effect here", at: entry.mark, path: path)
        }
    }
}

/// A table of this library's schema in the making.
struct TableBuilder {
    var entries: [ConfigurationNode.Entry] = []
    var mark: SourceMark?

    init(_ mark: SourceMark?) {
        self.mark = mark
    }

    var node: ConfigurationNode { ConfigurationNode(.table(entries), mark) }
    var isEmpty: Bool { entries.isEmpty }

    /// Sets a key, if there is a value.
    mutating func set(_ key: String, _ node: ConfigurationNode?) {
        guard let node else { return }
        entries.removeAll { $0.key == key }
        entries.append(ConfigurationNode.Entry(key: key, mark: node.mark ?? mark, node: node))
    }

    mutating func set(_ key: String, _ value: ConfigurationNode.Value, at mark: SourceMark?) {
        set(key, ConfigurationNode(value, mark))
    }

    /// Sets a key of a table inside this one.
    mutating func set(_ table: String, _ key: String, _ node: ConfigurationNode?) {
        guard let node else { return }
        var inner = TableBuilder(node.mark)
        inner.entries = entries.first { $0.key == table }?.node.entries ?? []
        inner.set(key, node)
        set(table, inner.node)
    }

    /// Adds to the list of a key.
    mutating func append(_ key: String, _ nodes: [ConfigurationNode]) {
        guard let first = nodes.first else { return }
        let present = entries.first { $0.key == key }?.node
        set(key, ConfigurationNode(.list((present?.list ?? []) + nodes), present?.mark ?? first.mark))
    }
}

/// The schema that a file is written in.
enum ConfigurationDialect {
    case own
    case modelList
    case dbGPT

    /// Told by what only the foreign schemas have: `model_list`, or a `[models]` that is a table and no list.
    init(_ root: ConfigurationNode) {
        if root["model_list"] != nil {
            self = .modelList
        } else if let models = root["models"]?.entries,
            models.contains(where: { ["llms", "embeddings", "rerankers", "default_llm"].contains($0.key) })
        {
            self = .dbGPT
        } else {
            self = .own
        }
    }
}

extension ConfigurationNode {
    /// The number that is this one times another; anything else stays as it is.
    func multiplied(by factor: Double) -> ConfigurationNode {
        switch value {
        case .integer(let integer): ConfigurationNode(.number(Double(integer) * factor), mark)
        case .number(let number): ConfigurationNode(.number(number * factor), mark)
        default: self
        }
    }

    /// The integer that is this one plus another; anything else stays as it is.
    func adding(_ summand: Int) -> ConfigurationNode {
        guard case .integer(let integer) = value else { return self }
        let (sum, overflow) = integer.addingReportingOverflow(summand)
        return ConfigurationNode(.integer(overflow ? integer : sum), mark)
    }

    /// The text in lower case; anything else stays as it is.
    var lowercased: ConfigurationNode {
        string.map { ConfigurationNode(.string($0.lowercased()), mark) } ?? self
    }

    /// A URL that has no path yet, with one; anything else stays as it is.
    func defaultingPath(to path: String) -> ConfigurationNode {
        guard let string, !string.contains("${"), !string.hasPrefix("os.environ/") else { return self }
        guard let url = try? AbsoluteURL(string), url.path.isEmpty || url.path == "/", url.query == nil,
            url.fragment == nil
        else { return self }
        return ConfigurationNode(.string((url.path.isEmpty ? string : String(string.dropLast())) + path), mark)
    }
}
