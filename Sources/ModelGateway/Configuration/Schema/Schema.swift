// Every key of a configuration file: the one list that reading, checking, suggesting and the reference go by.

import GatewayWire
import Logging

enum ConfigurationSchema {
    typealias Field<Section> = ConfigurationField<Section>

    static let root = ConfigurationSection<Configuration>(
        "configuration",
        [
            serverTable,
            .table("logging", \.logging, logging, "the log"),
            .table("routing", \.routing, routing, "what routing reads from a request"),
            providers,
            .list("models", \.models, model, "the public models") { node, _, decoder, _ in
                ModelReading.model(node, &decoder)
            },
            .table("workers", \.workers, workers, "OpenAI-compatible servers whose models are discovered"),
            localModels,
        ]
    )

    static let server = ConfigurationSection<Configuration.Server>(
        "server",
        [
            .string(
                "host",
                \.host,
                default: "127.0.0.1",
                "address to listen on; `0.0.0.0` or `::` for all, `unix:/run/gateway.sock` for a Unix domain socket"
            ),
            .integer("port", \.port, in: 0...65535, default: 30000, "TCP port; 0 lets the system choose"),
            socketMode,
            trustedProxies,
            proxyProtocol,
            .choice(
                "forwarded_header",
                \.forwardedHeader,
                ForwardedHeader.allCases,
                default: .xForwardedFor,
                "header in which `trusted_proxies` name the client"
            ),
            keys("api_keys", \.apiKeys, "keys of clients; with none, every client may call"),
            keys("admin_keys", \.adminKeys, "keys of admins; with none, programs on this machine are admins"),
            .strings(
                "allowed_hosts",
                \.allowedHosts,
                default: [],
                "host names that the control plane answers to, besides `localhost` and any IP address"
            ),
            .boolean(
                "allow_unauthenticated",
                \.allowUnauthenticated,
                default: false,
                "listen on public addresses even if clients need no key"
            ),
            Field(
                key: "cors_origins",
                type: "list of text",
                standard: "[]",
                summary: "origins whose web pages may call the API, such as `https://app.example`; `*` for all"
            ) { node, decoder, server in
                guard let origins = decoder.strings(node) else { return }
                for origin in origins where !isOrigin(origin) {
                    let mistake = "'\(origin)' is neither an origin such as 'https://app.example' nor '*'"
                    decoder.mistake(mistake, at: node.mark)
                }
                server.corsOrigins = origins
            },
            .integer(
                "max_connections",
                \.maxConnections,
                in: 1...1_000_000,
                "clients at a time; if left out, two fifths of the limit of open files (`ulimit -n`)"
            ),
            .integer(
                "max_connections_per_address",
                \.maxConnectionsPerAddress,
                in: 0...1_000_000,
                default: 0,
                "connections per address; more are refused with 429, or closed before a handshake of TLS; 0: no limit"
            ),
            .size(
                "max_body_bytes",
                \.maxBodyBytes,
                in: 1024...(1 << 30),
                default: 64 << 20,
                "largest request body"
            ),
            .duration(
                "head_timeout",
                \.headTimeout,
                default: .seconds(30),
                "time for a request's head to arrive; 0: no limit"
            ),
            .duration(
                "body_timeout",
                \.bodyTimeout,
                default: .seconds(30),
                "longest pause within a request's body; 0: no limit"
            ),
            .duration(
                "idle_timeout",
                \.idleTimeout,
                default: .seconds(120),
                "how long a connection may be idle; 0: no limit"
            ),
            .duration(
                "write_timeout",
                \.writeTimeout,
                default: .seconds(60),
                "how long a client may leave an answer unread; 0: no limit"
            ),
            .duration(
                "shutdown_delay",
                \.shutdownDelay,
                "time after SIGTERM during which calls are still accepted and `/readiness` is 503; if left out, 5s, or 0s if standard input is a terminal"
            ),
            .duration(
                "drain_deadline",
                \.drainDeadline,
                default: .seconds(30),
                "time for running answers to finish after that"
            ),
            .duration(
                "keepalive_interval",
                \.keepaliveInterval,
                default: .seconds(10),
                "silence after which a stream sends a comment; 0: never"
            ),
            .duration(
                "stream_delay",
                \.streamDelay,
                in: .zero ... .seconds(1),
                default: .milliseconds(50),
                "longest time that a busy server holds events of a stream back to send several at once; 0: never"
            ),
            .boolean("metrics", \.metrics, default: true, "serve `/metrics`"),
            .secret("metrics_key", \.metricsKey, "key for `/metrics` only; clients' keys work too"),
            .boolean("metrics_public", \.metricsPublic, default: false, "open `/metrics` to everyone"),
            .integer(
                "metrics_max_series",
                \.metricsMaxSeries,
                in: 100...1_000_000,
                default: 10_000,
                "combinations of label values per metric; more count as `other`"
            ),
            .boolean("access_log", \.accessLog, default: true, "one log line for each request"),
            .integer(
                "health_port",
                \.healthPort,
                in: 0...65_535,
                "a port in plain HTTP for `/health`, `/liveness` and `/readiness` only; if left out, none"
            ),
            .boolean("h2c", \.h2c, default: false, "accept HTTP/2 without TLS from clients that begin with it"),
            serverTLS,
        ]
    )

    private static func keys(
        _ key: String,
        _ path: Field<Configuration.Server>.Path<[Secret]>,
        _ summary: String
    ) -> Field<Configuration.Server> {
        Field(key: key, type: "list of secrets", standard: "[]", summary: summary) { node, decoder, server in
            guard let keys = decoder.secrets(node) else { return }
            if keys.contains(where: \.isEmpty) { return decoder.mistake("a key must not be empty", at: node.mark) }
            server[keyPath: path] = keys
        }
    }

