// What a local model cannot do is refused before it costs anything, with the field that asked for it.

#if LlamaCpp

import ModelGateway
import ModelGatewayLlama
import Testing

extension LocalModelTests {
    @Suite(.timeLimit(.minutes(5))) struct RefusalTests {
        private func refusal(_ change: (inout ChatRequest) -> Void) async throws -> GatewayError? {
            let provider = try await LocalModel.ready(LocalModel.shared)
            var request = ChatRequest(model: "m", messages: [.user("Hi")], sampling: Sampling(maxTokens: 1))
            change(&request)
            do {
                let source = try await provider.chat(request, context: testContext)
                source.cancel()
                return nil
            } catch {
                return error
            }
        }

        @Test func `Tools are refused`() async throws {
            let error = try await refusal { $0.tools = [Tool(name: "f")] }
            #expect(error?.code == .unsupported)
            #expect(error?.param == "tools")
            #expect(try await refusal { $0.messages.append(.tool("1", callID: "x")) }?.param == "messages[1]")
        }

        @Test func `Tools that may not be used are not a reason to refuse`() async throws {
            let error = try await refusal {
                $0.tools = [Tool(name: "f")]
                $0.toolChoice = ToolChoice.none
            }
            #expect(error == nil)
        }

        @Test func `Images, response formats and log probabilities are refused`() async throws {
            let image = ChatMessage(role: .user, content: [.image(url: "data:,", detail: nil)])
            #expect(try await refusal { $0.messages = [image] }?.param == "messages[0].content")
            #expect(try await refusal { $0.responseFormat = .jsonObject }?.param == "response_format")
            #expect(try await refusal { $0.extra = [JSONMember("logprobs", true)] }?.param == "logprobs")
            #expect(try await refusal { $0.extra = [JSONMember("logprobs", false)] } == nil)
        }

        @Test(arguments: ["logprobs", "suffix", "best_of"])
        func `D27: what a raw completion cannot have is refused`(field: String) async throws {
            let provider = try await LocalModel.ready(LocalModel.shared)
            let request = CompletionRequest(
                model: "m",
                prompts: [.text("a")],
                sampling: Sampling(maxTokens: 1),
                extra: [JSONMember(field, 2)]
            )
            do {
                try await provider.complete(request, context: testContext).cancel()
                Issue.record("\(field) was accepted")
            } catch {
                #expect(error.code == .unsupported && error.param == field)
            }
        }

        @Test func `D27: further fields of a text part are no reason`() async throws {
            let part = ChatMessage.Part.other(["type": "text", "text": "Hi", "cache_control": ["type": "ephemeral"]])
            #expect(try await refusal { $0.messages = [ChatMessage(role: .user, content: [part])] } == nil)
        }

        @Test func `Bad messages are refused`() async throws {
            #expect(try await refusal { $0.messages = [] }?.param == "messages")
            #expect(try await refusal { $0.messages = [.user("a\0b")] }?.code == .invalidRequest)
            let wizard = ChatMessage(role: .init(rawValue: "wizard"), content: [.text("Hi")])
            #expect(try await refusal { $0.messages = [wizard] }?.param == "messages[0].role")
        }

        @Test(arguments: [
            ("temperature", Sampling(temperature: -0.1)), ("temperature", Sampling(temperature: .nan)),
            ("temperature", Sampling(temperature: .infinity)), ("top_p", Sampling(topP: 1.1)),
            ("top_k", Sampling(topK: 0)), ("min_p", Sampling(minP: -1)),
            ("frequency_penalty", Sampling(frequencyPenalty: 3)), ("presence_penalty", Sampling(presencePenalty: -3)),
            ("repetition_penalty", Sampling(repetitionPenalty: 0)), ("max_tokens", Sampling(maxTokens: 0)),
            ("n", Sampling(choices: 0)), ("n", Sampling(choices: 1_000_000)),
            ("logit_bias", Sampling(logitBias: [-1: 1])), ("logit_bias", Sampling(logitBias: [1 << 40: 1])),
            ("logit_bias", Sampling(logitBias: [5: 101])),
        ])
        func `Values out of range are refused`(_ param: String, _ sampling: Sampling) async throws {
            let error = try await refusal { $0.sampling = sampling }
            #expect(error?.code == .invalidRequest)
            #expect(error?.param == param)
            #expect(error?.message.contains(param) == true)
        }

        @Test(arguments: [("one two ", 3000), ("x", 30_000_000)])
        func `D26: a prompt that is too long is blamed on the field that it came in`(_ word: String, _ count: Int)
            async throws
        {
            let provider = try await LocalModel.ready(LocalModel.shared)
            let text = String(repeating: word, count: count)
            #expect(try await refusal { $0.messages = [.user(text)] }?.param == "messages")
            var errors: [(GatewayError?, String)] = []
            for prompt in [.text(text), .tokens(Array(repeating: 5, count: 3000))] as [CompletionRequest.Prompt] {
                errors.append(
                    await (
                        #expect(throws: GatewayError.self) {
                            _ = try await provider.complete(
                                CompletionRequest(model: "m", prompts: [prompt]),
                                context: testContext
                            )
                        }, "prompt"
                    )
                )
            }
            for input in [.text(text), .tokens(Array(repeating: 5, count: 3000))] as [EmbeddingRequest.Input] {
                errors.append(
                    await (
                        #expect(throws: GatewayError.self) {
                            _ = try await provider.embed(
                                EmbeddingRequest(model: "m", input: [input]),
                                context: testContext
                            )
                        }, "input"
                    )
                )
            }
            for (error, param) in errors {
                #expect(error?.code == .contextLengthExceeded)
                #expect(error?.param == param)
                #expect(error?.message.contains(param) == true, "\(error?.message ?? "")")
            }
        }

        @Test func `Empty and foreign prompts are refused`() async throws {
            let provider = try await LocalModel.ready(LocalModel.shared)
            for prompts in [[], [.text("")], [.tokens([])], [.tokens([-1])], [.tokens([1 << 20])]]
                as [[CompletionRequest.Prompt]]
            {
                let refusal = await #expect(throws: GatewayError.self) {
                    let request = CompletionRequest(model: "m", prompts: prompts)
                    _ = try await provider.complete(request, context: testContext)
                }
                #expect(refusal?.code == .invalidRequest)
            }
        }
    }
}

#endif
