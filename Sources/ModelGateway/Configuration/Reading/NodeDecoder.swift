// Takes typed values out of configuration nodes, replaces references, and collects every mistake on the way.

import GatewayWire

struct ConfigurationDecoder {
    /// The file as it was named, for messages.
    let source: String
    /// The folder of the file, which relative paths of `file:` references start from.
    let directory: String
    let environment: ConfigurationEnvironment
    /// The policies that may be named.
    let policies: PolicyCatalog
    /// The kinds of providers that may be named.
    let kinds: [ProviderKind]
    private(set) var issues: [ConfigurationIssue] = []
    private(set) var path = ""
    /// Where names were used that must be defined somewhere, to be checked at the end.
    var modelReferences: [NameUse] = []
    /// Where names were defined that may be defined only once.
    var definitions: [String: [String: SourceMark?]] = [:]
    /// The providers by name, once they are read.
    var providers: [String: Configuration.Provider] = [:]

    /// A name that must be defined somewhere.
    struct NameUse {
        var name: String
        var path: String
        var mark: SourceMark?
    }

    init(
        source: String,
        directory: String,
        environment: ConfigurationEnvironment,
        policies: PolicyCatalog,
        kinds: [ProviderKind] = []
    ) {
        self.source = source
        self.directory = directory
        self.environment = environment
        self.policies = policies
        self.kinds = ProviderKind.table.map { ProviderKind(rawValue: $0.name) } + kinds
    }

    // MARK: Mistakes

    /// Runs something with a key or an index added to the path of messages.
    mutating func at<Result>(_ key: String, _ body: (inout Self) -> Result) -> Result {
        let outer = path
        path += key.hasPrefix("[") || outer.isEmpty ? key : "." + key
        defer { path = outer }
        return body(&self)
    }

    mutating func mistake(_ message: String, at mark: SourceMark?) {
        report(.error, message, at: mark)
    }

    mutating func warning(_ message: String, at mark: SourceMark?) {
        report(.warning, message, at: mark)
    }

    mutating func report(
        _ severity: ConfigurationIssue.Severity,
        _ message: String,
        at mark: SourceMark?,
        path: String? = nil
    ) {
        let issue = ConfigurationIssue(
            severity: severity,
            source: source,
            line: mark?.line,
            column: mark?.column,
            path: path ?? self.path,
            message: message
        )
        issues.append(issue)
    }

    mutating func unknownKey(_ entry: ConfigurationNode.Entry, known: [String]) {
        at(entry.key) { decoder in
            decoder.mistake("unknown key; \(Self.suggestion(entry.key, known))", at: entry.mark)
        }
    }

    mutating func unknownName(_ name: String, of node: ConfigurationNode, known: [String]) {
        mistake("\(shown(name, node)) is not known; \(Self.suggestion(name, known))", at: node.mark)
    }

    /// The nearest name if there is one, else the whole choice.
    static func suggestion(_ name: String, _ known: [String]) -> String {
        if let nearest = nearestName(to: name, in: known) { return "did you mean '\(nearest)'?" }
        if known.isEmpty { return "none is defined" }
        return "allowed: \(known.sorted().joined(separator: ", "))"
    }

    /// A value in a message: quoted and short if it stands in the file, hidden if it may be a secret.
    func shown(_ text: String, _ node: ConfigurationNode) -> String {
        guard case .string(let literal) = node.value, literal == text else { return "the value" }
        return text.count > 60 ? "'\(text.prefix(60))…'" : "'\(text)'"
    }

    private mutating func wrongType(_ expected: String, _ node: ConfigurationNode) {
        if case .string(let text) = node.value {
            return mistake(
                "\(expected) was expected, not \(ConfigurationReference.isIn(text) ? "the value" : "'\(text.prefix(60))'")",
                at: node.mark
            )
        }
        mistake("\(expected) was expected, not \(node.kind)", at: node.mark)
    }

    // MARK: Values

    /// The text of a string after its references are replaced.
    mutating func string(_ node: ConfigurationNode) -> String? {
        guard case .string(let text) = node.value else {
            mistake("text was expected, not \(node.kind)\(quotesHint(node))", at: node.mark)
            return nil
        }
        return resolved(text, node)
    }

    private func quotesHint(_ node: ConfigurationNode) -> String {
        switch node.value {
        case .integer, .number, .boolean: "; put it in quotes"
        default: ""
        }
    }

    private mutating func resolved(_ text: String, _ node: ConfigurationNode) -> String? {
        do {
            return try ConfigurationReference.resolve(text, environment)
        } catch {
            mistake(error.message, at: node.mark)
            return nil
        }
    }

    /// A node whose string, if it holds references, became the number or boolean that it stands for.
    private mutating func scalar(_ node: ConfigurationNode) -> ConfigurationNode? {
        guard case .string(let text) = node.value, node.mark == nil || ConfigurationReference.isIn(text) else {
            return node
        }
        guard let text = resolved(text, node) else { return nil }
        return ConfigurationNode(YAMLScalar.value(plain: text), node.mark)
    }

