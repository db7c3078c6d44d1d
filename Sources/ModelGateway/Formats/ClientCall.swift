// A client's request, decoded: what is asked of a model, and how the answer is to be delivered.

/// A request in the neutral vocabulary, with what its client wants of the answer's form.
package struct ClientCall: Sendable {
    /// What is asked of a model, by kind of work.
    package enum Work: Sendable {
        case chat(ChatRequest)
        case completion(CompletionRequest)
        case embedding(EmbeddingRequest)
    }

    package var work: Work
    package var delivery: Delivery

    package init(_ work: Work, delivery: Delivery) {
        self.work = work
        self.delivery = delivery
    }
}

/// How an answer is delivered.
package struct Delivery: Sendable, Hashable {
    /// How the numbers of vectors are spelled.
    package enum VectorEncoding: String, Sendable {
        /// Arrays of numbers.
        case float
        /// Base64 of little-endian 32-bit floats.
        case base64
    }

    /// Whether it is streamed.
    package var isStreamed: Bool
    /// Whether a stream ends with the usage.
    package var includesUsage: Bool
    /// How vectors are spelled.
    package var vectors: VectorEncoding

    package init(isStreamed: Bool = false, includesUsage: Bool = false, vectors: VectorEncoding = .float) {
        self.isStreamed = isStreamed
        self.includesUsage = includesUsage
        self.vectors = vectors
    }
}
