// Vectors of texts: length, likeness, batches, limits.

#if LlamaCpp

import ModelGateway
import ModelGatewayLlama
import Testing

extension LocalModelTests {
    @Suite(.timeLimit(.minutes(5))) struct EmbeddingTests {
        private func embed(_ texts: [String]) async throws -> EmbeddingResponse {
            let provider = try await LocalModel.ready(LocalModel.shared)
            return try await provider.embed(EmbeddingRequest(model: "m", texts: texts), context: testContext)
        }

        private func likeness(_ first: [Float], _ second: [Float]) -> Float {
            zip(first, second).reduce(0) { $0 + $1.0 * $1.1 }
        }

        @Test func `Like texts have like vectors`() async throws {
            let vectors = try await embed([
                "A cat sleeps on the sofa.", "A kitten is napping on the couch.",
                "The stock market fell sharply today.",
            ]).embeddings
            #expect(vectors.map(\.count) == [576, 576, 576])
            for vector in vectors { #expect(abs(likeness(vector, vector) - 1) < 0.001) }
            #expect(likeness(vectors[0], vectors[1]) > likeness(vectors[0], vectors[2]))
        }

        @Test func `A batch gives what each text gives alone`() async throws {
            let texts = (0..<40).map { "This is text number \($0), " + String(repeating: "and on ", count: $0) }
            let together = try await embed(texts)
            #expect(together.embeddings.count == 40)
            for index in [0, 17, 39] {
                let alone = try await embed([texts[index]])
                #expect(likeness(alone.embeddings[0], together.embeddings[index]) > 0.999)
            }
            #expect((together.usage?.promptTokens ?? 0) > 400)
            #expect(together.usage?.completionTokens == 0)
        }

        @Test func `A text longer than a batch is embedded`() async throws {
            let vector = try #require(try await embed([String(repeating: "a long text ", count: 400)]).embeddings.first)
            #expect(abs(likeness(vector, vector) - 1) < 0.001)
        }

        @Test func `What cannot be embedded is refused`() async throws {
            let provider = try await LocalModel.ready(LocalModel.shared)
            for (request, code) in [
                (EmbeddingRequest(model: "m", texts: []), .invalidRequest),
                (EmbeddingRequest(model: "m", texts: [""]), .invalidRequest),
                (EmbeddingRequest(model: "m", input: [.tokens([-5])]), .invalidRequest),
                (EmbeddingRequest(model: "m", texts: ["x"], dimensions: 64), .unsupported),
                (
                    EmbeddingRequest(model: "m", texts: [String(repeating: "word ", count: 3000)]),
                    .contextLengthExceeded
                ),
            ] as [(EmbeddingRequest, GatewayError.Code)] {
                let error = await #expect(throws: GatewayError.self) {
                    _ = try await provider.embed(request, context: testContext)
                }
                #expect(error?.code == code)
            }
        }
    }
}

#endif