    /// The value, unless it is out of range, which is a mistake.
    private mutating func checked<Value>(
        _ value: Value,
        _ quantity: Quantity<Value>,
        in range: ClosedRange<Value>,
        at mark: SourceMark?
    ) -> Value? {
        if range.contains(value) { return value }
        mistake("\(quantity.format(value)) is out of range; allowed are \(quantity.span(range))", at: mark)
        return nil
    }

    mutating func boolean(_ node: ConfigurationNode) -> Bool? {
        guard let scalar = scalar(node) else { return nil }
        if case .boolean(let value) = scalar.value { return value }
        wrongType("true or false", node)
        return nil
    }

    mutating func integer(_ node: ConfigurationNode, in range: ClosedRange<Int>) -> Int? {
        guard let scalar = scalar(node) else { return nil }
        guard case .integer(let value) = scalar.value else {
            wrongType("an integer", node)
            return nil
        }
        return checked(value, .integer, in: range, at: node.mark)
    }

    mutating func number(_ node: ConfigurationNode, in range: ClosedRange<Double>) -> Double? {
        guard let scalar = scalar(node) else { return nil }
        let value: Double
        switch scalar.value {
        case .integer(let integer): value = Double(integer)
        case .number(let number): value = number
        default:
            wrongType("a number", node)
            return nil
        }
        return checked(value, .number, in: range, at: node.mark)
    }

    mutating func duration(_ node: ConfigurationNode, in range: ClosedRange<Duration>) -> Duration? {
        let value: Duration?
        switch node.value {
        case .integer(let seconds): value = DurationText.seconds(Double(seconds))
        case .number(let seconds): value = DurationText.seconds(seconds)
        case .string(let text):
            guard let text = resolved(text, node) else { return nil }
            value = DurationText.parse(text)
        default: value = nil
        }
        guard let value else {
            wrongType("a duration such as \"250ms\", \"5s\", \"2m\", \"4h\" or a number of seconds", node)
            return nil
        }
        return checked(value, .duration, in: range, at: node.mark)
    }

    mutating func size(_ node: ConfigurationNode, in range: ClosedRange<Int>) -> Int? {
        let value: Int?
        switch node.value {
        case .integer(let bytes): value = bytes
        case .string(let text):
            guard let text = resolved(text, node) else { return nil }
            value = SizeText.parse(text)
        default: value = nil
        }
        guard let value else {
            wrongType("a size such as \"64MiB\" or a number of bytes", node)
            return nil
        }
        return checked(value, .size, in: range, at: node.mark)
    }

    mutating func secret(_ node: ConfigurationNode) -> Secret? {
        guard case .string(let text) = node.value else {
            mistake("a secret must be text, not \(node.kind)\(quotesHint(node))", at: node.mark)
            return nil
        }
        do {
            return Secret(try ConfigurationReference.resolveSecret(text, environment, directory: directory))
        } catch {
            mistake(error.message, at: node.mark)
            return nil
        }
    }

    mutating func url(_ node: ConfigurationNode) -> String? {
        guard let text = string(node).map(AbsoluteURL.spelledOut) else { return nil }
        guard let url = try? AbsoluteURL(text), url.isHTTP || url.socketPath != nil, url.userInfo == nil,
            url.query == nil, url.fragment == nil
        else {
            mistake(
                "an http:// or https:// URL with a host, or unix:///path of a socket, was expected, without a user name, query or fragment",
                at: node.mark
            )
            return nil
        }
        // A slash at the end would be doubled by the paths that are added.
        return String(text[...(text.lastIndex { $0 != "/" } ?? text.startIndex)])
    }

    /// The elements of a list, each with its place; a single value is a list of one.
    func elements(_ node: ConfigurationNode) -> [ConfigurationNode] { node.list ?? [node] }

    mutating func strings(_ node: ConfigurationNode) -> [String]? {
        collect(node) { $0.string($1) }
    }

    mutating func urls(_ node: ConfigurationNode) -> [String]? {
        collect(node) { $0.url($1) }
    }

    mutating func secrets(_ node: ConfigurationNode) -> [Secret]? {
        collect(node) { $0.secret($1) }
    }

    private mutating func collect<Element>(
        _ node: ConfigurationNode,
        _ read: (inout Self, ConfigurationNode) -> Element?
    ) -> [Element]? {
        guard let list = node.list else { return read(&self, node).map { [$0] } }
        return list.enumerated().compactMap { index, element in at("[\(index)]") { read(&$0, element) } }
    }

    mutating func texts(_ node: ConfigurationNode) -> [String: String]? {
        guard let entries = node.entries else {
            mistake("a table of names and texts was expected, not \(node.kind)", at: node.mark)
            return nil
        }
        var texts: [String: String] = [:]
        for entry in entries {
            if let text = at(entry.key, { $0.string(entry.node) }) { texts[entry.key] = text }
        }
        return texts
    }

    // MARK: Names

    /// Notes that a name is defined here; a second definition is a mistake.
    mutating func define(_ name: String, as kind: String, at mark: SourceMark?) {
        if let first = definitions[kind]?[name] {
            let place = first.map { ", first in line \($0.line)" } ?? ""
            mistake("the \(kind) '\(name)' is defined twice\(place)", at: mark)
        } else {
            definitions[kind, default: [:]][name] = .some(mark)
        }
    }
}
