// How one key of a configuration is described: the same table reads, checks, suggests names and makes the reference.

/// A key of a table in the configuration: its name, what it takes, its default, and how it gets into the value.
struct ConfigurationField<Section>: Sendable {
    /// Where in its table's value a key's value goes.
    typealias Path<Value> = any (WritableKeyPath<Section, Value> & Sendable)

    var key: String
    /// What it takes, such as `duration, 0s to 24h`.
    var type: String
    /// The default as it would be written; empty if there is none.
    var standard: String
    /// What it means, in a few words.
    var summary: String
    var isRequired = false
    /// The description of the table behind the key, if it is one.
    var nested: (@Sendable () -> [ConfigurationTable])?
    var read: @Sendable (ConfigurationNode, inout ConfigurationDecoder, inout Section) -> Void

    /// The same key, which must be there.
    var required: ConfigurationField {
        var field = self
        field.isRequired = true
        return field
    }

    /// The same key as one of a table around this one.
    func inside<Outer>(_ path: ConfigurationField<Outer>.Path<Section>) -> ConfigurationField<Outer> {
        ConfigurationField<Outer>(
            key: key,
            type: type,
            standard: standard,
            summary: summary,
            isRequired: isRequired,
            nested: nested
        ) { [read] node, decoder, outer in
            read(node, &decoder, &outer[keyPath: path])
        }
    }
}

/// All keys of a table in the configuration.
struct ConfigurationSection<Section>: Sendable {
    /// What the table is called in the reference.
    var title: String
    var fields: [ConfigurationField<Section>]

    init(_ title: String, _ fields: [ConfigurationField<Section>]) {
        self.title = title
        self.fields = fields
    }

    /// Reads a table into a value that has the defaults. Mistakes go into the decoder.
    func read(_ node: ConfigurationNode, _ decoder: inout ConfigurationDecoder, into section: inout Section) {
        guard let entries = node.entries else {
            decoder.mistake("a table was expected, not \(node.kind)", at: node.mark)
            return
        }
        for entry in entries where !fields.contains(where: { $0.key == entry.key }) {
            decoder.unknownKey(entry, known: fields.map(\.key))
        }
        // In the order of the description, since later keys may refer to what earlier ones defined.
        for field in fields {
            if let entry = entries.first(where: { $0.key == field.key }) {
                if entry.node.value == .null { continue }
                decoder.at(field.key) { field.read(entry.node, &$0, &section) }
            } else if field.isRequired {
                decoder.mistake("'\(field.key)' is missing", at: node.mark)
            }
        }
    }

    /// This table and those inside it, for the reference.
    var tables: [ConfigurationTable] {
        let rows = fields.map { field in
            ConfigurationTable.Row(
                key: field.key,
                type: field.type,
                standard: field.isRequired ? "required" : field.standard,
                summary: field.summary
            )
        }
        return [ConfigurationTable(title: title, rows: rows)] + fields.flatMap { $0.nested?() ?? [] }
    }
}

/// A table of the reference: the keys that a table of the configuration may have.
package struct ConfigurationTable: Sendable, Hashable {
    /// A key of the table.
    package struct Row: Sendable, Hashable {
        package var key: String
        package var type: String
        package var standard: String
        package var summary: String
    }

    package var title: String
    package var rows: [Row]
}

extension ConfigurationField {
    /// Text as it is, after references are replaced.
    static func string(
        _ key: String,
        _ path: Path<String>,
        default standard: String = "",
        _ summary: String
    ) -> Self {
        Self(key: key, type: "text", standard: quoted(standard), summary: summary) { node, decoder, section in
            if let text = decoder.string(node) { section[keyPath: path] = text }
        }
    }

    /// Text that may be left out.
    static func string(
        _ key: String,
        _ path: Path<String?>,
        _ summary: String
    ) -> Self {
        Self(key: key, type: "text", standard: "", summary: summary) { node, decoder, section in
            if let text = decoder.string(node) { section[keyPath: path] = text }
        }
    }

    /// An `http` or `https` URL.
    static func url(_ key: String, _ path: Path<String?>, _ summary: String) -> Self {
        Self(key: key, type: "URL", standard: "", summary: summary) { node, decoder, section in
            if let url = decoder.url(node) { section[keyPath: path] = url }
        }
    }

    /// A credential.
    static func secret(_ key: String, _ path: Path<Secret?>, _ summary: String) -> Self {
        Self(key: key, type: "secret", standard: "", summary: summary) { node, decoder, section in
            if let secret = decoder.secret(node) { section[keyPath: path] = secret }
        }
    }

    /// One of a few words.
    static func choice<Choice: RawRepresentable<String>>(
        _ key: String,
        _ path: Path<Choice>,
        _ choices: [Choice],
        default standard: Choice,
        _ summary: String
    ) -> Self where Choice: Sendable {
        choice(key, choices.map(\.rawValue), default: standard.rawValue, summary) { section, name in
            if let choice = choices.first(where: { $0.rawValue == name }) { section[keyPath: path] = choice }
        }
    }

    /// One of a few words, which only the setter knows what to do with.
    static func choice(
        _ key: String,
        _ names: [String],
        default standard: String,
        _ summary: String,
        set: @escaping @Sendable (inout Section, String) -> Void
    ) -> Self {
        Self(
            key: key,
            type: names.joined(separator: ", "),
            standard: quoted(standard),
            summary: summary
        ) { node, decoder, section in
            guard let name = decoder.string(node) else { return }
            guard names.contains(name) else { return decoder.unknownName(name, of: node, known: names) }
            set(&section, name)
        }
    }

