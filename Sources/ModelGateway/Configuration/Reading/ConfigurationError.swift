// The error of a configuration that cannot be used.

/// All mistakes of a configuration at once.
public struct ConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The mistakes, in the order of their lines.
    public var issues: [ConfigurationIssue]

    /// Creates an error out of findings.
    package init(issues: [ConfigurationIssue]) {
        self.issues = issues
    }

    /// One line for each mistake.
    public var description: String { issues.map(\.description).joined(separator: "\n") }

    /// The same as the library's one error.
    package var gatewayError: GatewayError { GatewayError(.configuration, description) }
}
