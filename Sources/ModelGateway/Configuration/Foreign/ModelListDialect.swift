// DeltaLLM's and LiteLLM's `model_list` YAML, turned into the tables of this library's own schema.

/// Field names as documented for LiteLLM's proxy (`litellm_params`, `router_settings`, …) and for DeltaLLM.
struct ModelListDialect {
    /// The kinds by the providers' names in these schemas.
    static let kinds: [String: String] = [
        "openai": "openai", "text-completion-openai": "openai", "custom_openai": "openai_compatible",
        "openai_like": "openai_compatible", "hosted_vllm": "vllm", "vllm": "vllm", "sglang": "sglang",
        "ollama": "ollama", "ollama_chat": "ollama", "lm_studio": "lmstudio", "lmstudio": "lmstudio",
        "deepinfra": "deepinfra", "deepseek": "deepseek", "fireworks_ai": "fireworks", "fireworks": "fireworks",
        "groq": "groq", "mistral": "mistral", "moonshot": "moonshot", "openrouter": "openrouter",
        "perplexity": "perplexity", "together_ai": "together", "together": "together", "xai": "xai",
        "dashscope": "tongyi", "siliconflow": "siliconflow", "llamafile": "openai_compatible",
    ]

    /// Providers of these schemas that this library does not speak with.
    static let unsupported: Set<String> = [
        "anthropic", "azure", "azure_openai", "azure_ai", "bedrock", "bedrock_converse", "cohere", "cohere_chat",
        "databricks", "gemini", "huggingface", "nvidia_nim", "replicate", "sagemaker", "sagemaker_chat", "vertex_ai",
        "vertex_ai_beta", "voyage", "watsonx",
    ]

    /// The policies by the strategies' names.
    static let policies: [String: String] = [
        "simple-shuffle": "random", "weighted": "random", "least-busy": "least_load",
        "latency-based-routing": "latency", "cost-based-routing": "cost", "lowest-cost": "cost",
        "lowest-latency": "latency", "usage-based-routing": "least_load", "usage-based-routing-v2": "least_load",
        "rate-limit-aware": "least_load", "tag-based-routing": "random", "priority-based-routing": "random",
    ]

    private var models: [(name: String, builder: TableBuilder, modes: Set<String>)] = []
    /// Keys that every model gets, from the settings of the router.
    private var shared = TableBuilder(nil)
    /// Limits of time that every deployment gets.
    private var timeouts = TableBuilder(nil)

    /// The same configuration in this library's own schema.
    static func translate(_ root: ConfigurationNode, _ decoder: inout ConfigurationDecoder) -> ConfigurationNode {
        guard var table = ForeignTable(root, path: "") else { return root }
        var dialect = ModelListDialect()
        var result = TableBuilder(root.mark)
        let list = table.take("model_list")
        dialect.settings(&table, &result, &decoder)
        for (index, element) in (list?.list ?? []).enumerated() {
            dialect.entry(element, "model_list[\(index)]", &decoder)
        }
        if let list, list.list == nil {
            decoder.report(.error, "a list was expected", at: list.mark, path: "model_list")
        }
        dialect.router(&table, &decoder)
        table.warnOfTheRest(&decoder)
        result.append(
            "models",
            dialect.models.map { model in
                var builder = model.builder
                let modes = model.modes.sorted().map { ConfigurationNode(.string($0), builder.mark) }
                if !model.modes.contains("") { builder.append("modes", modes) }
                return builder.node
            }
        )
        return result.node
    }

    // MARK: Entries

    private mutating func entry(_ node: ConfigurationNode, _ path: String, _ decoder: inout ConfigurationDecoder) {
        guard var table = ForeignTable(node, path: path) else {
            return decoder.report(.error, "a table was expected, not \(node.kind)", at: node.mark, path: path)
        }
        let nameNode = table.take("model_name")
        guard let nameNode, let name = nameNode.string else {
            return decoder.report(.error, "'model_name' is missing", at: node.mark, path: path)
        }
        var params = table.table("litellm_params") ?? table.table("deltallm_params")
        var info = table.table("model_info")
        guard let model = params?.take("model"), let upstream = model.string else {
            return decoder.report(.error, "'litellm_params.model' is missing", at: node.mark, path: path)
        }
        guard !name.contains("*"), !upstream.contains("*") else {
            return decoder.report(.warning, "names with '*' are not supported; left out", at: nameNode.mark, path: path)
        }
        let mode = info?.take("mode")?.string.flatMap { $0 == "chat" ? nil : $0 } ?? ""
        guard mode.isEmpty || ConfigurationSchema.modes.contains(mode) else {
            return decoder.report(.warning, "the mode '\(mode)' is not supported; left out", at: node.mark, path: path)
        }
        let explicit = params?.take("provider", "custom_llm_provider")?.string
        guard let kind = Self.kind(explicit, model, path, &decoder) else { return }
        var deployment = TableBuilder(node.mark)
        deployment.set("id", table.take("deployment_id") ?? info?.take("id"))
        deployment.set("kind", .string(kind.name), at: model.mark)
        deployment.set("model", .string(kind.upstream), at: model.mark)
        Self.connection(&params, kind.name, &deployment)
        placement(&params, &info, &deployment)
        for rest in [table, params, info].compactMap({ $0 }) { rest.warnOfTheRest(&decoder) }
        add(deployment, to: name, mode: mode, nameNode, node)
    }

