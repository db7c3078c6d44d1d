// What is wrong with a configuration: every mistake with its place.

/// One finding in a configuration file or an environment variable.
public struct ConfigurationIssue: Sendable, Hashable, CustomStringConvertible {
    /// Whether the configuration can be used in spite of the finding.
    public enum Severity: String, Sendable, Hashable {
        /// The configuration is used; what the finding names has no effect.
        case warning
        /// The configuration is not used.
        case error
    }

    /// Whether the configuration can be used in spite of the finding.
    public var severity: Severity
    /// The file as it was named, or the name of the environment variable.
    public var source: String
    /// The line, counted from 1; nil if the finding is about the whole source.
    public var line: Int?
    /// The column in Unicode scalars, counted from 1.
    public var column: Int?
    /// The path of the key, such as `models[0].deployments[1].weight`; empty if the finding is about no key.
    public var path: String
    /// What is wrong and what is allowed. Never holds a secret.
    public var message: String

    /// Creates a finding.
    package init(
        severity: Severity = .error,
        source: String,
        line: Int? = nil,
        column: Int? = nil,
        path: String = "",
        message: String
    ) {
        self.severity = severity
        self.source = source
        self.line = line
        self.column = column
        self.path = path
        self.message = message
    }

    /// One line in the form that compilers use: `gateway.toml:12:3: error: server.prot: unknown key; …`.
    public var description: String {
        var text = source
        if let line { text += ":\(line)" }
        if line != nil, let column { text += ":\(column)" }
        text += ": \(severity.rawValue): "
        if !path.isEmpty { text += path + ": " }
        return text + message
    }
}

extension [ConfigurationIssue] {
    /// All of them as one error, a line for each.
    var error: GatewayError { GatewayError(.configuration, map(\.description).joined(separator: "\n")) }
}
