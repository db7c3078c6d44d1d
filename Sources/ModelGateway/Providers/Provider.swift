// What the gateway asks of a provider: one kind of upstream, hosted, self-hosted or in this process.

/// What a provider needs to know about one attempt beside the request itself.
public struct AttemptContext: Sendable {
    /// The model's id at the provider, which replaces the public name.
    public var upstreamModel: String
    /// The id of the call, sent upstream as `x-request-id`.
    public var requestID: String
    /// The limits of time for this attempt.
    public var timeouts: Timeouts
    /// Header lines of the client that go upstream unchanged, such as `openai-beta`.
    public var headers: [HTTPHeader]

    /// Creates a context.
    public init(
        upstreamModel: String,
        requestID: String,
        timeouts: Timeouts = Timeouts(),
        headers: [HTTPHeader] = []
    ) {
        self.upstreamModel = upstreamModel
        self.requestID = requestID
        self.timeouts = timeouts
        self.headers = headers
    }
}

/// A model that a provider offers.
public struct ModelInfo: Sendable, Hashable {
    /// The model's id at the provider.
    public var id: String
    /// Who made or serves it, if the provider says so.
    public var ownedBy: String?
    /// Seconds since 1970 at which it was made, if the provider says so.
    public var created: Int?
    /// The context length in tokens, if the provider says so.
    public var contextLength: Int?

    /// Creates a model description.
    public init(id: String, ownedBy: String? = nil, created: Int? = nil, contextLength: Int? = nil) {
        self.id = id
        self.ownedBy = ownedBy
        self.created = created
        self.contextLength = contextLength
    }
}

/// One kind of upstream that can answer calls.
///
/// Implement the modes that the upstream has; the others answer ``GatewayError/Code/unsupported`` by default. Each
/// method makes exactly one attempt: retries, failover and time limits across attempts belong to the gateway. A
/// cancelled task must end the work upstream within 100 ms and throw ``GatewayError/Code/cancelled``.
public protocol Provider: Sendable {
    /// A short name for logs and metrics, such as `openai`.
    var name: String { get }

    /// The kinds of work that the provider can do.
    var modes: Set<Mode> { get }

    /// The address of the provider's API, such as `https://api.openai.com/v1`, for traces. Default nil: there is none, as
    /// for a model in this process.
    var address: String? { get }

    /// Continues a conversation. Returns once the upstream has accepted the request.
    func chat(_ request: ChatRequest, context: AttemptContext) async throws(GatewayError) -> any ChatEventSource

    /// Continues raw texts. Returns once the upstream has accepted the request.
    func complete(
        _ request: CompletionRequest,
        context: AttemptContext
    ) async throws(GatewayError) -> any ChatEventSource

    /// Turns texts into vectors.
    func embed(_ request: EmbeddingRequest, context: AttemptContext) async throws(GatewayError) -> EmbeddingResponse

    /// The models that the upstream offers now.
    func models(timeouts: Timeouts) async throws(GatewayError) -> [ModelInfo]

    /// Makes the provider ready for its first call, where that takes time, such as loading a model from a file. Calls
    /// that come earlier do the same. By default there is nothing to do.
    /// - Parameter progress: Is told how much is done, from 0 to 1.
    func load(progress: (@Sendable (Double) -> Void)?) async throws(GatewayError)

    /// Whether ``load(progress:)`` has nothing left to do. By default true.
    var isLoaded: Bool { get }
}

extension Provider {
    public var address: String? { nil }

    public func load(progress: (@Sendable (Double) -> Void)?) async throws(GatewayError) {}

    public var isLoaded: Bool { true }

    public func chat(
        _ request: ChatRequest,
        context: AttemptContext
    ) async throws(GatewayError) -> any ChatEventSource {
        throw unsupported(.chat)
    }

    public func complete(
        _ request: CompletionRequest,
        context: AttemptContext
    ) async throws(GatewayError) -> any ChatEventSource {
        throw unsupported(.completion)
    }

    public func embed(
        _ request: EmbeddingRequest,
        context: AttemptContext
    ) async throws(GatewayError) -> EmbeddingResponse {
        throw unsupported(.embedding)
    }

    private func unsupported(_ mode: Mode) -> GatewayError {
        GatewayError(.unsupported, "The provider \(name) does not offer \(mode); choose another model for it.")
    }
}

/// A provider that can take a request's bytes as the client wrote them, because it speaks the client's format.
public protocol RelayingProvider: Provider {
    /// Whether requests of this format and mode can go through as bytes.
    func relays(_ format: WireFormat, mode: Mode) -> Bool

    /// Whether a stream ends with the usage when `stream_options.include_usage` asks for it. If not, the gateway does not
    /// ask.
    var reportsStreamUsage: Bool { get }

    /// Is told that the upstream refused a request because the gateway asked for the usage of a stream: from then on
    /// ``reportsStreamUsage`` should be false. By default nothing happens, and each stream is asked twice.
    func streamUsageWasRefused()

    /// Sends a body that is in the provider's format already, its model id replaced by the gateway, and returns the
    /// response as it comes, whatever its status.
    func relay(
        _ body: [UInt8],
        mode: Mode,
        context: AttemptContext
    ) async throws(GatewayError) -> HTTPTransportResponse
}

extension RelayingProvider {
    public func streamUsageWasRefused() {}
}
