// The façade: one interface to all models, for programs and for the server on top.

import GatewaySystem
import GatewayWire
internal import Logging

/// One interface to many language models.
///
/// A gateway knows models by their public names. Each has one or more deployments behind it; a routing policy chooses
/// one for each call, and failures go to the next one where that is safe.
///
/// ```swift
/// let transport = try CurlTransport()
/// let provider = try OpenAICompatibleProvider(baseURL: "http://127.0.0.1:8000/v1", transport: transport)
/// let gateway = Gateway(
///     groups: [
///         DeploymentGroup(
///             model: "fast",
///             deployments: [Deployment(id: "a", provider: provider, upstreamModel: "qwen3-8b")]
///         )
///     ]
/// )
/// for try await text in gateway.stream(ChatRequest(model: "fast", messages: [.user("Hi")])).text {
///     print(text, terminator: "")
/// }
/// ```
public final class Gateway: Sendable {
    package let fleet: Fleet
    package let registry: WorkerRegistry
    let workerSources: [any WorkerSource]
    private let observer: (any CallObserver)?
    private let tracer: (any CallTracer)?
    private let created = WallClock.unixSeconds()
    private let providers: [any Provider]
    let names: ModelNames
    package let routingHeaders: RoutingHeaders

    /// The executor on which a task that makes calls runs with the fewest thread changes, if there is one.
    public let preferredExecutor: (any TaskExecutor)?

    /// Creates a gateway.
    /// - Parameters:
    ///   - groups: The models and their deployments. Default: none, for a gateway that has workers only.
    ///   - workers: How the models of workers are served.
    ///   - workerSources: What names workers while ``run(logger:)`` runs. Default: nothing does.
    ///   - routingHeaders: The headers that ``relay(_:)`` reads session keys and tags from.
    ///   - observer: Receives a record of each call when it ends. Default nil: none.
    ///   - preferredExecutor: The one of the transport that the providers use. Default nil: none.
    public convenience init(
        groups: [DeploymentGroup] = [],
        workers: WorkerOptions = WorkerOptions(),
        workerSources: [any WorkerSource] = [],
        routingHeaders: RoutingHeaders = RoutingHeaders(),
        observer: (any CallObserver)? = nil,
        preferredExecutor: (any TaskExecutor)? = nil
    ) {
        self.init(
            groups: groups,
            registry: WorkerRegistry(Fleet(groups), options: workers),
            sources: workerSources,
            routingHeaders: routingHeaders,
            observer: observer,
            preferredExecutor: preferredExecutor
        )
    }

    /// Creates a gateway over a fleet that runs already.
    /// - Parameters:
    ///   - groups: The groups that the fleet was started with.
    ///   - registry: The workers of that fleet.
    ///   - sources: What names workers while ``run(logger:)`` runs.
    ///   - routingHeaders: The headers that carry session keys and tags.
    init(
        groups: [DeploymentGroup],
        registry: WorkerRegistry,
        sources: [any WorkerSource] = [],
        routingHeaders: RoutingHeaders = RoutingHeaders(),
        observer: (any CallObserver)? = nil,
        preferredExecutor: (any TaskExecutor)? = nil
    ) {
        fleet = registry.fleet
        self.registry = registry
        fleet.series.tell(observer)
        workerSources = sources
        if !sources.isEmpty { registry.awaitSources() }
        providers = groups.flatMap { $0.deployments.map(\.provider) }
        names = ModelNames(groups)
        self.routingHeaders = routingHeaders
        self.observer = observer
        tracer = observer?.tracer
        self.preferredExecutor = preferredExecutor
    }

    // MARK: - Calls in the neutral vocabulary

    /// Continues a conversation and returns the whole answer.
    /// - Parameters:
    ///   - request: The model, the conversation and how to answer it.
    ///   - options: The session, the tags and the deployment that decide where the call goes. Default: what the request
    ///     says of them.
    /// - Returns: The answer, with what it cost in tokens if the provider said so.
    /// - Throws: ``GatewayError``; ``GatewayError/Code/cancelled`` when the task was cancelled, after the work upstream
    ///   has been ended.
    public func chat(
        _ request: ChatRequest,
        options: CallOptions = CallOptions()
    ) async throws(GatewayError) -> ChatResponse {
        try await collect(stream(request, options: options), model: request.model)
    }