    /// The kind and the model's id there: the provider is named, or stands before the first slash, or is OpenAI's dialect.
    private static func kind(
        _ explicit: String?,
        _ model: ConfigurationNode,
        _ path: String,
        _ decoder: inout ConfigurationDecoder
    ) -> (name: String, upstream: String)? {
        let upstream = model.string ?? ""
        let prefix = upstream.firstIndex(of: "/").map { String(upstream[..<$0]) }
        let provider = (explicit ?? prefix ?? "openai").lowercased()
        let rest = prefix.map { String(upstream.dropFirst($0.utf8.count + 1)) } ?? upstream
        if let name = kinds[provider] {
            return (name, prefix?.lowercased() == provider ? rest : upstream)
        }
        if unsupported.contains(provider) || explicit != nil {
            decoder.report(
                .warning,
                "the provider '\(provider)' is not supported; left out",
                at: model.mark,
                path: path
            )
            return nil
        }
        // A slash that belongs to the model's id, as in `Qwen/Qwen3-8B`.
        return ("openai_compatible", upstream)
    }

    private static func connection(_ params: inout ForeignTable?, _ kind: String, _ deployment: inout TableBuilder) {
        let base = params?.take("api_base", "base_url")
        deployment.set("base_url", kind == "ollama" ? base?.defaultingPath(to: "/v1") : base)
        if let key = params?.take("api_key") {
            deployment.set("api_key", key)
        } else if base == nil, ProviderKind(rawValue: kind).isHosted {
            // These programs take a key that is not configured from the provider's usual variable.
            let variable = kind.uppercased() + "_API_KEY"
            deployment.set("api_key", .string("${env:\(variable):-}"), at: deployment.mark)
        }
        deployment.set("organization", params?.take("organization"))
        deployment.set("headers", params?.take("extra_headers", "headers"))
    }

    private func placement(
        _ params: inout ForeignTable?,
        _ info: inout ForeignTable?,
        _ deployment: inout TableBuilder
    ) {
        let taken: [(key: String, node: ConfigurationNode?)] = [
            ("weight", params?.take("weight")), ("weight", info?.take("weight")),
            ("priority", params?.take("order")), ("priority", info?.take("priority")),
            ("tags", params?.take("tags")), ("tags", info?.take("tags")),
            ("max_concurrent_calls", params?.take("max_parallel_requests")),
            ("input_price", params?.take("input_cost_per_token")?.multiplied(by: 1e6)),
            ("input_price", info?.take("input_cost_per_token")?.multiplied(by: 1e6)),
            ("output_price", params?.take("output_cost_per_token")?.multiplied(by: 1e6)),
            ("output_price", info?.take("output_cost_per_token")?.multiplied(by: 1e6)),
        ]
        for (key, node) in taken { deployment.set(key, node) }
        if !timeouts.isEmpty { deployment.set("timeouts", timeouts.node) }
        deployment.set("timeouts", "total", params?.take("timeout"))
    }

    private mutating func add(
        _ deployment: TableBuilder,
        to name: String,
        mode: String,
        _ nameNode: ConfigurationNode,
        _ node: ConfigurationNode
    ) {
        if let index = models.firstIndex(where: { $0.name == name }) {
            models[index].builder.append("deployments", [deployment.node])
            models[index].modes.insert(mode)
        } else {
            var builder = shared
            builder.mark = node.mark
            builder.set("name", nameNode)
            builder.append("deployments", [deployment.node])
            models.append((name, builder, [mode]))
        }
    }

    // MARK: Settings

