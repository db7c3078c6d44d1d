// One sequence of tokens that is being continued: the prompt, what was generated, and where it stands.

#if LlamaCpp

import ModelGateway

/// What the decode thread needs in order to continue one prompt.
struct GenerationRequest: Sendable {
    var prompt: [Int32]
    var sampling: CheckedSampling
    /// Which choice of the answer this is.
    var choice: Int
    /// Whether the prompt counts in the usage: once for all choices of a prompt.
    var countsPrompt: Bool
    /// Text that the answer begins with, for requests that want their prompt back.
    var echo: String
    var answer: LocalAnswer
    /// Until when it may wait in line, and when it must be complete; nil for as long as it takes.
    var queueDeadline: MonotonicInstant
    var deadline: MonotonicInstant
    var submitted: MonotonicInstant
}

/// A request while it has a slot. Used by the decode thread only.
final class Generation {
    let request: GenerationRequest
    /// The prompt and the answer so far. The last token of an answer in progress has not been computed yet.
    private(set) var tokens: [Int32]
    /// How many prompt tokens were there already from an earlier sequence.
    var cachedTokens = 0
    /// The slot that computes a beginning which this prompt shares, and how long that is.
    var leader: (slot: Int, count: Int)?
    /// How many of its tokens are in the present batch.
    var added = 0
    /// Where the step's results for this sequence are, if it has any.
    var output: Int32?
    private(set) var firstToken: MonotonicInstant?
    private let sampler: TokenSampler
    private var text: AnswerText

    init(_ request: GenerationRequest, vocabularySize: Int) {
        self.request = request
        tokens = request.prompt
        sampler = TokenSampler(
            request.sampling,
            choice: request.choice,
            prompt: request.prompt,
            vocabularySize: vocabularySize
        )
        text = AnswerText(stops: request.sampling.stop)
        if !request.echo.isEmpty { request.answer.add(request.echo, choice: request.choice) }
    }

    var generatedCount: Int { tokens.count - request.prompt.count }

    /// Chooses the next token and passes its text on.
    /// - Returns: Why the answer ends, if it does.
    func advance(model: LlamaModel, context: OpaquePointer, contextLength: Int) -> FinishReason? {
        guard let output, let token = sampler.next(context, output: output) else { return .length }
        self.output = nil
        if firstToken == nil { firstToken = .now }
        tokens.append(token)
        if model.isEndOfGeneration(token) {
            emit(text.finish())
            return .stop
        }
        emit(model.withText(of: token) { text.append($0) })
        if text.isStopped { return .stop }
        if generatedCount >= request.sampling.maxTokens || tokens.count >= contextLength {
            emit(text.finish())
            return .length
        }
        return nil
    }

    /// Forgets that it was part of a step that could not be computed.
    func leaveStep() {
        added = 0
        output = nil
    }

    private func emit(_ piece: String) {
        if !piece.isEmpty { request.answer.add(piece, choice: request.choice) }
    }

    func finish(_ reason: FinishReason) {
        let usage = Usage(
            promptTokens: request.countsPrompt ? request.prompt.count : 0,
            completionTokens: generatedCount,
            cachedPromptTokens: request.countsPrompt ? cachedTokens : 0
        )
        request.answer.finish(reason, choice: request.choice, usage: usage)
    }
}

#endif
