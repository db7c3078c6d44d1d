// The keys of models, deployments and providers, and of the settings of reliability that they share.

import GatewayWire

extension ConfigurationSchema {
    static let provider = ConfigurationSection<Configuration.Provider>(
        "provider",
        providerFields + [.table("timeouts", \.timeouts, timeouts, "time limits for one attempt")]
    )

    /// The keys that say which upstream, in a provider's table or in place in a deployment's.
    static let providerFields: [Field<Configuration.Provider>] =
        [
            Field(
                key: "kind",
                type: ProviderKind.table.map(\.name).joined(separator: ", "),
                standard: "\"openai_compatible\"",
                summary: "the kind of upstream"
            ) { node, decoder, provider in
                guard let name = decoder.string(node) else { return }
                let kind = ProviderKind(rawValue: name)
                guard decoder.kinds.contains(kind) else {
                    return decoder.unknownName(name, of: node, known: decoder.kinds.map(\.rawValue))
                }
                provider.kind = kind
            },
            .url(
                "base_url",
                \.baseURL,
                "URL that request paths are appended to, or `unix:///path` of a socket; required if the kind has no default"
            ),
            .secret("api_key", \.apiKey, "sent as `Authorization: Bearer`"),
            headers,
            .string("organization", \.organization, "sent as `openai-organization`"),
            .string("project", \.project, "sent as `openai-project`"),
            http2,
            .secret("proxy", \.proxy, "URL of a proxy, or empty for none; if left out, the environment decides"),
            .integer(
                "keep_warm",
                \.keepWarm,
                in: 0...100,
                default: 0,
                "connections that each event loop of the server holds open for calls to come"
            ),
            .boolean("stream_usage", \.streamUsage, default: true, "whether to ask for the usage in streams"),
        ] + tls.map { $0.inside(\.tls) }

    /// Names that belong to the connection or to the request as the gateway makes it.
    static let reservedHeaders: Set<String> = [
        "host", "content-length", "content-type", "transfer-encoding", "connection", "te", "trailer", "upgrade",
        "accept-encoding", "expect", "keep-alive",
    ]

    private static let http2 = Field<Configuration.Provider>(
        key: "http2",
        type: HTTP2Use.allCases.map(\.rawValue).joined(separator: ", "),
        standard: HTTP2Use.off.rawValue,
        summary: "whether to offer HTTP/2 over TLS; `\"prior_knowledge\"` speaks it to `http` URLs, too"
    ) { node, decoder, provider in
        if case .boolean(let isOffered) = node.value {
            provider.http2 = isOffered ? .negotiated : .off
        } else if let text = decoder.string(node) {
            guard let use = HTTP2Use(rawValue: text) else {
                return decoder.unknownName(text, of: node, known: HTTP2Use.allCases.map(\.rawValue))
            }
            provider.http2 = use
        }
    }

