// What a local model is doing and has done: for metrics and for the curious.

/// A look at a running local model.
public struct LlamaStatistics: Sendable, Hashable {
    /// Sequences that are being computed now.
    public var running: Int
    /// Sequences that wait in line.
    public var queued: Int
    /// Prompt tokens that were computed since the model was loaded; those found in the cache are not among them.
    public var computedPromptTokens: Int
    /// Tokens that were generated since the model was loaded.
    public var generatedTokens: Int
}

#if LlamaCpp

import Synchronization

extension LlamaStatistics {
    init(_ statistics: DecodeStatistics) {
        running = statistics.running.load(ordering: .relaxed)
        queued = statistics.queued.load(ordering: .relaxed)
        computedPromptTokens = statistics.promptTokens.load(ordering: .relaxed)
        generatedTokens = statistics.generatedTokens.load(ordering: .relaxed)
    }
}

#endif
