// A llama.cpp context with its own thread pool: the memory and the machinery to compute tokens of one model.

#if LlamaCpp

import CLlama
import ModelGateway

/// What a context is made for.
struct ContextShape {
    var contextLength: Int
    var sequences: Int
    var batchSize: Int
    /// The most threads that a step gets.
    var threads: Int
    /// Whether a step takes fewer threads while other programs need the processors.
    var yields: Bool
    /// Whether the same tokens must give the same bits.
    var isRepeatable: Bool
    var embeddings: Bool
}

/// A context, used by one thread at a time.
///
/// Unchecked because of the C pointers: the owner confines the context to its compute thread.
final class LlamaContext: @unchecked Sendable {
    let model: LlamaModel
    let pointer: OpaquePointer
    /// The cache of computed tokens; nil for encoders, which have none.
    let memory: llama_memory_t?
    /// How many tokens one step takes at most: llama.cpp lowers the wished size to the context's length, and ends the
    /// process for a batch that is larger.
    let batchCapacity: Int
    private let threadPool: OpaquePointer?
    private let watch: ThreadWatch?

    /// - Throws: ``GatewayError/Code/modelLoadFailed`` if there is not enough memory, or the model has no use for a context.
    init(model: LlamaModel, shape: ContextShape) throws(GatewayError) {
        self.model = model
        var parameters = llama_context_default_params()
        parameters.n_ctx = UInt32(shape.contextLength)
        parameters.n_seq_max = UInt32(shape.sequences)
        parameters.n_batch = UInt32(shape.batchSize)
        parameters.n_ubatch = UInt32(shape.batchSize)
        parameters.n_threads = Int32(shape.threads)
        parameters.n_threads_batch = Int32(shape.threads)
        parameters.kv_unified = true
        parameters.no_perf = true
        // The fused attention of llama.cpp divides its sums by the number of threads and by where the tokens are kept.
        if shape.isRepeatable { parameters.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED }
        if shape.embeddings {
            parameters.embeddings = true
            parameters.pooling_type = LLAMA_POOLING_TYPE_NONE
        }
        let (created, errors) = LlamaLog.capturingErrors {
            EndOfProcess.guarding { llama_init_from_model(model.model, parameters) }
        }
        guard let created else {
            throw GatewayError(
                .modelLoadFailed,
                "The model \(model.file.name) cannot get a context of \(shape.contextLength) tokens: "
                    + "\(errors.last ?? "not enough memory"). A smaller context length may help."
            )
        }
        pointer = created
        memory = llama_get_memory(created)
        batchCapacity = Int(min(llama_n_batch(created), llama_n_ubatch(created)))
        threadPool = EndOfProcess.guarding { modelgateway_llama_threadpool_new(Int32(shape.threads)) }
        if let threadPool { llama_attach_threadpool(created, threadPool, threadPool) }
        watch = shape.yields ? ThreadWatch(threads: shape.threads) : nil
        if let watch {
            // The context keeps the watch alive for as long as llama.cpp may ask it.
            llama_set_abort_callback(created, mustYield, Unmanaged.passUnretained(watch).toOpaque())
        }
    }

    /// Computes a batch when its turn comes.
    /// - Returns: The status of llama.cpp, and how long it took once it was its turn.
    func compute(_ batch: TokenBatch) -> (status: Int32, duration: Duration) {
        ComputeTurn.take {
            let start = MonotonicInstant.now
            var status: Int32
            repeat {
                if let watch {
                    let threads = Int32(watch.begin())
                    llama_set_n_threads(pointer, threads, threads)
                }
                status = memory == nil ? llama_encode(pointer, batch.batch) : llama_decode(pointer, batch.batch)
                // Given up for others' sake: the context is as before, and fewer threads do it.
            } while status == Self.givenUp
            return (status, MonotonicInstant.now - start)
        }
    }

    /// What llama.cpp says of a step that its caller ended.
    private static let givenUp: Int32 = 2

    deinit {
        EndOfProcess.guarding {
            llama_free(pointer)
            modelgateway_llama_threadpool_free(threadPool)
        }
    }
}

private func mustYield(_ watch: UnsafeMutableRawPointer?) -> Bool {
    guard let watch else { return false }
    return Unmanaged<ThreadWatch>.fromOpaque(watch).takeUnretainedValue().mustYield()
}

#endif
