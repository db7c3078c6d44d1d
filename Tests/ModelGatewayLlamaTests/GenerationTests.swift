// What the real model answers: streams, repeatability, stops, counts, limits.

#if LlamaCpp

import ModelGateway
import ModelGatewayLlama
import Testing

extension LocalModelTests {
    @Suite(.timeLimit(.minutes(5))) struct GenerationTests {
        @Test func `A stream has the text of the whole answer`() async throws {
            let provider = try await LocalModel.ready(LocalModel.sequential)
            let sampling = Sampling(temperature: 0, seed: 1, maxTokens: 48)
            let whole = try await provider.answer("Why is the sky blue?", sampling)
            #expect(whole.text.count > 40)

            let request = ChatRequest(model: "m", messages: [.user("Why is the sky blue?")], sampling: sampling)
            let source = try await provider.chat(request, context: testContext)
            var events: [ChatEvent] = []
            var batches = 0
            while let batch = try await source.next() {
                #expect(!batch.isEmpty)
                events += batch
                batches += 1
            }
            var text = ""
            for case .text(let piece, choice: 0) in events { text += piece }
            #expect(text == whole.text)
            #expect(batches > 5, "the text must come in pieces, as it is made")
            guard case .started(let id, "smollm2", _) = events.first else {
                Issue.record("the first event must be the start: \(events.prefix(1))")
                return
            }
            #expect(id.hasPrefix("chatcmpl-"))
            #expect(events.suffix(2).first == .finished(.length, choice: 0))
            guard case .usage(let usage) = events.last else {
                Issue.record("the last event must be the usage: \(events.suffix(1))")
                return
            }
            #expect(usage == whole.usage)
        }

        @Test func `The same seed gives the same text`() async throws {
            let provider = try await LocalModel.ready(LocalModel.sequential)
            func answer(_ seed: Int) async throws -> String {
                let sampling = Sampling(temperature: 1.5, seed: seed, maxTokens: 40)
                return try await provider.answer("Tell me a story.", sampling).text
            }
            let first = try await answer(7)
            // Something else in between, which must not leave traces.
            _ = try await provider.answer("Tell me a joke.", Sampling(temperature: 0, maxTokens: 10))
            #expect(try await answer(7) == first)
            #expect(try await answer(8) != first)
        }

        @Test func `A stop string that straddles tokens is never seen`() async throws {
            let provider = try await LocalModel.ready(LocalModel.sequential)
            let sampling = Sampling(temperature: 0, seed: 1, maxTokens: 60)
            let whole = try await provider.answer("Count from one to ten in words.", sampling)
            // A piece out of the middle of the answer: some letters, a space and some letters are several tokens.
            let middle = whole.text.index(whole.text.startIndex, offsetBy: whole.text.count / 2)
            let end = whole.text.index(middle, offsetBy: 9)
            let stop = String(whole.text[middle..<end])
            let expected = try #require(whole.text.firstRange(of: stop))

            var stopping = sampling
            stopping.stop = [stop]
            let stopped = try await provider.answer("Count from one to ten in words.", stopping)
            #expect(stopped.text == String(whole.text[..<expected.lowerBound]))
            #expect(stopped.choices.first?.finishReason == .stop)
            #expect((stopped.usage?.completionTokens ?? 0) < (whole.usage?.completionTokens ?? 0))
        }

        @Test func `Characters are never split`() async throws {
            let provider = try await LocalModel.ready(LocalModel.sequential)
            // The byte tokens of emoji: each takes two to four of them.
            let request = CompletionRequest(
                model: "m",
                prompts: [.text("🎉🎉🎉🌍🌍🌍🚀🚀🚀👩‍👩‍👧‍👦👩‍👩‍👧‍👦🎉🎉🎉🌍🌍🌍🚀🚀")],
                sampling: Sampling(temperature: 0, seed: 1, maxTokens: 40)
            )
            let source = try await provider.complete(request, context: testContext)
            var pieces: [String] = []
            while let batch = try await source.next() {
                for case .text(let piece, _) in batch { pieces.append(piece) }
            }
            #expect(pieces.joined().unicodeScalars.contains { $0.value > 0xFFFF })
            // Only the very end may be cut, by the limit.
            #expect(!pieces.dropLast().joined().unicodeScalars.contains("\u{FFFD}"))
        }

        @Test func `The usage counts the prompt, its cached part and the answer`() async throws {
            let provider = LlamaProvider(
                model: LocalModels.defaultModelPath,
                options: LlamaOptions.oneThread(contextLength: 512, parallel: 1)
            )
            _ = try await LocalModel.ready(provider)
            let sampling = Sampling(temperature: 0, maxTokens: 5)
            let first = try #require(try await provider.answer("Name a colour.", sampling).usage)
            #expect(first.completionTokens == 5)
            #expect(first.cachedPromptTokens == 0)
            // "<|im_start|>user\nName a colour.<|im_end|>\n<|im_start|>assistant\n"
            #expect(first.promptTokens == 13)
            let second = try #require(try await provider.answer("Name a colour.", sampling).usage)
            #expect(second.promptTokens == 13)
            #expect(second.cachedPromptTokens == 12)
            await provider.unload()
        }

        @Test func `An end of turn is a stop`() async throws {
            let provider = try await LocalModel.ready(LocalModel.sequential)
            let response = try await provider.answer(
                "What is 2 + 2?",
                Sampling(temperature: 0, seed: 1, maxTokens: 200)
            )
            #expect(response.choices.first?.finishReason == .stop)
            #expect(!response.text.contains("<|im_end|>"))
            let usage = try #require(response.usage)
            #expect(usage.completionTokens < 200)
        }

        @Test func `A prompt that is too long names both numbers`() async throws {
            let provider = try await LocalModel.ready(LocalModel.shared)
            let question = String(repeating: "word ", count: 3000)
            let error = await #expect(throws: GatewayError.self) {
                _ = try await provider.answer(question, Sampling(maxTokens: 1))
            }
            #expect(error?.code == .contextLengthExceeded)
            #expect(error?.status == 400)
            #expect(error?.message.contains("2048") == true)
            #expect(error?.message.contains("30") == true, "\(error?.message ?? "")")
        }

