// A model that is loaded and running: takes calls, turns them into sequences, and hands these to the decode thread.

#if LlamaCpp

import CLlama
import GatewaySystem
import Logging
import ModelGateway
import Synchronization

/// Everything that runs one loaded model.
final class LlamaEngine: Sendable {
    let model: LlamaModel
    let contextLength: Int
    let statistics: DecodeStatistics
    let prompts: ChatPrompt
    let tokenizer: PromptTokenizer
    private let queue: DecodeQueue
    private let preparation: ComputeThread
    private let embeddings: EmbeddingThread

    /// Loads a file and starts its threads. Blocks: not for cooperative threads.
    init(path: String, options: LlamaOptions, logger: Logger, progress: LoadProgress) throws(GatewayError) {
        LlamaLog.setLogger(logger)
        model = try LlamaModel(path: path, gpuLayers: options.gpuLayers, progress: progress)
        let threads = max(1, options.threads ?? ProcessorCount.physical)
        contextLength = max(16, min(options.contextLength ?? 8192, max(16, model.trainedContext)))
        prompts = ChatPrompt(template: model.chatTemplate)
        tokenizer = PromptTokenizer(model: model, prompts: prompts)
        statistics = DecodeStatistics(logger: logger)
        queue = DecodeQueue(queueLimit: options.queueLimit)
        preparation = try ComputeThread(name: "llama-prepare")
        embeddings = try EmbeddingThread(
            model: model,
            options: options,
            contextLength: contextLength,
            threads: threads
        )
        let shape = ContextShape(
            contextLength: contextLength,
            sequences: options.repeatable ? 1 : min(max(options.parallel, 1), 64),
            batchSize: min(max(options.batchSize, 32), 8192),
            threads: threads,
            yields: options.threads == nil,
            isRepeatable: options.repeatable,
            embeddings: false
        )
        try startDecoding(shape)
        progress.report(1)
    }

    deinit {
        queue.close()
    }

    /// The decode thread owns the context, and so keeps the model alive until it ends.
    private func startDecoding(_ shape: ContextShape) throws(GatewayError) {
        guard model.generates else {
            queue.inbox.change { $0.hasEnded = true }
            return
        }
        let context = try LlamaContext(model: model, shape: shape)
        let (queue, statistics) = (queue, statistics)
        try ComputeThread.start(name: "llama-decode") {
            DecodeLoop(queue: queue, context: context, shape: shape, statistics: statistics)?.run()
            queue.inbox.change { $0.hasEnded = true }
        }
    }

    /// Ends what runs, and returns when the context is free.
    func close() async throws(GatewayError) {
        queue.close()
        let queue = queue
        try await preparation.run { .success(queue.waitForEnd()) }
    }

    // MARK: Calls

    /// How long a raw completion gets if the caller does not say: raw text often has no end, and OpenAI's API has this.
    private static let completionTokens = 16

    func chat(_ request: ChatRequest, context: AttemptContext) async throws(GatewayError) -> any ChatEventSource {
        try requireGeneration()
        let sampling = try CheckedSampling(request.sampling, vocabularySize: model.vocabularySize)
        let prompt = try await prepare { engine throws(GatewayError) in
            let pieces = try engine.prompts.pieces(for: request)
            return try engine.tokenizer.tokens(of: pieces, limit: engine.contextLength, param: "messages")
        }
        let answer = makeAnswer(id: "chatcmpl", context: context, choices: sampling.choices)
        try submit([(prompt, "")], of: "messages", sampling: sampling, answer: answer, context: context)
        return answer
    }

    func complete(
        _ request: CompletionRequest,
        context: AttemptContext
    ) async throws(GatewayError) -> any ChatEventSource {
        try requireGeneration()
        try CompletionFields.check(request.extra)
        var limited = request.sampling
        limited.maxTokens = limited.maxTokens ?? Self.completionTokens
        let sampling = try CheckedSampling(limited, vocabularySize: model.vocabularySize)
        guard !request.prompts.isEmpty, request.prompts.count <= 1024 else {
            throw GatewayError(.invalidRequest, "Between 1 and 1024 prompts can be sent at once.", param: "prompt")
        }
        let prompts = try await prepare { engine throws(GatewayError) in
            var prompts: [(tokens: [Int32], echo: String)] = []
            for prompt in request.prompts { prompts.append(try engine.rawPrompt(prompt, echo: request.echo)) }
            return prompts
        }
        let answer = makeAnswer(id: "cmpl", context: context, choices: sampling.choices * prompts.count)
        try submit(prompts, of: "prompt", sampling: sampling, answer: answer, context: context)
        return answer
    }

    func embed(_ request: EmbeddingRequest, context: AttemptContext) async throws(GatewayError) -> EmbeddingResponse {
        guard !request.input.isEmpty, request.input.count <= 2048 else {
            throw GatewayError(.invalidRequest, "Between 1 and 2048 inputs can be sent at once.", param: "input")
        }
        if let dimensions = request.dimensions, dimensions != Int(llama_model_n_embd_out(model.model)) {
            throw GatewayError(
                .unsupported,
                "The local model's vectors have \(llama_model_n_embd_out(model.model)) dimensions and cannot be shortened.",
                param: "dimensions"
            )
        }
        let texts = try await prepare { engine throws(GatewayError) in
            var texts: [[Int32]] = []
            for input in request.input { texts.append(try engine.embeddingTokens(input)) }
            return texts
        }
        let vectors = try await embeddings.embed(texts)
        let count = texts.reduce(0) { $0 + $1.count }
        return EmbeddingResponse(
            model: context.upstreamModel,
            embeddings: vectors,
            usage: Usage(promptTokens: count, completionTokens: 0)
        )
    }