    private static let headers = Field<Configuration.Provider>(
        key: "headers",
        type: "table of secrets",
        standard: "",
        summary: "further request headers"
    ) { node, decoder, provider in
        guard let entries = node.entries else {
            return decoder.mistake("a table of header names and values was expected, not \(node.kind)", at: node.mark)
        }
        for entry in entries {
            decoder.at(entry.key) { decoder in
                let name = entry.key.lowercased()
                if let problem = headerProblem(name) { return decoder.mistake(problem, at: entry.mark) }
                guard let value = decoder.secret(entry.node) else { return }
                guard value.reveal().utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
                    return decoder.mistake("a header value must not hold control characters", at: entry.node.mark)
                }
                provider.headers[name] = value
            }
        }
    }

    private static func headerProblem(_ name: String) -> String? {
        guard HTTPToken.matches(name) else { return "not a valid header name" }
        guard !reservedHeaders.contains(name), !name.hasPrefix("proxy-") else {
            return "the gateway sets this header itself"
        }
        return nil
    }

    static let model = ConfigurationSection<Configuration.Model>(
        "model",
        [
            Field.string("name", \.name, "the name that clients call").required,
            .strings("aliases", \.aliases, "other names for the same model"),
            Field(
                key: "modes",
                type: "list of " + modes.joined(separator: ", "),
                standard: "[]",
                summary: "kinds of work; if left out, all that the providers offer"
            ) { node, decoder, model in
                for element in decoder.elements(node) {
                    guard let name = decoder.string(element) else { continue }
                    guard modes.contains(name) else {
                        decoder.unknownName(name, of: element, known: modes)
                        continue
                    }
                    model.modes.append(Mode(rawValue: name))
                }
            },
            .policy("policy", \.policy),
        ]
            + groupFields(
                admission: \.admission,
                retry: \.retry,
                breaker: \.breaker,
                health: \.health,
                overload: \.overload
            ) + [
                .strings("fallbacks", \.fallbacks, "models to try when all deployments have failed"),
                .strings("context_window_fallbacks", \.contextWindowFallbacks, "models for prompts that are too long"),
                .strings("content_policy_fallbacks", \.contentPolicyFallbacks, "models for content that was refused"),
                .list("deployments", \.deployments, deployment, "what serves the model; at least one") {
                    node,
                    index,
                    decoder,
                    model in
                    ModelReading.deployment(node, index, model, &decoder)
                }.required,
            ]
    )

    static let modes = [Mode.chat, .completion, .embedding].map(\.rawValue)

    static let deployment = ConfigurationSection<Configuration.Deployment>(
        "deployment",
        [
            .string("id", \.id, "unique id; if left out, the model's name, `/` and the position"),
            .string("provider", \.providerName, "the name of a provider"),
        ] + providerFields.map { $0.inside(\.provider) } + [
            .string("model", \.upstreamModel, "the model's id at the provider; if left out, the public name"),
            .string("path", \.path, "the GGUF file, for kind `llama`"),
        ] + llamaFields.map { $0.inside(\.llama) } + [
            .number("weight", \.weight, in: 0...1000, default: 1, "share of calls; 0 for none"),
            .integer("priority", \.priority, in: 0...1000, default: 0, "tier; lower numbers come first"),
            .strings("tags", \.tags, "tags that requests may ask for"),
            Field(
                key: "labels",
                type: "table of text",
                standard: "",
                summary: "names and values that listings and metrics show"
            ) {
                node,
                decoder,
                deployment in
                if let labels = decoder.texts(node) { deployment.labels = labels }
            },
            .integer(
                "max_concurrent_calls",
                \.maxConcurrentCalls,
                in: 1...1_000_000,
                "calls in flight at once; if left out, no limit"
            ),
            .number("input_price", \.inputPrice, in: 0...1_000_000, "US dollars per million prompt tokens"),
            .number("output_price", \.outputPrice, in: 0...1_000_000, "US dollars per million generated tokens"),
            .table("timeouts", \.timeouts, timeouts, "time limits; keys that are left out come from the provider"),
            Field(
                key: "health",
                type: "table: \(health.title)",
                standard: "",
                summary: "how it is probed; keys that are left out come from the model",
                nested: { health.tables }
            ) { node, decoder, deployment in
                var value = deployment.health ?? HealthOptions()
                health.read(node, &decoder, into: &value)
                deployment.health = value
            },
        ]
    )

    /// The settings that all deployments of a group share, by the same keys for models and for workers.
    static func groupFields<Section>(
        admission: Field<Section>.Path<AdmissionOptions>,
        retry: Field<Section>.Path<RetryOptions>,
        breaker: Field<Section>.Path<CircuitBreakerOptions>,
        health: Field<Section>.Path<HealthOptions>,
        overload: Field<Section>.Path<OverloadOptions>
    ) -> [Field<Section>] {
        Self.admission.map { $0.inside(admission) } + [
            .table("retry", retry, Self.retry, "how failed calls are retried"),
            .table("breaker", breaker, Self.breaker, "when to stop calling a failing deployment"),
            .table("health", health, Self.health, "how deployments are probed"),
            .table(
                "overload",
                overload,
                Self.overload,
                "when a deployment that reports its load receives no more calls"
            ),
        ]
    }

    private static let admission: [Field<AdmissionOptions>] = [
        .integer(
            "max_concurrent_calls",
            \.maxConcurrentCalls,
            in: 1...1_000_000,
            "calls in flight at once over all deployments; if left out, no limit"
        ),
        .integer("queue_size", \.queueSize, in: 0...1_000_000, default: 100, "calls that may wait; 0 refuses at once"),
        .duration("queue_timeout", \.queueTimeout, default: .seconds(60), "how long a call may wait; 0: no limit"),
    ]

    static let retry = ConfigurationSection<RetryOptions>(
        "retry",
        [
            .integer("max_attempts", \.maxAttempts, in: 1...20, default: 3, "total attempts for one call"),
            .duration(
                "backoff",
                \.backoff,
                default: .milliseconds(50),
                "wait before the second attempt; doubles each time"
            ),
            .duration("max_backoff", \.maxBackoff, default: .seconds(5), "longest wait"),
            .duration(
                "max_wait",
                \.maxWait,
                default: .seconds(5),
                "total time that one call waits for `Retry-After`; a longer one is reported at once"
            ),
            .number("jitter", \.jitter, in: 0...1, default: 0.2, "random share of the wait"),
            .number(
                "budget_ratio",
                \.budgetRatio,
                in: 0...10,
                default: 0.2,
                "retries as a share of the calls of the last 10 s"
            ),
            .number(
                "budget_per_second",
                \.budgetPerSecond,
                in: 0...100_000,
                default: 3,
                "retries per second in addition to the share"
            ),
        ]
    )

    static let breaker = ConfigurationSection<CircuitBreakerOptions>(
        "breaker",
        [
            .integer(
                "consecutive_failures",
                \.consecutiveFailures,
                in: 0...10_000,
                default: 5,
                "failures in a row that open it; 0: this rule is off"
            ),
            .number("failure_ratio", \.failureRatio, in: 0.01...1, default: 0.5, "share of failures that opens it"),
            .integer(
                "minimum_calls",
                \.minimumCalls,
                in: 0...1_000_000,
                default: 20,
                "calls needed before the ratio counts; 0: this rule is off"
            ),
            .duration(
                "window",
                \.window,
                in: .seconds(1) ... .seconds(3600),
                default: .seconds(30),
                "period over which calls are counted"
            ),
            .duration(
                "open_time",
                \.openTime,
                default: .seconds(10),
                "how long it stays open at first; doubles each time"
            ),
            .duration("max_open_time", \.maxOpenTime, default: .seconds(120), "longest open time"),
            .number("jitter", \.jitter, in: 0...1, default: 0.2, "random share of the open time"),
            .integer("probes", \.probes, in: 1...1000, default: 3, "calls at the same time while half-open"),
            .integer("successes", \.successesToClose, in: 1...1000, default: 2, "successes that close it"),
        ]
    )

    static let health = ConfigurationSection<HealthOptions>(
        "health",
        [
            .boolean("enabled", \.enabled, default: true, "whether deployments are probed"),
            .duration(
                "interval",
                \.interval,
                in: .milliseconds(100) ... .seconds(86_400),
                default: .seconds(10),
                "time between two probes"
            ),
            .number("jitter", \.jitter, in: 0...1, default: 0.2, "random share of the interval"),
            .duration(
                "timeout",
                \.timeout,
                in: .milliseconds(10) ... .seconds(600),
                default: .seconds(3),
                "time limit for a probe"
            ),
            .integer(
                "failures",
                \.failureThreshold,
                in: 1...1000,
                default: 3,
                "failures in a row that take a deployment out"
            ),
            .integer(
                "successes",
                \.successThreshold,
                in: 1...1000,
                default: 2,
                "successes in a row that bring it back"
            ),
            .duration(
                "max_interval",
                \.maxInterval,
                default: .seconds(60),
                "longest time between probes while it is out"
            ),
            Field(
                key: "path",
                type: "path",
                standard: "",
                summary: "path to probe, where 2xx means healthy; if left out, `/health` or else the list of models"
            ) { node, decoder, options in
                guard let path = decoder.string(node) else { return }
                guard isPath(path) else {
                    return decoder.mistake(
                        "a path such as /healthz was expected: it begins with a slash, and has no spaces and no fragment",
                        at: node.mark
                    )
                }
                options.path = path
            },
        ]
    )

    /// Whether a text can stand in a request after the server's address: a path, maybe with a query.
    private static func isPath(_ text: String) -> Bool {
        text.hasPrefix("/") && text.utf8.count <= 1024
            && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && !#"#"<>\^`{|}"#.utf8.contains($0) }
    }

    static let overload = ConfigurationSection<OverloadOptions>(
        "overload",
        [
            .integer(
                "waiting_requests",
                \.waitingRequests,
                in: 1...1_000_000,
                "requests waiting in the engine; if left out, no limit"
            ),
            .number("cache_usage", \.cacheUsage, in: 0...1, "share of the KV cache in use; if left out, no limit"),
        ]
    )
}