    /// The settings that models need before they are made.
    private mutating func settings(
        _ root: inout ForeignTable,
        _ result: inout TableBuilder,
        _ decoder: inout ConfigurationDecoder
    ) {
        shared.set("policy", .string("random"), at: nil)
        if var general = root.table("general_settings") {
            if let key = general.take("master_key") { result.set("server", "api_keys", key) }
            result.set("logging", "level", general.take("log_level")?.lowercased)
            timeouts.set("connect", general.take("upstream_http_connect_timeout_seconds"))
            general.warnOfTheRest(&decoder)
        }
    }

    /// The settings that refer to models by name or hold for all of them.
    private mutating func router(_ root: inout ForeignTable, _ decoder: inout ConfigurationDecoder) {
        for key in ["litellm_settings", "deltallm_settings", "router_settings"] {
            guard var settings = root.table(key) else { continue }
            if let strategy = settings.take("routing_strategy"), let name = strategy.string {
                if let policy = Self.policies[name] {
                    setAll("policy", ConfigurationNode(.string(policy), strategy.mark))
                } else {
                    let suggestion = ConfigurationDecoder.suggestion(name, Array(Self.policies.keys))
                    let message = "the strategy '\(name)' is not known; \(suggestion)"
                    decoder.report(.error, message, at: strategy.mark, path: "\(key).routing_strategy")
                }
            }
            setAll("retry", "max_attempts", settings.take("num_retries")?.adding(1))
            if let wait = settings.take("retry_after"), wait.value != .integer(0) { setAll("retry", "backoff", wait) }
            setAll("breaker", "open_time", settings.take("cooldown_time"))
            setAll("breaker", "consecutive_failures", settings.take("allowed_fails")?.adding(1))
            if let timeout = settings.take("timeout", "request_timeout") { setTimeout(timeout) }
            for list in ["fallbacks", "context_window_fallbacks", "content_policy_fallbacks"] {
                if let node = settings.take(list) { fallbacks(node, list, "\(key).\(list)", &decoder) }
            }
            if let aliases = settings.take("model_group_alias") { self.aliases(aliases, &decoder) }
            settings.warnOfTheRest(&decoder)
        }
    }

    private mutating func setAll(_ key: String, _ node: ConfigurationNode) {
        for index in models.indices { models[index].builder.set(key, node) }
    }

    private mutating func setAll(_ table: String, _ key: String, _ node: ConfigurationNode?) {
        for index in models.indices { models[index].builder.set(table, key, node) }
    }

    /// Gives every deployment a total time that has none of its own.
    private mutating func setTimeout(_ timeout: ConfigurationNode) {
        for index in models.indices {
            let deployments = models[index].builder.node["deployments"]?.list ?? []
            let timed = deployments.map { deployment in
                if deployment["timeouts"]?["total"] != nil { return deployment }
                var builder = TableBuilder(deployment.mark)
                builder.entries = deployment.entries ?? []
                builder.set("timeouts", "total", timeout)
                return builder.node
            }
            models[index].builder.set("deployments", .list(timed), at: models[index].builder.mark)
        }
    }

    /// `[{group: [other, …]}, …]`.
    private mutating func fallbacks(
        _ node: ConfigurationNode,
        _ key: String,
        _ path: String,
        _ decoder: inout ConfigurationDecoder
    ) {
        for entry in (node.list ?? [node]).flatMap({ $0.entries ?? [] }) {
            guard let index = models.firstIndex(where: { $0.name == entry.key }) else {
                decoder.report(.warning, "no model is named '\(entry.key)'; no effect", at: entry.mark, path: path)
                continue
            }
            let known = entry.node.list?.filter { name in models.contains { $0.name == name.string } }
            if known?.count != entry.node.list?.count {
                let message = "models that are not in the list, or were left out, have no effect"
                decoder.report(.warning, message, at: entry.node.mark, path: "\(path).\(entry.key)")
            }
            models[index].builder.set(key, known.map { ConfigurationNode(.list($0), entry.node.mark) } ?? entry.node)
        }
    }

    /// `{alias: group}` or `{alias: {model: group}}`.
    private mutating func aliases(_ node: ConfigurationNode, _ decoder: inout ConfigurationDecoder) {
        for entry in node.entries ?? [] {
            let target = entry.node.string ?? entry.node["model"]?.string
            guard let index = models.firstIndex(where: { $0.name == target }) else {
                let message = "the alias '\(entry.key)' points to no model; no effect"
                decoder.report(.warning, message, at: entry.mark, path: "model_group_alias")
                continue
            }
            models[index].builder.append("aliases", [ConfigurationNode(.string(entry.key), entry.mark)])
        }
    }
}
