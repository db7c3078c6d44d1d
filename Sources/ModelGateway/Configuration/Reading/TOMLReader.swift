// Reads TOML 1.0 into configuration nodes that know their line, which no Swift package for TOML offers.

/// The grammar of a TOML document: headers, keys and values. Strings and numbers are in ``TOMLLexer``.
package struct TOMLReader {
    /// Levels of nesting.
    static let depthLimit = 64

    private var lexer: TOMLLexer
    private let root = TOMLTable(.header)
    private var current: TOMLTable
    /// Counts headers: what dotted keys defined under one header is closed to the next.
    private var section = 0

    /// Parses a document.
    package static func read(_ text: String) throws(ConfigurationSyntaxError) -> ConfigurationNode {
        var reader = TOMLReader(lexer: TOMLLexer(text))
        try reader.document()
        return reader.root.node(at: SourceMark(line: 1, column: 1))
    }

    private init(lexer: TOMLLexer) {
        self.lexer = lexer
        current = root
    }

    private mutating func document() throws(ConfigurationSyntaxError) {
        while true {
            try lexer.skipBlankLines()
            guard let byte = lexer.peek else { return }
            if byte == UInt8(ascii: "[") {
                try header()
            } else {
                try keyValue(into: current, depth: 0)
            }
            try lexer.endOfLine()
        }
    }

    // MARK: Headers

    private mutating func header() throws(ConfigurationSyntaxError) {
        let mark = lexer.mark
        lexer.advance()
        let isArray = lexer.take(UInt8(ascii: "["))
        let path = try keyPath()
        guard lexer.take(UInt8(ascii: "]")), !isArray || lexer.take(UInt8(ascii: "]")) else {
            throw lexer.error(isArray ? "']]' must end the header" : "']' must end the header")
        }
        section += 1
        var table = root
        for part in path.dropLast() { table = try descend(table, part) }
        guard let last = path.last else { return }
        current = isArray ? try appendTable(to: table, last, mark) : try openTable(in: table, last, mark)
    }

    /// The table that a part of a header leads to; the last one of an array of tables.
    private func descend(_ table: TOMLTable, _ part: TOMLKey) throws(ConfigurationSyntaxError) -> TOMLTable {
        switch table[part.name] {
        case nil:
            let child = TOMLTable(.implicit)
            table.add(part, .table(child, part.mark))
            return child
        case .table(let child, _): return child
        case .tables(let children, _):
            guard let last = children.last else { throw taken(part) }
            return last.table
        case .node: throw taken(part)
        }
    }

    private func openTable(
        in table: TOMLTable,
        _ key: TOMLKey,
        _ mark: SourceMark
    ) throws(ConfigurationSyntaxError) -> TOMLTable {
        switch table[key.name] {
        case nil:
            let child = TOMLTable(.header)
            table.add(key, .table(child, mark))
            return child
        case .table(let child, _) where child.origin == .implicit:
            child.origin = .header
            return child
        default: throw taken(key)
        }
    }

    private func appendTable(
        to table: TOMLTable,
        _ key: TOMLKey,
        _ mark: SourceMark
    ) throws(ConfigurationSyntaxError) -> TOMLTable {
        let child = TOMLTable(.header)
        switch table[key.name] {
        case nil: table.add(key, .tables([TOMLTable.Element(table: child, mark: mark)], mark))
        case .tables(let children, let first):
            table.replace(key.name, .tables(children + [TOMLTable.Element(table: child, mark: mark)], first))
        default: throw taken(key)
        }
        return child
    }

    private func taken(_ key: TOMLKey) -> ConfigurationSyntaxError {
        ConfigurationSyntaxError("'\(key.name)' is already defined; remove one of the two", at: key.mark)
    }

    // MARK: Keys

    private mutating func keyPath() throws(ConfigurationSyntaxError) -> [TOMLKey] {
        var path: [TOMLKey] = []
        repeat {
            lexer.skipSpace()
            path.append(try lexer.key())
            lexer.skipSpace()
            guard path.count <= Self.depthLimit else { throw lexer.error("the key has too many parts") }
        } while lexer.take(UInt8(ascii: "."))
        return path
    }

    private mutating func keyValue(into table: TOMLTable, depth: Int) throws(ConfigurationSyntaxError) {
        let path = try keyPath()
        guard lexer.take(UInt8(ascii: "=")) else { throw lexer.error("'=' must follow the key") }
        lexer.skipSpace()
        let value = try value(depth: depth)
        var target = table
        for part in path.dropLast() { target = try dotted(target, part) }
        guard let last = path.last, target[last.name] == nil else { throw taken(path[path.count - 1]) }
        target.add(last, .node(value))
    }

    /// The table that a part of a dotted key leads to: a new one, or one of the same header's dotted keys.
    private func dotted(_ table: TOMLTable, _ part: TOMLKey) throws(ConfigurationSyntaxError) -> TOMLTable {
        switch table[part.name] {
        case nil:
            let child = TOMLTable(.dotted(section))
            table.add(part, .table(child, part.mark))
            return child
        case .table(let child, _) where child.origin == .dotted(section) || child.origin == .implicit:
            child.origin = .dotted(section)
            return child
        default: throw taken(part)
        }
    }

    // MARK: Values

    private mutating func value(depth: Int) throws(ConfigurationSyntaxError) -> ConfigurationNode {
        let mark = lexer.mark
        guard depth < Self.depthLimit else { throw lexer.error("nested deeper than \(Self.depthLimit) levels") }
        switch lexer.peek {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return ConfigurationNode(.string(try lexer.string()), mark)
        case UInt8(ascii: "["): return ConfigurationNode(.list(try array(depth: depth)), mark)
        case UInt8(ascii: "{"): return try inlineTable(depth: depth)
        default: return ConfigurationNode(try lexer.bareValue(), mark)
        }
    }

    private mutating func array(depth: Int) throws(ConfigurationSyntaxError) -> [ConfigurationNode] {
        lexer.advance()
        var nodes: [ConfigurationNode] = []
        while true {
            try lexer.skipBlankLines()
            if lexer.take(UInt8(ascii: "]")) { return nodes }
            nodes.append(try value(depth: depth + 1))
            try lexer.skipBlankLines()
            if lexer.take(UInt8(ascii: "]")) { return nodes }
            guard lexer.take(UInt8(ascii: ",")) else { throw lexer.error("',' or ']' must follow a value of the list") }
        }
    }

    private mutating func inlineTable(depth: Int) throws(ConfigurationSyntaxError) -> ConfigurationNode {
        let mark = lexer.mark
        let table = TOMLTable(.header)
        lexer.advance()
        lexer.skipSpace()
        if lexer.take(UInt8(ascii: "}")) { return table.node(at: mark) }
        while true {
            try keyValue(into: table, depth: depth + 1)
            lexer.skipSpace()
            if lexer.take(UInt8(ascii: "}")) { return table.node(at: mark) }
            guard lexer.take(UInt8(ascii: ",")) else {
                throw lexer.error("',' or '}' must follow a value of the inline table, on the same line")
            }
        }
    }
}

