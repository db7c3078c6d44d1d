// What the gateway asks of a provider: one kind of upstream, hosted, self-hosted or in this process.

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
