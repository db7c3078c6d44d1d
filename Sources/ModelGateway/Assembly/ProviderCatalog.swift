// The kinds of providers that a configuration can name, and how each one is made.

/// Makes providers from their configuration.
///
/// ``standard`` knows every kind that speaks OpenAI's API. A program adds kinds of its own, or the local backend of the product
/// `ModelGatewayLlama`:
///
/// ```swift
/// var catalog = ProviderCatalog.standard
/// catalog.register(.llama) { settings throws(GatewayError) in try LlamaProvider(settings) }
/// let gateway = try Gateway(configuration: configuration, providers: catalog)
/// ```
public struct ProviderCatalog: Sendable {
    /// What a configuration says of the provider of one deployment.
    public struct Settings: Sendable {
        package let deployment: Configuration.Deployment
        /// The client for providers that speak HTTP, with the connection settings of the configuration.
        public let transport: any HTTPTransport

        /// The deployment that the provider is for; names it in errors.
        public var id: String { deployment.id }
        /// The kind of provider.
        public var kind: ProviderKind { deployment.provider.kind }
        /// The `http` or `https` URL of the upstream, without a slash at its end; nil if neither the configuration nor the
        /// kind has one.
        public var baseURL: String? { deployment.provider.baseURL ?? kind.defaultBaseURL }
        /// The key; nil for none.
        public var apiKey: Secret? { deployment.provider.apiKey }
        /// The model's id at the provider.
        public var upstreamModel: String { deployment.upstreamModel }
        /// The file of a model that runs in this process; nil if the configuration names none.
        public var path: String? { deployment.path }

        /// Further header lines of each request.
        public var headers: [HTTPHeader] {
            let upstream = deployment.provider
            var headers = upstream.headers.sorted { $0.key < $1.key }.map { HTTPHeader($0.key, $0.value.reveal()) }
            if let organization = upstream.organization {
                headers.append(HTTPHeader("openai-organization", organization))
            }
            if let project = upstream.project { headers.append(HTTPHeader("openai-project", project)) }
            return headers
        }
    }

    /// Makes a provider; throws ``GatewayError/Code/configuration`` if the settings cannot be used.
    public typealias Maker = @Sendable (Settings) throws(GatewayError) -> any Provider

    private var makers: [String: Maker] = [:]

    /// A catalog that knows the kinds that speak OpenAI's API.
    public static let standard = ProviderCatalog()

    private init() {}

    /// Adds a kind, or replaces how it is made. For files that name a kind of your own, pass it to
    /// ``Configuration/load(path:environment:policies:kinds:)`` as well.
    public mutating func register(_ kind: ProviderKind, _ maker: @escaping Maker) {
        makers[kind.rawValue] = maker
    }

    func provider(_ settings: Settings) throws(GatewayError) -> any Provider {
        if let maker = makers[settings.kind.rawValue] { return try maker(settings) }
        guard settings.kind != .llama else {
            throw GatewayError(
                .configuration,
                "Deployment \(settings.id) is a local model, which this program was built without; "
                    + "build it with the package trait LlamaCpp (scripts/build does)."
            )
        }
        return try Self.openAICompatible(settings)
    }

    private static func openAICompatible(_ settings: Settings) throws(GatewayError) -> any Provider {
        guard let baseURL = settings.baseURL else {
            throw GatewayError(
                .configuration,
                "Deployment \(settings.id) has no base_url, which the kind \(settings.kind) needs."
            )
        }
        return try OpenAICompatibleProvider(
            baseURL: baseURL,
            apiKey: settings.apiKey?.reveal(),
            name: settings.kind.rawValue,
            headers: settings.headers,
            reportsStreamUsage: settings.deployment.provider.streamUsage,
            transport: settings.transport
        )
    }
}
