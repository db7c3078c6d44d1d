// Reads YAML into configuration nodes: Yams parses, scalars follow YAML 1.2, aliases and merge keys are bounded.

#if YAML
internal import Yams

enum YAMLReader {
    /// Nodes that a file may expand to through its aliases.
    static let nodeLimit = 200_000
    /// Levels of nesting.
    static let depthLimit = 64

    /// Parses one YAML document. An empty one is an empty table.
    static func read(_ text: String) throws(ConfigurationSyntaxError) -> ConfigurationNode {
        do {
            // Without rules for implicit types: `no` and `012:30` would mean something else than what is written.
            let parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
            guard let root = try parser.singleRoot() else { return emptyTable }
            var conversion = Conversion()
            let node = try conversion.node(root, depth: 0)
            return node.value == .null ? emptyTable : node
        } catch let error as ConfigurationSyntaxError {
            throw error
        } catch let error as YamlError {
            throw syntaxError(error)
        } catch {
            throw ConfigurationSyntaxError("the YAML cannot be read", at: nil)
        }
    }

    private static var emptyTable: ConfigurationNode { ConfigurationNode(.table([]), SourceMark(line: 1, column: 1)) }

    /// Takes the problem and the place out of an error; its own description quotes the file, secrets included.
    private static func syntaxError(_ error: YamlError) -> ConfigurationSyntaxError {
        func at(_ mark: Mark) -> SourceMark { SourceMark(line: mark.line, column: mark.column) }
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _):
            let hint = "look for an indentation, a bracket or a quote that is wrong here or above"
            return ConfigurationSyntaxError("not valid YAML: \(problem); \(hint)", at: at(mark))
        case .composer(_, let problem, let mark, _):
            let hint =
                problem.contains("alias")
                ? "its anchor must come first, and a text that begins with '*' needs quotes"
                : "a file holds one document"
            return ConfigurationSyntaxError("not valid YAML: \(problem); \(hint)", at: at(mark))
        case .reader(let problem, let offset, _, let yaml):
            let lines = yaml.prefix(offset ?? 0).utf8.count { $0 == UInt8(ascii: "\n") }
            return ConfigurationSyntaxError("not valid YAML: \(problem)", at: SourceMark(line: lines + 1, column: 1))
        case .duplicatedKeysInMapping(let duplicates, let context):
            let names = duplicates.map { "'\($0)'" }.joined(separator: ", ")
            return ConfigurationSyntaxError(
                "the key \(names) is given twice; remove one of the two",
                at: at(context.mark)
            )
        default:
            return ConfigurationSyntaxError("the YAML cannot be read", at: nil)
        }
    }

    /// Turns Yams' nodes into ours and counts them, since a few aliases can stand for billions.
    private struct Conversion {
        var count = 0

        mutating func node(_ node: Node, depth: Int) throws(ConfigurationSyntaxError) -> ConfigurationNode {
            let mark = node.mark.map { SourceMark(line: $0.line, column: $0.column) }
            count += 1
            guard count <= nodeLimit else {
                throw ConfigurationSyntaxError("the aliases expand to more than \(nodeLimit) values", at: mark)
            }
            guard depth < depthLimit else {
                throw ConfigurationSyntaxError("nested deeper than \(depthLimit) levels", at: mark)
            }
            switch node {
            case .scalar(let scalar):
                let isPlain = scalar.style == .plain && scalar.tag == .implicit
                return ConfigurationNode(
                    isPlain ? YAMLScalar.value(plain: scalar.string) : .string(scalar.string),
                    mark
                )
            case .sequence(let sequence):
                var list: [ConfigurationNode] = []
                for element in sequence { list.append(try self.node(element, depth: depth + 1)) }
                return ConfigurationNode(.list(list), mark)
            case .mapping(let mapping):
                return ConfigurationNode(.table(try entries(mapping, depth: depth)), mark)
            case .alias:
                throw ConfigurationSyntaxError(
                    "an alias without its anchor; write &name before the value that it stands for",
                    at: mark
                )
            }
        }

        private mutating func entries(
            _ mapping: Node.Mapping,
            depth: Int
        ) throws(ConfigurationSyntaxError) -> [ConfigurationNode.Entry] {
            var entries: [ConfigurationNode.Entry] = []
            var merged: [ConfigurationNode.Entry] = []
            for (key, value) in mapping {
                let mark = key.mark.map { SourceMark(line: $0.line, column: $0.column) }
                guard case .scalar(let name) = key else {
                    throw ConfigurationSyntaxError("a key must be a plain name", at: mark)
                }
                let node = try node(value, depth: depth + 1)
                if name.string == "<<", name.style == .plain {
                    merged += try mergedEntries(node, at: mark)
                } else {
                    entries.append(ConfigurationNode.Entry(key: name.string, mark: mark, node: node))
                }
            }
            var known = Set(entries.map(\.key))
            for entry in merged where known.insert(entry.key).inserted { entries.append(entry) }
            return entries
        }

        /// The entries behind `<<`: one table or a list of tables, of which earlier ones win.
        private func mergedEntries(
            _ node: ConfigurationNode,
            at mark: SourceMark?
        ) throws(ConfigurationSyntaxError) -> [ConfigurationNode.Entry] {
            if let entries = node.entries { return entries }
            var merged: [ConfigurationNode.Entry] = []
            for element in node.list ?? [ConfigurationNode(.null, mark)] {
                guard let entries = element.entries else {
                    throw ConfigurationSyntaxError("'<<' merges tables, not \(element.kind)", at: mark)
                }
                merged += entries
            }
            return merged
        }
    }
}

#else

/// Stands in for the reader where the package trait is off, and with it Yams and the Foundation that it brings.
enum YAMLReader {
    static func read(_ text: String) throws(ConfigurationSyntaxError) -> ConfigurationNode {
        throw ConfigurationSyntaxError(
            "this build cannot read YAML; write the configuration in TOML, or build with the package trait YAML, which is "
                + "on by default: leave out --disable-default-traits, and name it among others, as in --traits LlamaCpp,YAML",
            at: nil
        )
    }
}
#endif
