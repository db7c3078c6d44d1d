// The real model that the tests run, and short ways to ask it.

import ModelGateway
import ModelGatewayLlama
import Testing

#if LlamaCpp

/// All tests of the real model, one after another: each computes on all processors.
@Suite(.serialized) enum LocalModelTests {}

/// One loaded model for each set of options, shared by the tests that only need answers.
enum LocalModel {
    /// Four sequences, a small context.
    static let shared = LlamaProvider(
        model: LocalModels.defaultModelPath,
        options: LlamaOptions.oneThread(contextLength: 2048)
    )
    /// One sequence at a time, so that the same request gives the same bits.
    static let sequential = LlamaProvider(
        model: LocalModels.defaultModelPath,
        options: LlamaOptions.oneThread(contextLength: 2048, parallel: 1)
    )

    /// Loads the model, or says what to do where it is not installed.
    static func ready(_ provider: LlamaProvider) async throws -> LlamaProvider {
        do {
            try await provider.load()
        } catch {
            Issue.record("The tests need the small model; run scripts/setup. \(error)")
            throw error
        }
        return provider
    }
}

extension LlamaOptions {
    /// Options for a machine that runs other tests at the same time: llama.cpp's threads wait for each other by
    /// spinning, so more than one would crawl whenever another program holds a processor.
    static func oneThread(contextLength: Int, parallel: Int = 4, queueLimit: Int = 256) -> LlamaOptions {
        LlamaOptions(contextLength: contextLength, parallel: parallel, queueLimit: queueLimit, threads: 1)
    }
}

let testContext = AttemptContext(upstreamModel: "smollm2", requestID: "test")

extension LlamaProvider {
    /// The whole answer to one question.
    func answer(_ question: String, _ sampling: Sampling) async throws -> ChatResponse {
        try await answer([.user(question)], sampling)
    }

    func answer(_ messages: [ChatMessage], _ sampling: Sampling) async throws -> ChatResponse {
        let request = ChatRequest(model: "smollm2", messages: messages, sampling: sampling)
        return try await ChatStream(chat(request, context: testContext)).collect()
    }

    func complete(_ prompt: String, _ sampling: Sampling) async throws -> ChatResponse {
        let request = CompletionRequest(model: "smollm2", prompts: [.text(prompt)], sampling: sampling)
        return try await ChatStream(complete(request, context: testContext)).collect()
    }
}

#endif
