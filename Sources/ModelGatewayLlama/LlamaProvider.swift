// The provider that runs a GGUF model in this process with llama.cpp.

import GatewayWire
public import Logging
public import ModelGateway
import Synchronization

/// Runs one local model: chat, raw completion and embeddings, without a server or a network.
///
/// ```swift
/// let provider = LlamaProvider(model: LocalModels.defaultModelPath)
/// try await provider.load { fraction in print("loading: \(Int(fraction * 100)) %") }
/// let answer = try await provider.chat(request, context: context)
/// ```
///
/// Calls run together on threads of the provider's own: up to ``LlamaOptions/parallel`` sequences are computed in one
/// batch, more wait in line in the order in which they came. A prompt that begins like an earlier one is computed only
/// from where it differs. A cancelled call gives its place up at the next token.
///
/// The package trait `LlamaCpp` must be on; without it ``isAvailable`` is false and loading throws
/// `GatewayError.Code.unsupported`.
public final class LlamaProvider: Provider {
    private enum Phase {
        case unloaded
        case loading(Loading)
        case loaded(LlamaEngine)
    }

    private let path: String
    private let options: LlamaOptions
    private let logger: Logger
    private let phase = Lock(Phase.unloaded)

    /// Describes a model; nothing is loaded yet.
    /// - Parameters:
    ///   - path: The GGUF file. Of a model in several files, the first.
    ///   - options: How it is run.
    ///   - logger: Where llama.cpp's own lines go, at debug level, and one line for each answer. llama.cpp has one log
    ///     for the whole process: with several models its lines go to the logger of the last one.
    public init(
        model path: String,
        options: LlamaOptions = LlamaOptions(),
        logger: Logger = Logger(label: "ModelGateway.llama")
    ) {
        self.path = path
        self.options = options
        self.logger = logger
    }

    /// Whether this build has the local backend.
    public static var isAvailable: Bool {
        #if LlamaCpp
        true
        #else
        false
        #endif
    }

    public var name: String { "llama" }

    public var modes: Set<Mode> { [.chat, .completion, .embedding] }

    /// Loads the model if it is not loaded; calls do so themselves, but then the first one waits.
    ///
    /// Cancelling the task gives the load up, unless another task waits for it too.
    /// - Parameter progress: Called on the loading thread with what is done, 0…1.
    /// - Throws: `GatewayError.Code.modelLoadFailed` that says what is wrong with the file.
    public func load(progress: (@Sendable (Double) -> Void)? = nil) async throws(GatewayError) {
        _ = try await engine(progress: progress)
    }

    /// Frees the memory of the model. Answers in progress fail with `GatewayError.Code.shuttingDown`; a later call
    /// loads the model again.
    public func unload() async {
        let phase = phase.withLock { phase in
            defer { phase = .unloaded }
            return phase
        }
        switch phase {
        case .unloaded: break
        case .loading(let loading):
            giveUp(loading)
            loading.finish(.failure(Self.unloaded))
        case .loaded(let engine): await close(engine)
        }
    }

    /// Whether the model is in memory.
    public var isLoaded: Bool {
        phase.withLock { if case .loaded = $0 { true } else { false } }
    }

    // MARK: Loading

    private static let unloaded = GatewayError(.shuttingDown, "The local model is being unloaded.")

    private func engine(progress: (@Sendable (Double) -> Void)? = nil) async throws(GatewayError) -> LlamaEngine {
        let (engine, loading, isNew) = phase.withLock { phase -> (LlamaEngine?, Loading, Bool) in
            switch phase {
            case .loaded(let engine): return (engine, Loading(), false)
            case .loading(let loading): return (nil, loading, false)
            case .unloaded:
                let loading = Loading()
                phase = .loading(loading)
                return (nil, loading, true)
            }
        }
        if let engine { return engine }
        if let progress { loading.progress.observe(progress) }
        if isNew { start(loading) }
        do throws(GatewayError) {
            return try await loading.wait { [self] in giveUp(loading) }
        } catch {
            // The load that this task had joined was given up by the only one who waited until then.
            guard error.code == .cancelled, !Task.isCancelled else { throw error }
            return try await self.engine(progress: progress)
        }
    }

    private func start(_ loading: Loading) {
        #if LlamaCpp
        do {
            try ComputeThread.start(name: "llama-load") { [self] in run(loading) }
        } catch {
            giveUp(loading)
            loading.finish(.failure(error))
        }
        #else
        run(loading)
        #endif
    }

    private func run(_ loading: Loading) {
        let result = Result { () throws(GatewayError) in
            try LlamaEngine(path: path, options: options, logger: logger, progress: loading.progress)
        }
        phase.withLock { phase in
            // Given up or unloaded in the meantime: then nobody waits for the result.
            guard case .loading(let current) = phase, current === loading else { return }
            if case .success(let engine) = result { phase = .loaded(engine) } else { phase = .unloaded }
        }
        loading.finish(result)
    }

    /// Ends a load that nobody waits for any more.
    private func giveUp(_ loading: Loading) {
        loading.progress.isCancelled.store(true, ordering: .relaxed)
        phase.withLock { phase in
            if case .loading(let current) = phase, current === loading { phase = .unloaded }
        }
    }
}

// MARK: Calls

#if LlamaCpp

extension LlamaProvider {
    public func chat(
        _ request: ChatRequest,
        context: AttemptContext
    ) async throws(GatewayError) -> any ChatEventSource {
        try await engine().chat(request, context: context)
    }

    public func complete(
        _ request: CompletionRequest,
        context: AttemptContext
    ) async throws(GatewayError) -> any ChatEventSource {
        try await engine().complete(request, context: context)
    }

    public func embed(
        _ request: EmbeddingRequest,
        context: AttemptContext
    ) async throws(GatewayError) -> EmbeddingResponse {
        try await engine().embed(request, context: context)
    }

    public func models(timeouts: Timeouts) async throws(GatewayError) -> [ModelInfo] {
        let engine = try await engine()
        let file = engine.model.file
        return [
            ModelInfo(id: file.name, ownedBy: "local", created: file.modified, contextLength: engine.contextLength)
        ]
    }

    /// What the model is doing and has done since it was loaded; nil if it is not loaded.
    public var statistics: LlamaStatistics? {
        guard case .loaded(let engine) = phase.withLock({ $0 }) else { return nil }
        return LlamaStatistics(engine.statistics)
    }

    private func close(_ engine: LlamaEngine) async {
        do throws(GatewayError) {
            try await engine.close()
        } catch {
            logger.debug("closing a local model failed", metadata: ["error": "\(error)"])
        }
    }
}

#else

extension LlamaProvider {
    public func models(timeouts: Timeouts) async throws(GatewayError) -> [ModelInfo] {
        _ = try await engine()
        return []
    }

    /// What the model is doing; nil, as this build has no local backend.
    public var statistics: LlamaStatistics? { nil }

    private func close(_ engine: LlamaEngine) async {}
}

#endif
