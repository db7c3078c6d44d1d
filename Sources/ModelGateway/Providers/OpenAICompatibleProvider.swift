// Any server that speaks OpenAI's API: OpenAI itself, vLLM, SGLang, llama.cpp's server, Ollama, LM Studio, …

import GatewayWire

/// A provider forevery server that speaks OpenAI's API.
///
/// ```swift
/// let provider = try OpenAICompatibleProvider(baseURL: "http://127.0.0.1:8000/v1", transport: CurlTransport())
/// ```
public struct OpenAICompatibleProvider: RelayingProvider, CredentialHolder {
    /// What the provider is called in logs and metrics.
    public let name: String
    /// The address that the endpoint paths are appended to, such as `https://api.openai.com/v1`.
    package let baseURL: BaseURL
    /// The client that requests are sent with.
    package let transport: any HTTPTransport
    public let modes: Set<Mode>
    public var address: String? { baseURL.description }

    package let credentials: CredentialMask
    private let asksForStreamUsage: Bool
    private let refusal = StreamUsageRefusal()
    private let headers: [HTTPHeader]
    private let endpoints: Endpoints

    /// The addresses that calls go to, put together once.
    private struct Endpoints: Sendable {
        let chat: String
        let completion: String
        let embedding: String
        let models: String
    }

    /// Creates a provider.
    /// - Parameters:
    ///   - baseURL: The address of the API; `/v1` is assumed if it has no path.
    ///   - apiKey: Sent as a bearer token. Nil for servers that want none.
    ///   - name: What the provider is called in logs and metrics.
    ///   - headers: Header lines for each request, such as `OpenAI-Organization`.
    ///   - modes: The kinds of work that the server does.
    ///   - reportsStreamUsage: Whether the server understands `stream_options`; all but a few old ones do. One that
    ///     refuses it is not asked again.
    ///   - transport: The client that requests are sent with.
    /// - Throws: ``GatewayError/Code/configuration`` if the address cannot be used.
    public init(
        baseURL: String,
        apiKey: String? = nil,
        name: String = "openai_compatible",
        headers: [HTTPHeader] = [],
        modes: Set<Mode> = [.chat, .completion, .embedding],
        reportsStreamUsage: Bool = true,
        transport: any HTTPTransport
    ) throws(GatewayError) {
        let base = try BaseURL(baseURL).withDefaultPath
        self.name = name
        self.baseURL = base
        self.transport = transport
        self.modes = modes
        asksForStreamUsage = reportsStreamUsage
        endpoints = Endpoints(
            chat: base.appending("/chat/completions"),
            completion: base.appending("/completions"),
            embedding: base.appending("/embeddings"),
            models: base.appending("/models")
        )
        var lines = [HTTPHeader("content-type", "application/json")]
        if let apiKey, !apiKey.isEmpty { lines.append(HTTPHeader("authorization", "Bearer \(apiKey)")) }
        self.headers = lines + headers
        credentials = CredentialMask(self.headers)
    }

    /// Whether streams are asked for their usage: as the provider was created, until its server refuses that.
    public var reportsStreamUsage: Bool { asksForStreamUsage && !refusal.wasSeen }

    public func streamUsageWasRefused() { refusal.wasSeen = true }

    public func relays(_ format: WireFormat, mode: Mode) -> Bool {
        format == .openAI && modes.contains(mode)
    }

    public func relay(
        _ body: [UInt8],
        mode: Mode,
        context: AttemptContext
    ) async throws(GatewayError) -> HTTPTransportResponse {
        let url =
            switch mode {
            case .chat: endpoints.chat
            case .completion: endpoints.completion
            case .embedding: endpoints.embedding
            default: throw GatewayError(.unsupported, "The provider \(name) does not offer \(mode).")
            }
        var lines: [HTTPHeader] = []
        lines.reserveCapacity(headers.count + context.headers.count + 1)
        lines += headers
        lines += context.headers
        lines.append(HTTPHeader("x-request-id", context.requestID))
        return try await transport.send(
            HTTPTransportRequest(
                method: "POST",
                url: url,
                headers: lines,
                body: .bytes(body),
                timeouts: context.timeouts
            )
        )
    }

    public func chat(
        _ request: ChatRequest,
        context: AttemptContext
    ) async throws(GatewayError) -> any ChatEventSource {
        try await stream(mode: .chat, context: context) { delivery in
            OpenAIChatRequest(request: request, delivery: delivery).encoded(
                model: context.upstreamModel,
                limit: TokenLimitField(model: context.upstreamModel, at: baseURL.authority)
            )
        }
    }

    public func complete(
        _ request: CompletionRequest,
        context: AttemptContext
    ) async throws(GatewayError) -> any ChatEventSource {
        try await stream(mode: .completion, context: context) { delivery in
            OpenAICompletionRequest(request: request, delivery: delivery).encoded(model: context.upstreamModel)
        }
    }

    public func embed(
        _ request: EmbeddingRequest,
        context: AttemptContext
    ) async throws(GatewayError) -> EmbeddingResponse {
        let body = request.openAI(model: context.upstreamModel).serialized()
        let response = try await relay(body, mode: .embedding, context: context)
        let answer = try EmbeddingResponse(openAI: try await response.json())
        guard !answer.embeddings.isEmpty || request.input.isEmpty else { throw .emptyAnswer }
        return answer
    }

    public func models(timeouts: Timeouts) async throws(GatewayError) -> [ModelInfo] {
        do throws(GatewayError) {
            return try await listing(timeouts: timeouts).models
        } catch {
            throw credentials.masked(error)
        }
    }

    /// The models, and the identity of the server if that is a gateway.
    /// - Parameter further: Header lines besides those of every request.
    package func listing(
        timeouts: Timeouts,
        headers further: [HTTPHeader] = []
    ) async throws(GatewayError) -> (models: [ModelInfo], gatewayID: String?) {
        let request = HTTPTransportRequest(
            method: "GET",
            url: endpoints.models,
            headers: headers + further,
            timeouts: timeouts
        )
        let response = try await transport.send(request)
        return (try Self.models(in: try await response.json()), response.headers[GatewayIdentity.idHeader])
    }

    private static func models(in json: JSONValue) throws(GatewayError) -> [ModelInfo] {
        // Some servers without a model say null.
        guard let entries = json["data"] == .null ? [] : json["data"]?.array else {
            throw GatewayError(.malformedResponse, "The provider's model list has no 'data'.")
        }
        return entries.compactMap { entry in
            guard let id = entry["id"]?.string else { return nil }
            return ModelInfo(
                id: id,
                ownedBy: entry["owned_by"]?.string,
                created: entry["created"]?.int,
                contextLength: entry["max_model_len"]?.int
            )
        }
    }

    /// Asks for a path of the server itself, which begins with a slash, with the credentials of calls.
    func get(_ path: String, timeouts: Timeouts) async throws(GatewayError) -> HTTPTransportResponse {
        try await transport.send(
            HTTPTransportRequest(method: "GET", url: baseURL.server + path, headers: headers, timeouts: timeouts)
        )
    }

    private func stream(
        mode: Mode,
        context: AttemptContext,
        request: (Delivery) -> JSONValue
    ) async throws(GatewayError) -> any ChatEventSource {
        let response = try await relay(mode: mode, context: context, asksForUsage: reportsStreamUsage) {
            request(Delivery(isStreamed: true, includesUsage: $0)).serialized()
        }
        let answer = try await response.opened()
        switch answer.form {
        case .events: return OpenAIEventSource(answer)
        case .json: return ChatEventReplay(try ChatResponse(openAI: try await answer.json()))
        }
    }
}