    /// Continues a conversation and streams the answer.
    ///
    /// Nothing is sent before the stream is iterated. Leaving the loop or cancelling the task ends the call.
    /// - Parameters:
    ///   - request: The model, the conversation and how to answer it.
    ///   - options: The session, the tags and the deployment that decide where the call goes. Default: what the request
    ///     says of them.
    public func stream(_ request: ChatRequest, options: CallOptions = CallOptions()) -> ChatStream {
        stream(self.routingInput(request, options), model: request.model, mode: .chat, options) {
            provider,
            context throws(GatewayError) in
            try await provider.chat(request, context: context)
        }
    }

    /// Continues raw texts, without a chat template, and streams the answer.
    ///
    /// Nothing is sent before the stream is iterated. Leaving the loop or cancelling the task ends the call.
    /// - Parameters:
    ///   - request: The model, the texts and how to continue them.
    ///   - options: The session, the tags and the deployment that decide where the call goes. Default: what the request
    ///     says of them.
    public func complete(_ request: CompletionRequest, options: CallOptions = CallOptions()) -> ChatStream {
        stream(self.routingInput(request, options), model: request.model, mode: .completion, options) {
            provider,
            context throws(GatewayError) in
            try await provider.complete(request, context: context)
        }
    }

    /// Turns texts into vectors.
    /// - Parameters:
    ///   - request: The model, the texts and the form of the vectors.
    ///   - options: The session, the tags and the deployment that decide where the call goes. Default: what the request
    ///     says of them.
    /// - Throws: ``GatewayError``; ``GatewayError/Code/cancelled`` when the task was cancelled.
    public func embed(
        _ request: EmbeddingRequest,
        options: CallOptions = CallOptions()
    ) async throws(GatewayError) -> EmbeddingResponse {
        var loop = attempts(
            routingInput(request, options),
            model: request.model,
            mode: .embedding,
            logger: options.logger
        )
        return try await loop.run { attempt throws(GatewayError) in
            let provider = attempt.lease.deployment.provider
            let response = try await provider.embed(request, context: attempt.context)
            attempt.settlement.accepted()
            attempt.settlement.settle(.success, usage: response.usage)
            return response
        }
    }

    // MARK: - Calls as bytes

    /// Answers a request of a wire format, for servers: the bytes pass through where client and provider speak the same.
    /// - Throws: ``GatewayError`` as long as nothing has gone to the client; show it with the status and the body that
    ///   the client's format has for errors.
    public func relay(_ request: WireRequest) async throws(GatewayError) -> WireResponse {
        var call = try begin(request)
        let relay = call.relay
        return try await call.loop.run { attempt throws(GatewayError) in try await relay.attempt(attempt) }
    }

    /// A request that has been read: its attempts, and what each of them does.
    private struct BegunCall: ~Copyable {
        var loop: AttemptLoop
        let relay: Relay
    }

    /// Reads what must be known of a request. Apart from ``relay(_:)``, so that nothing of it waits with the call.
    private func begin(_ request: WireRequest) throws(GatewayError) -> BegunCall {
        let start = MonotonicInstant.now
        let format = StandardFormats.format(of: request.endpoint)
        let facts: any CallFacts
        let headers: [HTTPHeader]
        do {
            headers = try headersUpstream(request.headers, format)
            facts = try format.facts(of: request.body, at: request.endpoint)
        } catch {
            var record = CallRecord(requestID: request.requestID, model: "", mode: request.mode, error: error.code)
            record.isModelKnown = false
            record.sender = request.sender
            record.duration = MonotonicInstant.now - start
            observer?.callFinished(record)
            var error = error
            error.attempts = 0
            watch(record, request.headers, logger: request.logger)?.finished(record, error: error)
            throw error
        }
        let loop = attempts(
            routingInput(request, facts),
            model: facts.model,
            mode: request.mode,
            requestID: request.requestID,
            clientHeaders: request.headers,
            headers: headers,
            isStreamed: facts.isStreamed,
            sender: request.sender,
            logger: request.logger
        )
        return BegunCall(loop: loop, relay: Relay(request: request, format: format, facts: facts))
    }

    // MARK: - What is there

