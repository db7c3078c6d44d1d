// Reads providers, models and deployments: what their keys mean together, beyond what each key says alone.

enum ModelReading {
    static func provider(
        _ node: ConfigurationNode,
        _ decoder: inout ConfigurationDecoder
    ) -> Configuration.Provider {
        var provider = Configuration.Provider()
        ConfigurationSchema.provider.read(node, &decoder, into: &provider)
        complete(&provider, node, &decoder)
        return provider
    }

    static func model(_ node: ConfigurationNode, _ decoder: inout ConfigurationDecoder) -> Configuration.Model {
        var model = Configuration.Model(name: "")
        ConfigurationSchema.model.read(node, &decoder, into: &model)
        if let entry = node.entry("name"), !model.name.isEmpty {
            decoder.at("name") { $0.define(model.name, as: "model name", at: entry.node.mark) }
        } else if let entry = node.entry("name"), entry.node.string != nil {
            decoder.mistake("the name must not be empty", at: entry.mark)
        }
        if let entry = node.entry("aliases") {
            for alias in model.aliases {
                decoder.at("aliases") { $0.define(alias, as: "model name", at: entry.node.mark) }
            }
        }
        if let entry = node.entry("deployments"), entry.node.list?.isEmpty == true {
            decoder.at("deployments") { $0.mistake("a model needs at least one deployment", at: entry.mark) }
        }
        let fallbacks = [
            ("fallbacks", model.fallbacks), ("context_window_fallbacks", model.contextWindowFallbacks),
            ("content_policy_fallbacks", model.contentPolicyFallbacks),
        ]
        for (key, names) in fallbacks {
            let mark = node[key]?.mark
            let path = decoder.path + "." + key
            decoder.modelReferences += names.map { ConfigurationDecoder.NameUse(name: $0, path: path, mark: mark) }
        }
        group(node, retry: model.retry, breaker: model.breaker, &decoder)
        return model
    }

    /// Checks limits that must not be below what they limit.
    static func group(
        _ node: ConfigurationNode,
        retry: RetryOptions,
        breaker: CircuitBreakerOptions,
        _ decoder: inout ConfigurationDecoder
    ) {
        if retry.maxBackoff < retry.backoff, let entry = node.entry("retry") {
            decoder.at("retry") { $0.mistake("max_backoff is less than backoff", at: entry.node.mark) }
        }
        if breaker.maxOpenTime < breaker.openTime, let entry = node.entry("breaker") {
            decoder.at("breaker") { $0.mistake("max_open_time is less than open_time", at: entry.node.mark) }
        }
    }

    static func deployment(
        _ node: ConfigurationNode,
        _ index: Int,
        _ model: Configuration.Model,
        _ decoder: inout ConfigurationDecoder
    ) -> Configuration.Deployment {
        var deployment = Configuration.Deployment(id: "\(model.name)/\(index + 1)", upstreamModel: model.name)
        if let named = node["provider"], let name = named.string {
            if let provider = decoder.providers[name] {
                deployment.provider = provider
                deployment.timeouts = provider.timeouts
            } else {
                decoder.at("provider") { $0.unknownName(name, of: named, known: Array($0.providers.keys)) }
            }
            if let kind = node.entry("kind") {
                decoder.mistake("'kind' is the named provider's; leave out 'kind' or 'provider'", at: kind.mark)
            }
        }
        // What its own table leaves out is the model's.
        if node["health"] != nil { deployment.health = model.health }
        ConfigurationSchema.deployment.read(node, &decoder, into: &deployment)
        decoder.at("id") { $0.define(deployment.id, as: "deployment id", at: node["id"]?.mark ?? node.mark) }
        completeLlama(&deployment, node, &decoder)
        if node["provider"] == nil { complete(&deployment.provider, node, &decoder) }
        return deployment
    }

    /// A path alone makes a deployment one of llama.cpp; its options make no sense elsewhere.
    private static func completeLlama(
        _ deployment: inout Configuration.Deployment,
        _ node: ConfigurationNode,
        _ decoder: inout ConfigurationDecoder
    ) {
        if node["path"] != nil, node["kind"] == nil, node["provider"] == nil { deployment.provider.kind = .llama }
        if deployment.provider.kind == .llama {
            if deployment.path == nil { decoder.mistake("kind 'llama' needs 'path', the GGUF file", at: node.mark) }
            return
        }
        for key in ["path"] + ConfigurationSchema.llamaFields.map(\.key) {
            guard let entry = node.entry(key) else { continue }
            decoder.at(key) { $0.mistake("only kind 'llama' takes this key", at: entry.mark) }
        }
    }

    private static func complete(
        _ provider: inout Configuration.Provider,
        _ node: ConfigurationNode,
        _ decoder: inout ConfigurationDecoder
    ) {
        if provider.apiKey?.isEmpty == true { provider.apiKey = nil }
        if provider.baseURL == nil { provider.baseURL = provider.kind.defaultBaseURL }
        checkTLS(provider, node, &decoder)
        // A table with a mistake in one of these has been told so already.
        guard provider.baseURL == nil, provider.kind != .llama, provider.kind.isKnown, node["base_url"] == nil,
            node["kind"] == nil
                || provider.kind.rawValue == node["kind"]?.string
        else { return }
        if node.entries != nil {
            decoder.mistake("'base_url' is missing; kind '\(provider.kind)' has no default", at: node.mark)
        }
    }

    private static func checkTLS(
        _ provider: Configuration.Provider,
        _ node: ConfigurationNode,
        _ decoder: inout ConfigurationDecoder
    ) {
        let pairs = [
            ("client_certificate_file", "client_key_file"), ("client_key_file", "client_certificate_file"),
            ("client_key_password", "client_key_file"),
        ]
        for (key, other) in pairs where node[key] != nil && node[other] == nil {
            decoder.at(key) {
                $0.mistake("'\(other)' is missing, without which this has no effect", at: node[key]?.mark)
            }
        }
        if !provider.tls.verifiesCertificate, provider.kind.isHosted, node["base_url"] == nil {
            decoder.at("insecure_skip_verify") { decoder in
                let message = "the certificate of a provider on the Internet is always verified"
                decoder.mistake(message, at: node["insecure_skip_verify"]?.mark)
            }
        }
    }

    /// Checks, once everything is read, that names which were used are defined.
    static func checkReferences(
        _ configuration: Configuration,
        _ root: ConfigurationNode?,
        _ decoder: inout ConfigurationDecoder
    ) {
        let known = decoder.definitions["model name"] ?? [:]
        let workers = configuration.workers
        if let root, let node = root["workers"] {
            decoder.at("workers") { group(node, retry: workers.retry, breaker: workers.breaker, &$0) }
        }
        let isOpen = !workers.urls.isEmpty || workers.discovery.file != nil || workers.discovery.dns != nil
        for use in decoder.modelReferences where known[use.name] == nil {
            let suggestion = ConfigurationDecoder.suggestion(use.name, Array(known.keys))
            // A worker may offer a model of that name later.
            let message = "no model is named '\(use.name)'; \(suggestion)"
            decoder.report(isOpen ? .warning : .error, message, at: use.mark, path: use.path)
        }
    }
}
