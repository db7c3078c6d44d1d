// Many calls at once: they share the context, wait in line, give their places up, and never disturb each other.

#if LlamaCpp

import ModelGateway
import ModelGatewayLlama
import Testing

extension LocalModelTests {
    @Suite(.timeLimit(.minutes(5))) struct SchedulingTests {
        private func provider(_ options: LlamaOptions) async throws -> LlamaProvider {
            try await LocalModel.ready(LlamaProvider(model: LocalModels.defaultModelPath, options: options))
        }

        /// Goes on until it is cancelled or fills the context: the end markers of the model are forbidden.
        private static let endless = Sampling(temperature: 0, logitBias: [0: -100, 2: -100])

        private func start(_ provider: LlamaProvider, _ question: String) async throws -> any ChatEventSource {
            let request = ChatRequest(model: "m", messages: [.user(question)], sampling: Self.endless)
            return try await provider.chat(request, context: testContext)
        }

        /// Reads until the first text.
        private func readFirstText(_ source: any ChatEventSource) async throws {
            while let batch = try await source.next() {
                for case .text in batch { return }
            }
        }

        @Test func `Eight calls at once all finish`() async throws {
            let provider = try await provider(LlamaOptions.oneThread(contextLength: 2048))
            let questions = (1...8).map { "Tell me about the number \($0)." }
            let sampling = Sampling(temperature: 0, maxTokens: 24)
            let answers = try await withThrowingTaskGroup(of: (Int, ChatResponse).self) { group in
                for (index, question) in questions.enumerated() {
                    group.addTask { (index, try await provider.answer(question, sampling)) }
                }
                return try await group.reduce(into: [Int: ChatResponse]()) { $0[$1.0] = $1.1 }
            }
            #expect(answers.count == 8)
            for (index, question) in questions.enumerated() {
                let alone = try await provider.answer(question, sampling)
                // Batches of other sizes may round the last bits otherwise, so only the beginning must agree.
                let together = try #require(answers[index])
                #expect(together.text.prefix(20) == alone.text.prefix(20))
                #expect(together.usage?.promptTokens == alone.usage?.promptTokens)
            }
            await provider.unload()
        }

        @Test func `A cancelled call gives up its place`() async throws {
            let provider = try await provider(LlamaOptions.oneThread(contextLength: 4096, parallel: 4))
            var running: [any ChatEventSource] = []
            for number in 0..<4 {
                let source = try await start(provider, "Story \(number)")
                try await readFirstText(source)
                running.append(source)
            }
            #expect(provider.statistics?.running == 4)
            let fifth = Task { try await provider.answer("What is 2 + 2?", Sampling(temperature: 0, maxTokens: 8)) }
            running[2].cancel()
            #expect(try await fifth.value.text.isEmpty == false)
            let failure = await #expect(throws: GatewayError.self) {
                while try await running[2].next() != nil {}
            }
            #expect(failure?.code == .cancelled)
            // The others never noticed.
            try await readFirstText(running[0])
            for source in running { source.cancel() }
            await provider.unload()
        }

        @Test func `Cancelling the task ends the call`() async throws {
            let provider = try await provider(LlamaOptions.oneThread(contextLength: 4096, parallel: 1))
            let source = try await start(provider, "A story")
            let reader = Task {
                while try await source.next() != nil {}
            }
            reader.cancel()
            let result = await reader.result
            let failure = #expect(throws: GatewayError.self) { try result.get() }
            #expect(failure?.code == .cancelled)
            // With one place, an answer now proves that the place is free.
            _ = try await provider.answer("Hi", Sampling(maxTokens: 1))
            await provider.unload()
        }

