// The upstreams of the configuration: which kind, where, with which credentials.

/// A kind of upstream that the library can speak with.
public struct ProviderKind: Sendable, Hashable, RawRepresentable, CustomStringConvertible {
    public var rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    public var description: String { rawValue }

    /// OpenAI itself.
    public static let openAI = ProviderKind(rawValue: "openai")
    /// Any server that speaks OpenAI's dialect; needs a base URL, not always a key.
    public static let openAICompatible = ProviderKind(rawValue: "openai_compatible")
    /// A GGUF file that this process runs with llama.cpp.
    public static let llama = ProviderKind(rawValue: "llama")

    /// What is known of a kind.
    struct Row: Sendable {
        /// The kind's name in a configuration.
        var name: String
        /// Where the provider is, if it is always at the same place.
        var baseURL: String?
    }

    /// The kinds that a configuration may name. All but `llama` speak OpenAI's dialect.
    static let table: [Row] = [
        Row(name: "openai", baseURL: "https://api.openai.com/v1"),
        Row(name: "openai_compatible", baseURL: nil),
        Row(name: "llama", baseURL: nil),
        Row(name: "vllm", baseURL: nil),
        Row(name: "sglang", baseURL: nil),
        Row(name: "llama_server", baseURL: nil),
        Row(name: "ollama", baseURL: "http://127.0.0.1:11434/v1"),
        Row(name: "lmstudio", baseURL: "http://127.0.0.1:1234/v1"),
        Row(name: "deepinfra", baseURL: "https://api.deepinfra.com/v1/openai"),
        Row(name: "deepseek", baseURL: "https://api.deepseek.com/v1"),
        Row(name: "fireworks", baseURL: "https://api.fireworks.ai/inference/v1"),
        Row(name: "groq", baseURL: "https://api.groq.com/openai/v1"),
        Row(name: "mistral", baseURL: "https://api.mistral.ai/v1"),
        Row(name: "moonshot", baseURL: "https://api.moonshot.cn/v1"),
        Row(name: "openrouter", baseURL: "https://openrouter.ai/api/v1"),
        Row(name: "perplexity", baseURL: "https://api.perplexity.ai"),
        Row(name: "siliconflow", baseURL: "https://api.siliconflow.cn/v1"),
        Row(name: "together", baseURL: "https://api.together.xyz/v1"),
        Row(name: "tongyi", baseURL: "https://dashscope.aliyuncs.com/compatible-mode/v1"),
        Row(name: "xai", baseURL: "https://api.x.ai/v1"),
        Row(name: "zhipu", baseURL: "https://open.bigmodel.cn/api/paas/v4"),
    ]

    /// Whether a configuration may name the kind.
    package var isKnown: Bool { Self.table.contains { $0.name == rawValue } }

    /// Whether the provider is a service on the Internet, which wants a key.
    var isHosted: Bool { defaultBaseURL?.hasPrefix("https://") == true }

    /// Where the provider is, if it is always at the same place.
    package var defaultBaseURL: String? { Self.table.first { $0.name == rawValue }?.baseURL }
}

extension Configuration {
    /// An upstream: which kind it is, where it is, and how to be let in.
    package struct Provider: Sendable, Hashable {
        /// The kind of upstream. Default ``ProviderKind/openAICompatible``.
        package var kind: ProviderKind
        /// The `http` or `https` URL that paths such as `/chat/completions` are added to, without a slash at its end.
        /// Default: the kind's own, if it has one.
        package var baseURL: String?
        /// The key that is sent as `Authorization: Bearer`; nil sends none.
        package var apiKey: Secret?
        /// Further request headers by lower-case name. They cannot be those of the connection itself, such as `host`.
        package var headers: [String: Secret]
        /// Sent as `openai-organization`.
        package var organization: String?
        /// Sent as `openai-project`.
        package var project: String?
        /// How `https` is spoken with it.
        package var tls: TLSOptions
        /// Which versions of HTTP are spoken with it. Default ``HTTP2Use/off``.
        package var http2: HTTP2Use
        /// The proxy's URL; nil means the one from the environment, an empty one means none.
        package var proxy: Secret?
        /// How many connections each event loop of the server holds open for calls to come, 0 to 100. Default 0. The library's
        /// transport opens none ahead.
        package var keepWarm: Int
        /// Whether the usage of streams is asked for with `stream_options`. Default true; an upstream that refuses the
        /// question is not asked again. Without it, streams are counted without tokens.
        package var streamUsage: Bool
        /// The time limits for one attempt.
        package var timeouts: Timeouts

        /// Creates the settings of an upstream.
        package init(
            kind: ProviderKind = .openAICompatible,
            baseURL: String? = nil,
            apiKey: Secret? = nil,
            headers: [String: Secret] = [:],
            organization: String? = nil,
            project: String? = nil,
            tls: TLSOptions = TLSOptions(),
            http2: HTTP2Use = .off,
            proxy: Secret? = nil,
            keepWarm: Int = 0,
            streamUsage: Bool = true,
            timeouts: Timeouts = Timeouts()
        ) {
            self.kind = kind
            self.baseURL = baseURL
            self.apiKey = apiKey
            self.headers = headers
            self.organization = organization
            self.project = project
            self.tls = tls
            self.http2 = http2
            self.proxy = proxy
            self.keepWarm = keepWarm
            self.streamUsage = streamUsage
            self.timeouts = timeouts
        }
    }

    /// Options of a model that this process runs with llama.cpp.
    package struct LlamaOptions: Sendable, Hashable {
        /// The context length in tokens of one sequence, 0 to 10,000,000. Default 0: the model's own.
        package var contextLength: Int
        /// How many sequences are decoded at the same time, 1 to 256. Default 4.
        package var parallel: Int
        /// Threads for decoding, 0 to 1024. Default 0: one for each core, and fewer while other programs use the cores.
        package var threads: Int
        /// How many layers to put on a GPU, -1 to 10,000. Default -1: as many as fit.
        package var gpuLayers: Int
        /// Whether the same call gives the same answer each time, at temperature 0 and with a seed; calls are then computed
        /// one after the other. Default false.
        package var repeatable: Bool

        /// Creates options.
        package init(
            contextLength: Int = 0,
            parallel: Int = 4,
            threads: Int = 0,
            gpuLayers: Int = -1,
            repeatable: Bool = false
        ) {
            self.contextLength = contextLength
            self.parallel = parallel
            self.threads = threads
            self.gpuLayers = gpuLayers
            self.repeatable = repeatable
        }
    }

    /// A model in a GGUF file that this process serves itself.
    package struct LocalModel: Sendable, Hashable {
        /// The GGUF file.
        package var path: String
        /// How to run it.
        package var llama: LlamaOptions

        /// Creates a local model.
        package init(path: String, llama: LlamaOptions = LlamaOptions()) {
            self.path = path
            self.llama = llama
        }
    }
}