/// A key and where it stands.
struct TOMLKey {
    var name: String
    var mark: SourceMark
}

/// A table while the document is read: later headers and dotted keys may add to it.
final class TOMLTable {
    /// What defined the table, and so what may add to it.
    enum Origin: Equatable {
        /// A header names a table inside it.
        case implicit
        /// A header of its own, or braces.
        case header
        /// Dotted keys under the header with this number.
        case dotted(Int)
    }

    struct Element {
        var table: TOMLTable
        var mark: SourceMark
    }

    enum Item {
        case node(ConfigurationNode)
        case table(TOMLTable, SourceMark)
        case tables([Element], SourceMark)
    }

    var origin: Origin
    private var keys: [TOMLKey] = []
    private var items: [String: Item] = [:]

    init(_ origin: Origin) {
        self.origin = origin
    }

    subscript(name: String) -> Item? { items[name] }

    func add(_ key: TOMLKey, _ item: Item) {
        keys.append(key)
        items[key.name] = item
    }

    func replace(_ name: String, _ item: Item) {
        items[name] = item
    }

    func node(at mark: SourceMark) -> ConfigurationNode {
        let entries = keys.compactMap { key in
            items[key.name].map { ConfigurationNode.Entry(key: key.name, mark: key.mark, node: Self.node($0)) }
        }
        return ConfigurationNode(.table(entries), mark)
    }

    private static func node(_ item: Item) -> ConfigurationNode {
        switch item {
        case .node(let node): node
        case .table(let table, let mark): table.node(at: mark)
        case .tables(let elements, let mark):
            ConfigurationNode(.list(elements.map { $0.table.node(at: $0.mark) }), mark)
        }
    }
}