    /// The models, by their public names, in alphabetical order; created when the gateway was.
    public var models: [ModelInfo] {
        (fleet.models + names.aliases).sorted().map { ModelInfo(id: $0, ownedBy: "modelgateway", created: created) }
    }

    /// Whether at least one deployment can take a call now, and every local model is loaded.
    public var isReady: Bool { fleet.isReady && isLoaded }

    /// Whether every local model is loaded.
    package var isLoaded: Bool { providers.allSatisfy(\.isLoaded) }

    /// Sets the gauges of the fleet to its present state: calls in flight, queues, health, breakers; those of deployments
    /// and models that are gone are removed, and so are the counters of what has been gone for ten minutes. Call it
    /// before the metrics are read out; everything else is counted as it happens.
    public func recordGauges() { fleet.recordGauges() }

    /// Loads the models that run in this process, one after the other, so that the first call need not wait for it.
    /// - Parameter progress: Is told how much of the model that is being loaded is there, from 0 to 1.
    /// - Throws: ``GatewayError/Code/modelLoadFailed`` with the reason, for the first model that cannot be loaded.
    public func prepare(progress: (@Sendable (Double) -> Void)? = nil) async throws(GatewayError) {
        for provider in providers where !provider.isLoaded { try await provider.load(progress: progress) }
    }
}

// MARK: - Opening calls

extension Gateway {
    /// A stream whose call begins when it is iterated.
    /// - Parameter ask: Sends the request to the provider of an attempt.
    private func stream(
        _ input: @autoclosure @escaping @Sendable () -> RoutingInput,
        model: String,
        mode: Mode,
        _ options: CallOptions,
        _ ask: @escaping @Sendable (any Provider, AttemptContext) async throws(GatewayError) -> any ChatEventSource
    ) -> ChatStream {
        ChatStream(
            DeferredCall { [self] () async throws(GatewayError) in
                var loop = attempts(input(), model: model, mode: mode, isStreamed: true, logger: options.logger)
                return try await loop.run { attempt throws(GatewayError) in
                    let source = try await ask(attempt.lease.deployment.provider, attempt.context)
                    attempt.settlement.accepted()
                    return try await SettledEvents.primed(source, call: attempt.settlement)
                }
            }
        )
    }

    private func collect(_ stream: ChatStream, model: String) async throws(GatewayError) -> ChatResponse {
        var response = try await stream.collect()
        if response.created == 0 { response.created = WallClock.unixSeconds() }
        if response.model.isEmpty { response.model = model }
        return response
    }

    private func attempts(
        _ input: RoutingInput,
        model: String,
        mode: Mode,
        requestID: String = RandomID.make(prefix: "req_"),
        clientHeaders: [HTTPHeader] = [],
        headers: [HTTPHeader]? = nil,
        isStreamed: Bool = false,
        sender: RequestSender = RequestSender(),
        logger: Logger? = nil
    ) -> AttemptLoop {
        let record = CallRecord(
            requestID: requestID,
            model: names.publicName(model),
            mode: mode,
            isStreamed: isStreamed,
            sender: sender
        )
        return AttemptLoop(
            fleet: fleet,
            observer: observer,
            input: input,
            headers: headers ?? registry.identity.marks,
            names: names,
            record: record,
            watch: watch(record, clientHeaders, logger: logger)
        )
    }

    /// What follows a call, if anything does.
    private func watch(_ record: CallRecord, _ headers: [HTTPHeader], logger: Logger?) -> CallWatch? {
        CallWatch(
            CallStart(
                requestID: record.requestID,
                model: record.model,
                mode: record.mode,
                isStreamed: record.isStreamed,
                headers: headers
            ),
            logger: logger,
            tracer: tracer
        )
    }
}

extension Gateway {
    /// What goes upstream of a client's headers, and the marks of this gateway.
    private func headersUpstream(_ headers: [HTTPHeader], _ format: any Format) throws(GatewayError) -> [HTTPHeader] {
        if headers.isEmpty { return registry.identity.marks }
        return try registry.identity.marks(after: headers)
            + headers.filter { Self.goesUpstream($0) || format.goesUpstream($0) }
    }

    private static func goesUpstream(_ header: HTTPHeader) -> Bool {
        header.isNamed("traceparent") || header.isNamed("tracestate") || header.isNamed("idempotency-key")
    }
}