        @Test func `A huge prompt is refused without reading all of it`() async throws {
            let provider = try await LocalModel.ready(LocalModel.shared)
            let error = await #expect(throws: GatewayError.self) {
                _ = try await provider.complete(String(repeating: "x", count: 30_000_000), Sampling(maxTokens: 1))
            }
            #expect(error?.code == .contextLengthExceeded)
        }

        @Test func `An answer that fills the context ends because of its length`() async throws {
            let provider = LlamaProvider(
                model: LocalModels.defaultModelPath,
                options: LlamaOptions.oneThread(contextLength: 256, parallel: 2)
            )
            _ = try await LocalModel.ready(provider)
            // Without its end markers the model goes on for ever.
            let sampling = Sampling(temperature: 0, logitBias: [0: -100, 2: -100])
            let answer = try await provider.answer("Tell me everything.", sampling)
            #expect(answer.choices.first?.finishReason == .length)
            #expect(answer.usage?.totalTokens == 256)
            await provider.unload()
        }

        @Test func `Penalties and bias change the choice`() async throws {
            let provider = try await LocalModel.ready(LocalModel.sequential)
            let plain = Sampling(temperature: 0, seed: 1, maxTokens: 40)
            let question = "Explain how rain is made."
            let usual = try await provider.answer(question, plain).text
            for change in [
                { $0.frequencyPenalty = 2 }, { $0.presencePenalty = 2 }, { $0.repetitionPenalty = 3 },
            ] as [(inout Sampling) -> Void] {
                var sampling = plain
                change(&sampling)
                #expect(try await provider.answer(question, sampling).text != usual)
            }
            var biased = plain
            biased.logitBias = [978: 100]
            biased.maxTokens = 3
            let forced = try await provider.answer(question, biased).text
            let piece = String(forced.prefix(forced.count / 3))
            #expect(!piece.isEmpty)
            #expect(forced == piece + piece + piece, "three times the same token")
        }

        @Test func `Several choices share one prompt`() async throws {
            let provider = try await LocalModel.ready(LocalModel.shared)
            let sampling = Sampling(temperature: 1.2, seed: 3, maxTokens: 12, choices: 3)
            let response = try await provider.answer("Invent a name for a cat.", sampling)
            #expect(response.choices.map(\.index) == [0, 1, 2])
            #expect(Set(response.choices.map(\.message.text)).count > 1)
            let single = try await provider.answer("Invent a name for a cat.", Sampling(maxTokens: 1))
            #expect(response.usage?.promptTokens == single.usage?.promptTokens)
        }

        @Test func `Several prompts make a choice each`() async throws {
            let provider = try await LocalModel.ready(LocalModel.shared)
            let request = CompletionRequest(
                model: "m",
                prompts: [.text("One, two,"), .tokens([5345, 28])],
                sampling: Sampling(temperature: 0, maxTokens: 4),
                echo: true
            )
            let response = try await ChatStream(provider.complete(request, context: testContext)).collect()
            #expect(response.choices.count == 2)
            #expect(response.text.hasPrefix("One, two,"))
            #expect(response.choices.allSatisfy { $0.finishReason == .length })
        }

        @Test func `D26: a raw completion without a limit has 16 tokens, as in OpenAI's API`() async throws {
            let provider = try await LocalModel.ready(LocalModel.shared)
            // Without its end markers the model goes on for ever.
            let completion = try await provider.complete(
                "Once upon a time",
                Sampling(temperature: 0, logitBias: [0: -100, 2: -100])
            )
            #expect(completion.usage?.completionTokens == 16)
            #expect(completion.choices.first?.finishReason == .length)
        }

        @Test func `A conversation is continued`() async throws {
            let provider = try await LocalModel.ready(LocalModel.shared)
            var messages: [ChatMessage] = [.system("You are brief."), .user("My name is Ada.")]
            let first = try await provider.answer(messages, Sampling(temperature: 0, maxTokens: 30))
            messages += [first.message, .user("What is my name?")]
            let second = try await provider.answer(messages, Sampling(temperature: 0, maxTokens: 30))
            #expect(!second.text.isEmpty)
            #expect((second.usage?.cachedPromptTokens ?? 0) > (first.usage?.promptTokens ?? .max) - 2)
        }
    }
}

#endif
