// Whether the same call gives the same answer, whatever else is computed.

#if LlamaCpp

import CLlama
import ModelGateway
import Testing

@testable import ModelGatewayLlama

extension LocalModelTests {
    @Suite(.timeLimit(.minutes(5))) struct RepeatabilityTests {
        @Test func `D25: a repeatable model gives the same answer however many calls there are`() async throws {
            var answers: Set<String> = []
            var seeded: Set<String> = []
            for threads in [1, nil] as [Int?] {
                let options = LlamaOptions(contextLength: 2048, parallel: 4, threads: threads, repeatable: true)
                let provider = try await LocalModel.ready(
                    LlamaProvider(model: LocalModels.defaultModelPath, options: options)
                )
                let question = "Tell me about the number seven."
                let others = [
                    "Tell me about the number eight.", "Name a few boats.", "What is rain, and how is it made?",
                ]
                try await withThrowingTaskGroup(of: (Bool, Bool, String).self) { group in
                    for round in 0..<2 {
                        let isSeeded = round == 1
                        let sampling = Sampling(temperature: isSeeded ? 1.5 : 0, seed: 5, maxTokens: 24)
                        for asked in [question] + others + [question] {
                            group.addTask {
                                let text = try await provider.answer(asked, sampling).text
                                return (asked == question, isSeeded, text)
                            }
                        }
                    }
                    for try await (isSame, isSeeded, text) in group where isSame {
                        if isSeeded { seeded.insert(text) } else { answers.insert(text) }
                    }
                }
                await provider.unload()
            }
            #expect(answers.count == 1, "\(answers)")
            #expect(seeded.count == 1, "\(seeded)")
            #expect(answers != seeded)
        }

        @Test func `D25: what other sequences say does not reach a sequence`() throws {
            let progress = LoadProgress()
            let model = try LlamaModel(path: LocalModels.defaultModelPath, gpuLayers: 0, progress: progress)
            let prompt = model.tokens(
                of: "Seven is a number that people like, for it",
                addsSpecial: true,
                parsesMarkers: false
            )
            let other = model.tokens(
                of: "Boats are on the sea, and the sea is",
                addsSpecial: true,
                parsesMarkers: false
            )
            // The same cells, but other words in them.
            let changed = other.map { ($0 * 7 + 13) % 40_000 + 100 }
            let first = try logits(model, of: prompt, beside: other)
            #expect(first.contains { $0 != 0 })
            #expect(try logits(model, of: prompt, beside: changed) == first)
        }

        /// The logits that follow a prompt, computed in one batch with another sequence.
        private func logits(_ model: LlamaModel, of prompt: [Int32], beside other: [Int32]) throws -> [Float] {
            let shape = ContextShape(
                contextLength: 512,
                sequences: 2,
                batchSize: 128,
                threads: 1,
                yields: false,
                isRepeatable: false,
                embeddings: false
            )
            let context = try LlamaContext(model: model, shape: shape)
            let batch = TokenBatch(capacity: 128)
            for position in 0..<max(prompt.count, other.count) {
                if position < other.count {
                    batch.add(other[position], position: position, sequence: 0, wantsOutput: false)
                }
                if position < prompt.count {
                    let isLast = position == prompt.count - 1
                    batch.add(prompt[position], position: position, sequence: 1, wantsOutput: isLast)
                }
            }
            #expect(context.compute(batch).status == 0)
            // The only output.
            let last = try #require(llama_get_logits_ith(context.pointer, -1))
            return Array(UnsafeBufferPointer(start: last, count: model.vocabularySize))
        }
    }
}

#endif
