// The kinds of engines that workers run, and how each one can be recognized.

/// The program that a worker runs.
public struct Engine: Sendable, Hashable {
    /// A kind of engine.
    public struct Kind: Sendable, Hashable, RawRepresentable, CustomStringConvertible {
        public var rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }
        public var description: String { rawValue }

        /// vLLM.
        public static let vllm = Kind(rawValue: "vllm")
        /// SGLang.
        public static let sglang = Kind(rawValue: "sglang")
        /// The server of llama.cpp.
        public static let llamaCpp = Kind(rawValue: "llama_cpp")
        /// Ollama.
        public static let ollama = Kind(rawValue: "ollama")
        /// LM Studio.
        public static let lmStudio = Kind(rawValue: "lm_studio")
        /// Any other server that speaks OpenAI's API.
        public static let generic = Kind(rawValue: "generic")
    }

    /// The kind.
    public var kind: Kind
    /// The version that the engine states, if it does.
    public var version: String?

    /// Creates a description of an engine.
    package init(kind: Kind, version: String? = nil) {
        self.kind = kind
        self.version = version
    }
}

/// What distinguishes an engine from the others: an endpoint that no other engine has, and what its answer contains.
struct EngineSignature: Sendable {
    let kind: Engine.Kind
    /// The endpoints to try; the first that answers counts.
    let paths: [String]
    /// The `owned_by` of its models in `/v1/models`, if the engine always says the same.
    let owner: String?
    /// Whether an answer comes from this engine.
    let recognizes: @Sendable (JSONValue) -> Bool
    /// The version in the answer.
    let version: @Sendable (JSONValue) -> String?

    /// In the order in which they are tried. SGLang and llama.cpp copy some of Ollama's endpoints, so they come
    /// before it.
    static let all = [
        EngineSignature(
            kind: .sglang,
            paths: ["/server_info", "/get_server_info"],
            owner: "sglang",
            recognizes: { $0["internal_states"] != nil || ($0["model_path"] != nil && $0["tp_size"] != nil) },
            version: { $0["version"]?.string }
        ),
        EngineSignature(
            kind: .vllm,
            paths: ["/version"],
            owner: "vllm",
            recognizes: { $0["version"]?.string != nil },
            version: { $0["version"]?.string }
        ),
        EngineSignature(
            kind: .llamaCpp,
            paths: ["/props"],
            owner: "llamacpp",
            recognizes: { $0["default_generation_settings"] != nil || $0["total_slots"] != nil },
            version: { $0["build_info"]?.string }
        ),
        EngineSignature(
            kind: .lmStudio,
            paths: ["/api/v0/models"],
            owner: nil,
            recognizes: { $0["data"]?.array?.contains { $0["compatibility_type"] != nil } ?? false },
            version: { _ in nil }
        ),
        EngineSignature(
            kind: .ollama,
            paths: ["/api/version"],
            owner: nil,
            recognizes: { $0["version"]?.string != nil },
            version: { $0["version"]?.string }
        ),
    ]
}
