// `GATEWAY_*` environment variables, which win over the file: each stands for one key of the schema.

/// An environment variable that overrides a key.
package struct ConfigurationOverride: Sendable, Hashable {
    /// The variable.
    package var variable: String
    /// The path of the key that it stands for.
    package var path: [String]
    /// Whether the value is a list with commas in between.
    package var isList = false

    /// All of them.
    package static let table: [ConfigurationOverride] = [
        ConfigurationOverride(variable: "GATEWAY_HOST", path: ["server", "host"]),
        ConfigurationOverride(variable: "GATEWAY_PORT", path: ["server", "port"]),
        ConfigurationOverride(variable: "GATEWAY_API_KEY", path: ["server", "api_keys"], isList: true),
        ConfigurationOverride(variable: "GATEWAY_ADMIN_KEY", path: ["server", "admin_keys"], isList: true),
        ConfigurationOverride(variable: "GATEWAY_ALLOWED_HOSTS", path: ["server", "allowed_hosts"], isList: true),
        ConfigurationOverride(
            variable: "GATEWAY_ALLOW_UNAUTHENTICATED",
            path: ["server", "allow_unauthenticated"]
        ),
        ConfigurationOverride(variable: "GATEWAY_MAX_BODY_BYTES", path: ["server", "max_body_bytes"]),
        ConfigurationOverride(variable: "GATEWAY_SHUTDOWN_DELAY", path: ["server", "shutdown_delay"]),
        ConfigurationOverride(variable: "GATEWAY_DRAIN_DEADLINE", path: ["server", "drain_deadline"]),
        ConfigurationOverride(variable: "GATEWAY_KEEPALIVE_INTERVAL", path: ["server", "keepalive_interval"]),
        ConfigurationOverride(variable: "GATEWAY_STREAM_DELAY", path: ["server", "stream_delay"]),
        ConfigurationOverride(variable: "GATEWAY_METRICS", path: ["server", "metrics"]),
        ConfigurationOverride(variable: "GATEWAY_METRICS_KEY", path: ["server", "metrics_key"]),
        ConfigurationOverride(variable: "GATEWAY_METRICS_PUBLIC", path: ["server", "metrics_public"]),
        ConfigurationOverride(variable: "GATEWAY_ACCESS_LOG", path: ["server", "access_log"]),
        ConfigurationOverride(variable: "GATEWAY_LOG_LEVEL", path: ["logging", "level"]),
        ConfigurationOverride(variable: "GATEWAY_LOG_FORMAT", path: ["logging", "format"]),
        ConfigurationOverride(variable: "GATEWAY_WORKER_URLS", path: ["workers", "urls"], isList: true),
        ConfigurationOverride(variable: "GATEWAY_WORKER_API_KEY", path: ["workers", "api_key"]),
        ConfigurationOverride(variable: "GATEWAY_POLICY", path: ["workers", "policy"]),
    ]

    /// The value of the variable as the tables around its key.
    fileprivate func node(_ text: String) -> ConfigurationNode {
        var value = ConfigurationNode(.string(text), nil)
        if isList {
            let parts = text.split(whereSeparator: { $0 == "," || $0 == " " })
            value = ConfigurationNode(.list(parts.map { ConfigurationNode(.string(String($0)), nil) }), nil)
        }
        for key in path.reversed() {
            value = ConfigurationNode(.table([ConfigurationNode.Entry(key: key, mark: nil, node: value)]), nil)
        }
        return value
    }
}

extension Configuration {
    /// Lets the `GATEWAY_*` environment variables win over what the configuration says.
    ///
    /// Reading a configuration does this already; call it where there is no file. An empty variable counts as not set.
    /// <doc:ConfigurationReference> lists the variables.
    /// - Parameters:
    ///   - environment: The environment variables; nil means those of the process.
    ///   - policies: The policies that may be named. Default: those of the library.
    /// - Throws: ``GatewayError/Code/configuration`` with all mistakes; the configuration is unchanged then.
    public mutating func applyEnvironment(
        _ environment: [String: String]? = nil,
        policies: PolicyCatalog = .standard
    ) throws(GatewayError) {
        let environment = environment.map { ConfigurationEnvironment.values($0) } ?? .process
        var changed = self
        let issues = changed.override(environment, policies: policies)
        let errors = issues.filter { $0.severity == .error }
        guard errors.isEmpty else { throw errors.error }
        changed.warnings += issues
        self = changed
    }

    /// Applies what is set and returns the findings.
    mutating func override(_ environment: ConfigurationEnvironment, policies: PolicyCatalog) -> [ConfigurationIssue] {
        var issues: [ConfigurationIssue] = []
        for override in ConfigurationOverride.table {
            guard let text = environment[override.variable], !text.isEmpty else { continue }
            var decoder = ConfigurationDecoder(
                source: override.variable,
                directory: "",
                environment: environment,
                policies: policies
            )
            if override.variable == "GATEWAY_PORT", text.hasPrefix("tcp://") {
                // Kubernetes sets this in every pod beside a service that is called "gateway".
                decoder.warning("the address of a Kubernetes service, not a port; no effect", at: nil)
            } else {
                ConfigurationSchema.root.read(override.node(text), &decoder, into: &self)
            }
            issues += decoder.issues
        }
        return issues
    }
}
