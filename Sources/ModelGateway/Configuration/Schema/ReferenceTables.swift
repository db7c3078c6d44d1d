// The tables of the configuration reference, made out of the schema, so that the page cannot say anything else.

package enum ConfigurationReferenceTables {
    /// All tables of keys, each once, in the order in which the page shows them.
    package static var tables: [ConfigurationTable] {
        var seen: Set<String> = []
        return ConfigurationSchema.root.tables.filter { seen.insert($0.title).inserted }
    }

    /// The tables in Markdown, a heading before each, and the environment variables after them.
    package static var markdown: String {
        var text = ""
        for table in tables {
            text += "### \(heading(table.title))\n\n| Key | Takes | Default | Meaning |\n|---|---|---|---|\n"
            for row in table.rows {
                let standard = row.standard.isEmpty || row.standard == "required" ? row.standard : "`\(row.standard)`"
                text += "| `\(row.key)` | \(row.type) | \(standard) | \(row.summary) |\n"
            }
            text += "\n"
        }
        text += "### Environment variables\n\n| Variable | Key |\n|---|---|\n"
        for override in ConfigurationOverride.table {
            let list = override.isList ? ", separated by commas" : ""
            text += "| `\(override.variable)` | `\(override.path.joined(separator: "."))`\(list) |\n"
        }
        return text
    }

    private static func heading(_ title: String) -> String { title.prefix(1).uppercased() + title.dropFirst() }
}