    /// Whether a text is the origin of web pages: a scheme, a host, maybe a port, and nothing more.
    private static func isOrigin(_ text: String) -> Bool {
        if text == "*" { return true }
        guard let url = try? AbsoluteURL(text), url.isHTTP else { return false }
        return url.path.isEmpty && url.userInfo == nil && url.query == nil && url.fragment == nil
    }

    static let logging = ConfigurationSection<Configuration.Logging>(
        "logging",
        [
            .choice("level", \.level, Logger.Level.allCases, default: .info, "least severe level that is written"),
            .choice("format", \.format, Configuration.Logging.Format.allCases, default: .text, "format of log lines"),
        ]
    )

    static let routing = ConfigurationSection<RoutingHeaders>(
        "routing",
        [
            .strings(
                "session_headers",
                \.sessionHeaders,
                default: RoutingHeaders().sessionHeaders,
                "headers that may hold the session key"
            ),
            .string(
                "tags_header",
                \.tagsHeader,
                default: RoutingHeaders().tagsHeader,
                "header with a list of tags"
            ),
        ]
    )

    private static let providers = Field<Configuration>(
        key: "providers",
        type: "tables by name: provider",
        standard: "",
        summary: "upstreams that deployments refer to by name",
        nested: { provider.tables }
    ) { node, decoder, configuration in
        guard let entries = node.entries else {
            return decoder.mistake("a table of tables by name was expected, not \(node.kind)", at: node.mark)
        }
        for entry in entries {
            let value = decoder.at(entry.key) { ModelReading.provider(entry.node, &$0) }
            configuration.providers[entry.key] = value
            decoder.providers[entry.key] = value
        }
    }

    static let timeouts = ConfigurationSection<Timeouts>(
        "timeouts",
        [
            .duration("connect", \.connect, default: .seconds(5), "name resolution, connect and TLS; 0: no limit"),
            .duration("first_byte", \.firstByte, default: .seconds(60), "request sent to first byte; 0: no limit"),
            .duration("idle", \.idle, default: .seconds(60), "between two reads of the body; 0: no limit"),
            .duration("total", \.total, default: .seconds(600), "the whole attempt; 0: no limit"),
        ]
    )

    static let workers = ConfigurationSection<Configuration.Workers>(
        "workers",
        [
            Field(key: "urls", type: "list of URLs", standard: "[]", summary: "base URLs of the workers") {
                node,
                decoder,
                workers in
                guard let urls = decoder.urls(node) else { return }
                for (index, url) in urls.enumerated() where urls[..<index].contains(url) {
                    decoder.mistake("'\(url)' is listed twice", at: node.mark)
                }
                workers.urls = urls
            },
            .secret("api_key", \.apiKey, "key that is sent to all workers"),
            .policy("policy", \.policy),
            .table("discovery", \.discovery, discovery, "where further workers come from"),
            .duration(
                "drain_deadline",
                \.drainDeadline,
                default: .seconds(600),
                "time for the running calls of a worker that is removed or drained; 0: none"
            ),
            .table("timeouts", \.timeouts, timeouts, "time limits for one attempt"),
        ]
            + groupFields(
                admission: \.admission,
                retry: \.retry,
                breaker: \.breaker,
                health: \.health,
                overload: \.overload
            )
    )

    static let discovery = ConfigurationSection<Configuration.Discovery>(
        "discovery",
        [
            .string("file", \.file, "file with one base URL per line; changes are picked up"),
            .string("dns", \.dns, "DNS name whose addresses or SRV records are workers"),
            .integer("dns_port", \.dnsPort, in: 1...65535, default: 8000, "port of workers found by address"),
            .duration(
                "interval",
                \.interval,
                in: .seconds(1) ... .seconds(86_400),
                default: .seconds(30),
                "how often DNS and the workers' models are queried"
            ),
        ]
    )

    private static let localModels = Field<Configuration>(
        key: "local_models",
        type: "paths or tables by name: local model",
        standard: "",
        summary: "GGUF files that this process serves, by public name",
        nested: { localModel.tables }
    ) { node, decoder, configuration in
        guard let entries = node.entries else {
            return decoder.mistake("a table of paths by name was expected, not \(node.kind)", at: node.mark)
        }
        for entry in entries {
            decoder.at(entry.key) { decoder in
                decoder.define(entry.key, as: "model name", at: entry.mark)
                var model = Configuration.LocalModel(path: "")
                if case .table = entry.node.value {
                    localModel.read(entry.node, &decoder, into: &model)
                } else if let path = decoder.string(entry.node) {
                    model.path = path
                }
                configuration.localModels[entry.key] = model
            }
        }
    }

    static let localModel = ConfigurationSection<Configuration.LocalModel>(
        "local model",
        [Field.string("path", \.path, "the GGUF file").required] + llamaFields.map { $0.inside(\.llama) }
    )

    /// The keys of ``Configuration/LlamaOptions``, in whichever table they stand.
    static let llamaFields: [Field<Configuration.LlamaOptions>] = [
        .integer(
            "context_length",
            \.contextLength,
            in: 0...10_000_000,
            default: 0,
            "tokens per sequence; 0: the model's own limit"
        ),
        .integer("parallel", \.parallel, in: 1...256, default: 4, "sequences at the same time"),
        .integer(
            "threads",
            \.threads,
            in: 0...1024,
            default: 0,
            "compute threads; 0: one per core, fewer while others use them"
        ),
        .integer("gpu_layers", \.gpuLayers, in: -1...10_000, default: -1, "layers on the GPU; -1: as many as fit"),
        .boolean(
            "repeatable",
            \.repeatable,
            default: false,
            "the same call gives the same answer, at temperature 0 or with a seed; calls take turns"
        ),
    ]
}
