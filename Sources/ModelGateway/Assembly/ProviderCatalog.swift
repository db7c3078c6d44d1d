// The kinds of providers that a configuration can name, and how each one is made.

/// Makes providers from their configuration.
///
/// ``standard`` knows every kind that speaks OpenAI's API. A program adds kinds of its own, or the local backend:
///
/// ```swift
/// var catalog = ProviderCatalog.standard
/// catalog.register(.llama) { settings in LlamaProvider(model: settings.deployment.path ?? "") }
/// ```
public struct ProviderCatalog: Sendable {
    /// What a maker gets.
    public struct Settings: Sendable {
        /// The deployment that the provider is for.
        public var deployment: Configuration.Deployment
        /// The client for providers that speak HTTP.
        public var transport: any HTTPTransport
    }

    /// Makes a provider; throws ``GatewayError/Code/configuration`` if the settings cannot be used.
    public typealias Maker = @Sendable (Settings) throws(GatewayError) -> any Provider

    private var makers: [String: Maker] = [:]

    /// A catalog that knows the kinds that speak OpenAI's API.
    public static let standard = ProviderCatalog()

    private init() {}

    /// Adds a kind, or replaces how it is made.
    public mutating func register(_ kind: ProviderKind, _ maker: @escaping Maker) {
        makers[kind.rawValue] = maker
    }

    func provider(_ settings: Settings) throws(GatewayError) -> any Provider {
        let kind = settings.deployment.provider.kind
        if let maker = makers[kind.rawValue] { return try maker(settings) }
        guard kind != .llama else {
            throw GatewayError(
                .configuration,
                "Deployment \(settings.deployment.id) is a local model, which this program was built without; "
                    + "build it with the package trait LlamaCpp (scripts/build does)."
            )
        }
        return try Self.openAICompatible(settings)
    }

    private static func openAICompatible(_ settings: Settings) throws(GatewayError) -> any Provider {
        let upstream = settings.deployment.provider
        guard let baseURL = upstream.baseURL ?? upstream.kind.defaultBaseURL else {
            throw GatewayError(
                .configuration,
                "Deployment \(settings.deployment.id) has no base_url, which the kind \(upstream.kind) needs."
            )
        }
        var headers = upstream.headers.sorted { $0.key < $1.key }.map { HTTPHeader($0.key, $0.value.reveal()) }
        if let organization = upstream.organization { headers.append(HTTPHeader("openai-organization", organization)) }
        if let project = upstream.project { headers.append(HTTPHeader("openai-project", project)) }
        return try OpenAICompatibleProvider(
            baseURL: baseURL,
            apiKey: upstream.apiKey?.reveal(),
            name: upstream.kind.rawValue,
            headers: headers,
            reportsStreamUsage: upstream.streamUsage,
            transport: settings.transport
        )
    }
}