    static func boolean(
        _ key: String,
        _ path: Path<Bool>,
        default standard: Bool,
        _ summary: String
    ) -> Self {
        Self(key: key, type: "true or false", standard: "\(standard)", summary: summary) { node, decoder, section in
            if let value = decoder.boolean(node) { section[keyPath: path] = value }
        }
    }

    static func boolean(_ key: String, _ path: Path<Bool?>, _ summary: String) -> Self {
        Self(key: key, type: "true or false", standard: "", summary: summary) { node, decoder, section in
            if let value = decoder.boolean(node) { section[keyPath: path] = value }
        }
    }

    static func integer(
        _ key: String,
        _ path: Path<Int>,
        in range: ClosedRange<Int>,
        default standard: Int,
        _ summary: String
    ) -> Self {
        quantity(key, .integer, path, in: range, default: standard, summary)
    }

    /// An integer that may be left out.
    static func integer(_ key: String, _ path: Path<Int?>, in range: ClosedRange<Int>, _ summary: String) -> Self {
        quantity(key, .integer, path, in: range, summary)
    }

    /// A list of integers.
    static func integers(
        _ key: String,
        _ path: Path<[Int]>,
        in range: ClosedRange<Int>,
        default standard: [Int],
        _ summary: String
    ) -> Self {
        Self(key: key, type: "list of integers", standard: "\(standard)", summary: summary) { node, decoder, section in
            section[keyPath: path] = decoder.elements(node).compactMap { decoder.integer($0, in: range) }
        }
    }

    static func number(
        _ key: String,
        _ path: Path<Double>,
        in range: ClosedRange<Double>,
        default standard: Double,
        _ summary: String
    ) -> Self {
        quantity(key, .number, path, in: range, default: standard, summary)
    }

    static func number(
        _ key: String,
        _ path: Path<Double?>,
        in range: ClosedRange<Double>,
        _ summary: String
    ) -> Self {
        quantity(key, .number, path, in: range, summary)
    }

    static func size(
        _ key: String,
        _ path: Path<Int>,
        in range: ClosedRange<Int>,
        default standard: Int,
        _ summary: String
    ) -> Self {
        quantity(key, .size, path, in: range, default: standard, summary)
    }

    static func duration(
        _ key: String,
        _ path: Path<Duration>,
        in range: ClosedRange<Duration> = .zero ... .seconds(86_400),
        default standard: Duration,
        _ summary: String
    ) -> Self {
        quantity(key, .duration, path, in: range, default: standard, summary)
    }

    /// A duration that may be left out.
    static func duration(
        _ key: String,
        _ path: Path<Duration?>,
        in range: ClosedRange<Duration> = .zero ... .seconds(86_400),
        _ summary: String
    ) -> Self {
        quantity(key, .duration, path, in: range, summary)
    }

    static func strings(
        _ key: String,
        _ path: Path<[String]>,
        default standard: [String] = [],
        _ summary: String
    ) -> Self {
        let shown = "[" + standard.map(quoted).joined(separator: ", ") + "]"
        return Self(key: key, type: "list of text", standard: shown, summary: summary) { node, decoder, section in
            if let list = decoder.strings(node) { section[keyPath: path] = list }
        }
    }

    private static func quantity<Value>(
        _ key: String,
        _ quantity: Quantity<Value>,
        _ path: Path<Value>,
        in range: ClosedRange<Value>,
        default standard: Value,
        _ summary: String
    ) -> Self {
        Self(
            key: key,
            type: "\(quantity.name), \(quantity.span(range))",
            standard: quantity.literal(standard),
            summary: summary
        ) { node, decoder, section in
            if let value = quantity.read(&decoder, node, range) { section[keyPath: path] = value }
        }
    }

    private static func quantity<Value>(
        _ key: String,
        _ quantity: Quantity<Value>,
        _ path: Path<Value?>,
        in range: ClosedRange<Value>,
        _ summary: String
    ) -> Self {
        Self(
            key: key,
            type: "\(quantity.name), \(quantity.span(range))",
            standard: "",
            summary: summary
        ) { node, decoder, section in
            if let value = quantity.read(&decoder, node, range) { section[keyPath: path] = value }
        }
    }

    static func quoted(_ text: String) -> String { text.isEmpty ? "" : "\"\(text)\"" }
}

extension ConfigurationField {
    /// A table of its own.
    static func table<Nested>(
        _ key: String,
        _ path: Path<Nested>,
        _ nested: ConfigurationSection<Nested>,
        _ summary: String
    ) -> Self {
        Self(
            key: key,
            type: "table: \(nested.title)",
            standard: "",
            summary: summary,
            nested: { nested.tables }
        ) { node, decoder, section in
            nested.read(node, &decoder, into: &section[keyPath: path])
        }
    }

    /// A list of tables.
    static func list<Nested: Sendable>(
        _ key: String,
        _ path: Path<[Nested]>,
        _ nested: ConfigurationSection<Nested>,
        _ summary: String,
        readElement: @escaping @Sendable (ConfigurationNode, Int, inout ConfigurationDecoder, Section) -> Nested
    ) -> Self {
        Self(
            key: key,
            type: "list of tables: \(nested.title)",
            standard: "",
            summary: summary,
            nested: { nested.tables }
        ) { node, decoder, section in
            guard let list = node.list else {
                return decoder.mistake("a list of tables was expected, not \(node.kind)", at: node.mark)
            }
            for (index, element) in list.enumerated() {
                decoder.at("[\(index)]") { decoder in
                    section[keyPath: path].append(readElement(element, index, &decoder, section))
                }
            }
        }
    }
}