        @Test func `A call that waits can be cancelled`() async throws {
            let provider = try await provider(LlamaOptions.oneThread(contextLength: 4096, parallel: 1))
            let first = try await start(provider, "A story")
            try await readFirstText(first)
            let waiting = try await start(provider, "Another story")
            waiting.cancel()
            let failure = await #expect(throws: GatewayError.self) {
                while try await waiting.next() != nil {}
            }
            #expect(failure?.code == .cancelled)
            try await readFirstText(first)
            first.cancel()
            await provider.unload()
        }

        @Test func `A full queue refuses further calls`() async throws {
            let provider = try await provider(LlamaOptions.oneThread(contextLength: 4096, parallel: 1, queueLimit: 2))
            let first = try await start(provider, "A story")
            try await readFirstText(first)
            var waiting: [any ChatEventSource] = []
            for _ in 0..<2 { waiting.append(try await start(provider, "Another story")) }
            let error = await #expect(throws: GatewayError.self) { _ = try await self.start(provider, "One too many") }
            #expect(error?.code == .unavailable)
            #expect(error?.retryAfter != nil)
            for source in waiting + [first] { source.cancel() }
            await provider.unload()
        }

        @Test func `A common prefix is computed once`() async throws {
            let provider = try await provider(LlamaOptions.oneThread(contextLength: 4096))
            let before = try #require(provider.statistics).computedPromptTokens
            let beginning = (0..<150).map { "item \($0 % 10)" }.joined(separator: ", ")
            let totals = try await withThrowingTaskGroup(of: Usage.self) { group in
                for number in 0..<4 {
                    group.addTask {
                        let messages: [ChatMessage] = [.system(beginning), .user("Question \(number)?")]
                        let answer = try await provider.answer(messages, Sampling(temperature: 0, maxTokens: 4))
                        return answer.usage ?? Usage(promptTokens: 0, completionTokens: 0)
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let prompt = try #require(totals.first).promptTokens
            #expect(prompt > 450)
            let computed = try #require(provider.statistics).computedPromptTokens - before
            #expect(computed < prompt + 4 * 64, "four prompts of \(prompt) tokens that differ in their last few")
            #expect(totals.reduce(0) { $0 + $1.promptTokens - $1.cachedPromptTokens } == computed)
            await provider.unload()
        }

        @Test func `Calls that do not fit together take turns`() async throws {
            // Each fits alone, not all four together: the youngest give way and go on later, unharmed.
            let provider = try await provider(LlamaOptions.oneThread(contextLength: 256))
            var sampling = Self.endless
            sampling.maxTokens = 120
            let limited = sampling
            let answers = try await withThrowingTaskGroup(of: ChatResponse.self) { group in
                for number in 0..<4 {
                    group.addTask { try await provider.answer("Write the story number \(number).", limited) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.count == 4)
            for answer in answers {
                #expect(answer.usage?.completionTokens == 120)
                #expect(answer.choices.first?.finishReason == .length)
                #expect(answer.text.count > 120)
            }
            await provider.unload()
        }

        @Test func `A limit of zero is no limit`() async throws {
            let provider = try await provider(LlamaOptions.oneThread(contextLength: 256, parallel: 1))
            let context = AttemptContext(
                upstreamModel: "m",
                requestID: "r",
                timeouts: Timeouts(connect: .zero, firstByte: .zero, idle: .zero, total: .zero)
            )
            let request = ChatRequest(model: "m", messages: [.user("Hi")], sampling: Sampling(maxTokens: 2))
            let answer = try await ChatStream(try await provider.chat(request, context: context)).collect()
            #expect(answer.usage?.completionTokens ?? 0 > 0)
            await provider.unload()
        }

        @Test func `An answer ends when its time is up`() async throws {
            let provider = try await provider(LlamaOptions.oneThread(contextLength: 4096, parallel: 1))
            let context = AttemptContext(
                upstreamModel: "m",
                requestID: "r",
                timeouts: Timeouts(total: .milliseconds(50))
            )
            let request = ChatRequest(model: "m", messages: [.user("A story")], sampling: Self.endless)
            let source = try await provider.chat(request, context: context)
            let error = await #expect(throws: GatewayError.self) {
                while try await source.next() != nil {}
            }
            #expect(error?.code == .timedOut)
            await provider.unload()
        }
    }
}

#endif
