// Texts to vectors: computes the tokens of several texts together and takes the mean, the first or the last of each.

#if LlamaCpp

import CLlama
import ModelGateway
import Synchronization

/// Embeds with a context of its own. Used by its compute thread only.
final class Embedder {
    /// How the vectors of a text's tokens become one.
    private enum Pooling {
        case mean, first, last
    }

    /// How many texts are computed together: one alone where the same text must give the same bits.
    private let sequences: Int

    private let model: LlamaModel
    private let context: LlamaContext
    private let batch: TokenBatch
    private let pooling: Pooling
    /// Whether a token is computed without the later ones; if not, a text must be in one batch.
    private let isCausal: Bool
    private let contextLength: Int
    private let width: Int

    init(model: LlamaModel, options: LlamaOptions, contextLength: Int, threads: Int) throws(GatewayError) {
        let architecture = model.metadata("general.architecture") ?? ""
        isCausal = model.metadata("\(architecture).attention.causal") != "false" && llama_model_has_decoder(model.model)
        switch model.metadata("\(architecture).pooling_type").flatMap(Int32.init) {
        case nil, LLAMA_POOLING_TYPE_NONE.rawValue, LLAMA_POOLING_TYPE_MEAN.rawValue: pooling = .mean
        case LLAMA_POOLING_TYPE_CLS.rawValue: pooling = .first
        case LLAMA_POOLING_TYPE_LAST.rawValue: pooling = .last
        default:
            throw GatewayError(.unsupported, "The model \(model.file.name) ranks texts; it does not embed them.")
        }
        let batchSize = isCausal ? min(max(32, options.batchSize / 4), contextLength) : contextLength
        let shape = ContextShape(
            contextLength: contextLength,
            sequences: options.repeatable ? 1 : 32,
            batchSize: batchSize,
            threads: threads,
            yields: options.threads == nil,
            isRepeatable: options.repeatable,
            embeddings: true
        )
        sequences = shape.sequences
        self.model = model
        self.contextLength = contextLength
        width = Int(llama_model_n_embd_out(model.model))
        context = try LlamaContext(model: model, shape: shape)
        batch = TokenBatch(capacity: context.batchCapacity)
    }

    /// The vectors of texts, each of length 1.
    /// - Parameter isCancelled: Looked at between steps.
    func embed(_ texts: [[Int32]], isCancelled: borrowing Atomic<Bool>) throws(GatewayError) -> [[Float]] {
        var vectors: [[Float]] = []
        vectors.reserveCapacity(texts.count)
        var next = 0
        while next < texts.count {
            // As many texts as the context has room for.
            var end = next
            var tokens = 0
            while end < texts.count, end - next < sequences, tokens + texts[end].count <= roomForGroup {
                tokens += texts[end].count
                end += 1
            }
            guard end > next else {
                throw LlamaModel.tooLong("\(texts[next].count)", limit: roomForGroup, param: "input")
            }
            vectors += try embedGroup(texts[next..<end], isCancelled: isCancelled)
            next = end
        }
        return vectors
    }

    /// A causal model takes a group in portions; any other must have all of it in one batch.
    private var roomForGroup: Int { isCausal ? contextLength : batch.capacity }

    private func embedGroup(
        _ texts: ArraySlice<[Int32]>,
        isCancelled: borrowing Atomic<Bool>
    ) throws(GatewayError) -> [[Float]] {
        if let memory = context.memory { llama_memory_clear(memory, false) }
        var sums = [[Float]](repeating: [], count: texts.count)
        var pending: [(text: Int, position: Int)] = []
        batch.clear()
        for (text, tokens) in texts.enumerated() {
            for (position, token) in tokens.enumerated() {
                if batch.count == batch.capacity {
                    try compute(&sums, pending, texts, isCancelled: isCancelled)
                    pending.removeAll(keepingCapacity: true)
                }
                batch.add(token, position: position, sequence: Int32(text), wantsOutput: true)
                pending.append((text, position))
            }
        }
        if !pending.isEmpty { try compute(&sums, pending, texts, isCancelled: isCancelled) }
        return sums.map(Self.normalized)
    }

    /// Computes the batch and adds its outputs to the vectors of their texts.
    private func compute(
        _ sums: inout [[Float]],
        _ pending: [(text: Int, position: Int)],
        _ texts: ArraySlice<[Int32]>,
        isCancelled: borrowing Atomic<Bool>
    ) throws(GatewayError) {
        guard !isCancelled.load(ordering: .relaxed) else {
            throw GatewayError(.cancelled, "The call was cancelled.")
        }
        let (status, _) = context.compute(batch)
        batch.clear()
        guard status == 0 else {
            throw GatewayError(.internalError, "llama.cpp failed to compute embeddings (status \(status)).")
        }
        for (output, (text, position)) in pending.enumerated() {
            let length = texts[texts.startIndex + text].count
            switch pooling {
            case .mean: break
            case .first where position == 0: break
            case .last where position == length - 1: break
            case .first, .last: continue
            }
            guard let vector = llama_get_embeddings_ith(context.pointer, Int32(output)) else {
                throw GatewayError(.internalError, "llama.cpp gave no embedding for a token.")
            }
            if sums[text].isEmpty { sums[text] = [Float](repeating: 0, count: width) }
            for index in 0..<width { sums[text][index] += vector[index] }
        }
    }

    /// To length 1; the division of a mean is in it.
    private static func normalized(_ vector: [Float]) -> [Float] {
        let length = vector.reduce(into: Float(0)) { $0 += $1 * $1 }.squareRoot()
        return length > 0 ? vector.map { $0 / length } : vector
    }
}

#endif
