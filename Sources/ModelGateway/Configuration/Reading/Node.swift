// What TOML and YAML have in common once they are parsed: a tree of values that know their place in the file.

/// A place in a configuration file, counted from 1.
package struct SourceMark: Sendable, Hashable {
    package var line: Int
    package var column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }
}

/// A value of a configuration file and the place where it stands.
package struct ConfigurationNode: Sendable, Hashable {
    package enum Value: Sendable, Hashable {
        case null
        case boolean(Bool)
        case integer(Int)
        case number(Double)
        case string(String)
        /// A TOML date or time, which no key takes.
        case date(String)
        case list([ConfigurationNode])
        case table([Entry])
    }

    /// A key and its value.
    package struct Entry: Sendable, Hashable {
        package var key: String
        package var mark: SourceMark?
        package var node: ConfigurationNode

        package init(key: String, mark: SourceMark?, node: ConfigurationNode) {
            self.key = key
            self.mark = mark
            self.node = node
        }
    }

    package var value: Value
    /// Nil for a value that comes from an environment variable.
    package var mark: SourceMark?

    package init(_ value: Value, _ mark: SourceMark?) {
        self.value = value
        self.mark = mark
    }

    /// The value of a key, if this is a table that has it.
    package subscript(key: String) -> ConfigurationNode? { entry(key)?.node }

    package func entry(_ key: String) -> Entry? {
        guard case .table(let entries) = value else { return nil }
        return entries.first { $0.key == key }
    }

    package var entries: [Entry]? {
        guard case .table(let entries) = value else { return nil }
        return entries
    }

    package var list: [ConfigurationNode]? {
        guard case .list(let nodes) = value else { return nil }
        return nodes
    }

    package var string: String? {
        guard case .string(let text) = value else { return nil }
        return text
    }

    /// The kind of value, as it is called in messages.
    package var kind: String {
        switch value {
        case .null: "nothing"
        case .boolean: "a boolean"
        case .integer: "an integer"
        case .number: "a number"
        case .string: "a string"
        case .date: "a date"
        case .list: "a list"
        case .table: "a table"
        }
    }
}

/// A file that is not well formed, and where.
package struct ConfigurationSyntaxError: Error, Sendable, Hashable {
    package var mark: SourceMark?
    package var message: String

    package init(_ message: String, at mark: SourceMark?) {
        self.mark = mark
        self.message = message
    }
}
