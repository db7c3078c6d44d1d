// DB-GPT's `[models]` TOML, turned into the tables of this library's own schema.

/// Field names as documented for DB-GPT's model layer (`[[models.llms]]`, `[[models.embeddings]]`, …).
enum DBGPTDialect {
    /// The kinds by the names of DB-GPT's providers.
    static let kinds: [String: String] = [
        "proxy/openai": "openai", "proxy/deepseek": "deepseek", "proxy/tongyi": "tongyi",
        "proxy/siliconflow": "siliconflow", "proxy/ollama": "ollama", "proxy/moonshot": "moonshot",
        "proxy/zhipu": "zhipu", "llama.cpp": "llama", "llama.cpp.server": "llama",
    ]

    /// The variables that DB-GPT takes a key from that is not configured, besides the kind's name and `_API_KEY`.
    static let keyVariables: [String: String] = ["tongyi": "DASHSCOPE_API_KEY", "zhipu": "ZHIPUAI_API_KEY"]

    /// The same configuration in this library's own schema.
    static func translate(_ root: ConfigurationNode, _ decoder: inout ConfigurationDecoder) -> ConfigurationNode {
        guard var table = ForeignTable(root, path: ""), var models = table.table("models") else { return root }
        var result = TableBuilder(root.mark)
        var list: [ConfigurationNode] = []
        for (key, mode) in [("llms", "chat"), ("embeddings", "embedding")] {
            guard let node = models.take(key) else { continue }
            for (index, element) in (node.list ?? [node]).enumerated() {
                let path = "models.\(key)[\(index)]"
                if let model = model(element, isEmbedding: mode == "embedding", path, &decoder) { list.append(model) }
            }
        }
        for (index, element) in (models.take("rerankers")?.list ?? []).enumerated() {
            let path = "models.rerankers[\(index)]"
            decoder.report(.warning, "reranking is not supported; left out", at: element.mark, path: path)
        }
        models.warnOfTheRest(&decoder)
        result.append("models", list)
        settings(&table, &result, &decoder)
        table.warnOfTheRest(&decoder)
        return result.node
    }

    private static func model(
        _ node: ConfigurationNode,
        isEmbedding: Bool,
        _ path: String,
        _ decoder: inout ConfigurationDecoder
    ) -> ConfigurationNode? {
        guard var table = ForeignTable(node, path: path) else {
            decoder.report(.error, "a table was expected, not \(node.kind)", at: node.mark, path: path)
            return nil
        }
        guard let name = table.take("name") else {
            decoder.report(.error, "'name' is missing", at: node.mark, path: path)
            return nil
        }
        let provider = table.take("provider")
        guard let kind = kinds[provider?.string ?? ""], table.take("api_type")?.string?.lowercased() != "azure" else {
            let name = provider?.string ?? ""
            decoder.report(.warning, "the provider '\(name)' is not supported; left out", at: node.mark, path: path)
            return nil
        }
        var deployment = TableBuilder(node.mark)
        deployment.set("kind", .string(kind), at: provider?.mark)
        deployment.set("model", table.take("backend") ?? name)
        deployment.set("max_concurrent_calls", table.take("concurrency"))
        if kind == "llama" {
            local(&table, &deployment)
        } else {
            remote(&table, kind, isEmbedding: isEmbedding, &deployment)
        }
        table.warnOfTheRest(&decoder)
        var model = TableBuilder(node.mark)
        model.set("name", name)
        if isEmbedding {
            model.set("modes", .list([ConfigurationNode(.string("embedding"), node.mark)]), at: node.mark)
        }
        model.append("deployments", [deployment.node])
        return model.node
    }

    private static func local(_ table: inout ForeignTable, _ deployment: inout TableBuilder) {
        deployment.set("path", table.take("path"))
        deployment.set("context_length", table.take("ctx_size", "context_length"))
        deployment.set("parallel", table.take("n_slots"))
        deployment.set("threads", table.take("n_threads"))
        if let layers = table.take("n_gpu_layers") {
            // DB-GPT writes "all" as a very large number.
            let all = if case .integer(10_001...) = layers.value { true } else { false }
            deployment.set("gpu_layers", all ? ConfigurationNode(.integer(-1), layers.mark) : layers)
        }
    }

    private static func remote(
        _ table: inout ForeignTable,
        _ kind: String,
        isEmbedding: Bool,
        _ deployment: inout TableBuilder
    ) {
        var base = table.take("api_base")
        // An embedding model is configured with the whole URL of the call.
        if isEmbedding, let url = table.take("api_url") { base = withoutEndpoint(url) }
        deployment.set("base_url", kind == "ollama" ? base?.defaultingPath(to: "/v1") : base)
        if let key = table.take("api_key") {
            deployment.set("api_key", key)
        } else if ProviderKind(rawValue: kind).isHosted {
            let variable = keyVariables[kind] ?? kind.uppercased() + "_API_KEY"
            deployment.set("api_key", .string("${env:\(variable):-}"), at: deployment.mark)
        }
        deployment.set("proxy", table.take("http_proxy"))
        deployment.set("timeouts", "total", table.take("timeout"))
    }

    private static func withoutEndpoint(_ url: ConfigurationNode) -> ConfigurationNode {
        guard let text = url.string, text.hasSuffix("/embeddings") else { return url }
        return ConfigurationNode(.string(String(text.dropLast("/embeddings".count))), url.mark)
    }

    /// The API server's address and keys, and the level of the log.
    private static func settings(
        _ root: inout ForeignTable,
        _ result: inout TableBuilder,
        _ decoder: inout ConfigurationDecoder
    ) {
        if var system = root.table("system") {
            result.set("logging", "level", system.take("log_level")?.lowercased)
            result.set("server", "api_keys", system.take("api_keys"))
            system.warnOfTheRest(&decoder)
        }
        guard var service = root.table("service") else { return }
        if var model = service.table("model") {
            if var api = model.table("api") {
                result.set("server", "host", api.take("host"))
                result.set("server", "port", api.take("port"))
                result.set("server", "api_keys", api.take("api_keys").map(commaSeparated))
                api.warnOfTheRest(&decoder)
            }
            model.warnOfTheRest(&decoder)
        }
        service.warnOfTheRest(&decoder)
    }

    private static func commaSeparated(_ node: ConfigurationNode) -> ConfigurationNode {
        guard let text = node.string, text.contains(",") else { return node }
        let keys = text.split(separator: ",").map { ConfigurationNode(.string($0.trimmingSpaces), node.mark) }
        return ConfigurationNode(.list(keys), node.mark)
    }
}

extension Substring {
    /// The text without spaces at its ends.
    fileprivate var trimmingSpaces: String {
        var text = self
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