    // MARK: Preparation

    /// Runs tokenization away from the cooperative threads: a long text takes milliseconds.
    private func prepare<Value: Sendable>(
        _ body: @escaping @Sendable (LlamaEngine) throws(GatewayError) -> Value
    ) async throws(GatewayError) -> Value {
        try await preparation.run { [self] in
            Result { () throws(GatewayError) in try body(self) }
        }
    }

    private func requireGeneration() throws(GatewayError) {
        guard model.generates else {
            throw GatewayError(.unsupported, "The model \(model.file.name) makes embeddings only; it writes no text.")
        }
    }

    private func rawPrompt(
        _ prompt: CompletionRequest.Prompt,
        echo: Bool
    ) throws(GatewayError) -> (tokens: [Int32], echo: String) {
        switch prompt {
        case .text(let text):
            return (try tokenizer.rawTokens(of: text, limit: contextLength, param: "prompt"), echo ? text : "")
        case .tokens(let numbers):
            let tokens = try checked(numbers, param: "prompt")
            return (tokens, echo ? model.text(of: tokens) : "")
        }
    }

    private func embeddingTokens(_ input: EmbeddingRequest.Input) throws(GatewayError) -> [Int32] {
        let tokens =
            switch input {
            case .text(let text): try tokenizer.tokens(of: [.text(text)], limit: contextLength, param: "input")
            case .tokens(let numbers): try checked(numbers, param: "input")
            }
        guard !tokens.isEmpty else {
            throw GatewayError(.invalidRequest, "An input is empty; send some text.", param: "input")
        }
        guard tokens.count <= contextLength else {
            throw LlamaModel.tooLong("\(tokens.count)", limit: contextLength, param: "input")
        }
        return tokens
    }

    private func checked(_ numbers: [Int], param: String) throws(GatewayError) -> [Int32] {
        guard let wrong = numbers.first(where: { !(0..<model.vocabularySize).contains($0) }) else {
            return numbers.map { Int32($0) }
        }
        throw GatewayError(
            .invalidRequest,
            "\(wrong) is not a token of the model; its tokens are 0…\(model.vocabularySize - 1).",
            param: param
        )
    }

    // MARK: Submission

    private func makeAnswer(id prefix: String, context: AttemptContext, choices: Int) -> LocalAnswer {
        let id = prefix + "-" + String(UInt64.random(in: .min ... .max), radix: 36)
        // The answer keeps the engine alive: it goes on when the provider is let go.
        return LocalAnswer(id: id, model: context.upstreamModel, choices: choices) { [self] in
            queue.noteCancellation()
        }
    }

    private func submit(
        _ prompts: [(tokens: [Int32], echo: String)],
        of param: String,
        sampling: CheckedSampling,
        answer: LocalAnswer,
        context: AttemptContext
    ) throws(GatewayError) {
        let now = MonotonicInstant.now
        var requests: [GenerationRequest] = []
        for (place, prompt) in prompts.enumerated() {
            try check(prompt.tokens, param: param)
            for number in 0..<sampling.choices {
                requests.append(
                    GenerationRequest(
                        prompt: prompt.tokens,
                        sampling: sampling,
                        choice: place * sampling.choices + number,
                        countsPrompt: number == 0,
                        echo: prompt.echo,
                        answer: answer,
                        queueDeadline: now.after(limit: context.timeouts.firstByte),
                        deadline: now.after(limit: context.timeouts.total),
                        submitted: now
                    )
                )
            }
        }
        try queue.submit(requests)
    }

    private func check(_ prompt: [Int32], param: String) throws(GatewayError) {
        guard !prompt.isEmpty else {
            throw GatewayError(.invalidRequest, "The prompt is empty; send some text.", param: param)
        }
        guard prompt.count < contextLength else {
            throw LlamaModel.tooLong("\(prompt.count)", limit: contextLength, param: param)
        }
    }
}

/// The thread that embeds, with a context that is made when the first text comes.
///
/// Unchecked because of `embedder`, which only the thread touches.
private final class EmbeddingThread: @unchecked Sendable {
    private let thread: ComputeThread
    private var embedder: Embedder?
    private let make: @Sendable () -> Result<Embedder, GatewayError>

    init(model: LlamaModel, options: LlamaOptions, contextLength: Int, threads: Int) throws(GatewayError) {
        thread = try ComputeThread(name: "llama-embed")
        make = {
            Result { () throws(GatewayError) in
                try Embedder(model: model, options: options, contextLength: contextLength, threads: threads)
            }
        }
    }

    func embed(_ texts: [[Int32]]) async throws(GatewayError) -> [[Float]] {
        let cancellation = EmbeddingCancellation()
        let result: Result<[[Float]], GatewayError> = await withTaskCancellationHandler {
            do throws(GatewayError) {
                return .success(
                    try await thread.run { [self] in
                        Result { () throws(GatewayError) in
                            try ready().embed(texts, isCancelled: cancellation.isCancelled)
                        }
                    }
                )
            } catch {
                return .failure(error)
            }
        } onCancel: {
            cancellation.isCancelled.store(true, ordering: .relaxed)
        }
        return try result.get()
    }

    private func ready() throws(GatewayError) -> Embedder {
        if let embedder { return embedder }
        let made = try make().get()
        embedder = made
        return made
    }
}

/// Set when the caller of an embedding goes away.
private final class EmbeddingCancellation: Sendable {
    let isCancelled = Atomic(false)
}

#endif
