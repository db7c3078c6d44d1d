// The tokens of one step, in the arrays that llama.cpp reads.

#if LlamaCpp

import CLlama

/// A batch of tokens of several sequences. Used by one thread only.
final class TokenBatch {
    private(set) var batch: llama_batch
    let capacity: Int

    init(capacity: Int) {
        self.capacity = capacity
        batch = llama_batch_init(Int32(capacity), 0, 1)
        batch.n_tokens = 0
    }

    deinit {
        llama_batch_free(batch)
    }

    var count: Int { Int(batch.n_tokens) }

    func clear() { batch.n_tokens = 0 }

    /// Adds a token; the caller keeps within the capacity.
    /// - Returns: The token's index in the batch, for its output.
    @discardableResult
    func add(_ token: llama_token, position: Int, sequence: llama_seq_id, wantsOutput: Bool) -> Int32 {
        let index = Int(batch.n_tokens)
        batch.token[index] = token
        batch.pos[index] = Int32(position)
        batch.n_seq_id[index] = 1
        batch.seq_id[index]?[0] = sequence
        batch.logits[index] = wantsOutput ? 1 : 0
        batch.n_tokens += 1
        return Int32(index)
    }
}

#endif
