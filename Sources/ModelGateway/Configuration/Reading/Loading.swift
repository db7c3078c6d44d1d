// From a file to a configuration: reads it, finds its format and schema, and collects all mistakes before it gives up.

extension Configuration {
    /// The notation of a configuration file.
    package enum FileFormat: String, Sendable, Hashable, CaseIterable {
        /// TOML 1.0.
        case toml
        /// YAML 1.2, if the package trait `YAML` is on, as it is by default.
        case yaml
    }

    /// What reading a configuration found: the configuration if it can be used, and all findings.
    public struct Diagnosis: Sendable {
        /// The configuration; nil if any finding is an error.
        public var configuration: Configuration?
        /// Errors and warnings in the order of their lines.
        public var issues: [ConfigurationIssue]

        /// What keeps the configuration from being used.
        package var mistakes: [ConfigurationIssue] { issues.filter { $0.severity == .error } }

        /// The configuration, or its mistakes.
        /// - Throws: ``GatewayError/Code/configuration`` with all mistakes, a line for each.
        public func get() throws(GatewayError) -> Configuration {
            if let configuration { return configuration }
            throw mistakes.error
        }
    }

    /// The largest configuration file, in bytes.
    static let fileLimit = 16 << 20

    /// Reads a configuration file.
    ///
    /// The format follows from the extension (`.toml`, `.yaml`, `.yml`), or else from the content. It may be one of this
    /// library, a DB-GPT `[models]` TOML, or a DeltaLLM or LiteLLM `model_list` YAML. Blocks while it reads.
    /// - Parameters:
    ///   - path: The file, at most 16 MiB.
    ///   - environment: The environment variables that references and overrides see; nil means those of the process.
    ///   - policies: The policies that may be named. Default: those of the library.
    ///   - kinds: Kinds of providers that may be named besides those of the library: see ``ProviderCatalog``. Default none.
    /// - Throws: ``GatewayError/Code/configuration`` with all mistakes of the file, a line for each.
    public static func load(
        path: String,
        environment: [String: String]? = nil,
        policies: PolicyCatalog = .standard,
        kinds: [ProviderKind] = []
    ) throws(GatewayError) -> Configuration {
        try diagnose(path: path, environment: environment, policies: policies, kinds: kinds).get()
    }

    /// Reads a configuration file and returns the findings instead of throwing them.
    /// - Parameters:
    ///   - path: The file, at most 16 MiB.
    ///   - environment: The environment variables that references and overrides see; nil means those of the process.
    ///   - policies: The policies that may be named. Default: those of the library.
    ///   - kinds: Kinds of providers that may be named besides those of the library: see ``ProviderCatalog``. Default none.
    public static func diagnose(
        path: String,
        environment: [String: String]? = nil,
        policies: PolicyCatalog = .standard,
        kinds: [ProviderKind] = []
    ) -> Diagnosis {
        let bytes: [UInt8]
        do {
            bytes = try ConfigurationFile.read(path, limit: fileLimit)
        } catch {
            let issue = ConfigurationIssue(source: path, message: "the file cannot be read: \(error.message)")
            return Diagnosis(configuration: nil, issues: [issue])
        }
        let directory = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? ""
        return diagnose(
            bytes,
            name: path,
            directory: directory,
            environment: environment,
            policies: policies,
            kinds: kinds
        )
    }

    /// Reads a configuration out of memory.
    /// - Parameters:
    ///   - bytes: The text of the file in UTF-8, at most 16 MiB.
    ///   - name: What the text is called in findings; its extension tells the format, or else the content does.
    ///   - directory: Where relative paths of `file:` references start; empty means the working directory.
    ///   - environment: The environment variables that references and overrides see; nil means those of the process.
    ///   - policies: The policies that may be named. Default: those of the library.
    ///   - kinds: Kinds of providers that may be named besides those of the library: see ``ProviderCatalog``. Default none.
    public static func diagnose(
        _ bytes: [UInt8],
        name: String,
        directory: String = "",
        environment: [String: String]? = nil,
        policies: PolicyCatalog = .standard,
        kinds: [ProviderKind] = []
    ) -> Diagnosis {
        let environment = environment.map { ConfigurationEnvironment.values($0) } ?? .process
        var decoder = ConfigurationDecoder(
            source: name,
            directory: directory,
            environment: environment,
            policies: policies,
            kinds: kinds
        )
        var configuration = Configuration()
        if let parsed = parse(bytes, name: name, &decoder) {
            let node = translate(parsed, &decoder)
            ConfigurationSchema.root.read(node, &decoder, into: &configuration)
            ModelReading.checkReferences(configuration, node, &decoder)
        }
        var issues = decoder.issues.sorted { ($0.line ?? 0, $0.column ?? 0) < ($1.line ?? 0, $1.column ?? 0) }
        issues += configuration.override(environment, policies: policies)
        configuration.warnings = issues.filter { $0.severity == .warning }
        let isUsable = configuration.warnings.count == issues.count
        return Diagnosis(configuration: isUsable ? configuration : nil, issues: issues)
    }

    private static func translate(
        _ node: ConfigurationNode,
        _ decoder: inout ConfigurationDecoder
    ) -> ConfigurationNode {
        switch ConfigurationDialect(node) {
        case .own: node
        case .modelList: ModelListDialect.translate(node, &decoder)
        case .dbGPT: DBGPTDialect.translate(node, &decoder)
        }
    }

    private static func parse(
        _ bytes: [UInt8],
        name: String,
        _ decoder: inout ConfigurationDecoder
    ) -> ConfigurationNode? {
        guard bytes.count <= fileLimit else {
            decoder.mistake("the text is larger than \(SizeText.format(fileLimit))", at: nil)
            return nil
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            decoder.mistake("the text is not UTF-8", at: firstInvalidLine(bytes))
            return nil
        }
        do {
            switch FileFormat(name: name) ?? FileFormat(content: text) {
            case .toml: return try TOMLReader.read(text)
            case .yaml: return try YAMLReader.read(text)
            }
        } catch {
            decoder.mistake(error.message, at: error.mark)
            return nil
        }
    }

    private static func firstInvalidLine(_ bytes: [UInt8]) -> SourceMark? {
        for (index, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated()
        where String(validating: line, as: UTF8.self) == nil {
            return SourceMark(line: index + 1, column: 1)
        }
        return nil
    }
}

extension Configuration.FileFormat {
    /// Whether this build reads files of the format: YAML needs the package trait of that name, which is on by default.
    package var isAvailable: Bool {
        #if YAML
        true
        #else
        self != .yaml
        #endif
    }

    /// The format that an extension tells.
    init?(name: String) {
        let lowercased = name.lowercased()
        if lowercased.hasSuffix(".toml") {
            self = .toml
        } else if lowercased.hasSuffix(".yaml") || lowercased.hasSuffix(".yml") || lowercased.hasSuffix(".json") {
            // JSON is YAML.
            self = .yaml
        } else {
            return nil
        }
    }

    /// The format that the first line of substance tells: a header or `key =` is TOML, all else YAML.
    init(content: String) {
        for line in content.split(whereSeparator: \.isNewline) {
            let line = line.drop { $0 == " " || $0 == "\t" || $0 == "\u{FEFF}" }
            if line.isEmpty || line.first == "#" { continue }
            let key = line.prefix { $0 != "=" && $0 != ":" && $0 != "#" }
            let isHeader = line.first == "[" && line.contains("]")
            self = isHeader || line.dropFirst(key.count).first == "=" ? .toml : .yaml
            return
        }
        self = .toml
    }
}
