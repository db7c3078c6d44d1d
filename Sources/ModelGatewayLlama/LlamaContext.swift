// A llama.cpp context with its own thread pool: the memory and the machinery to compute tokens of one model.

#if LlamaCpp

import CLlama
import ModelGateway

/// What a context is made for.
struct ContextShape {
    var contextLength: Int
    var sequences: Int
    var batchSize: Int
    var threads: Int
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
                "The model \(model.file.name) got no context of \(shape.contextLength) tokens: "
                    + "\(errors.last ?? "not enough memory"). A smaller context length may help."
            )
        }
        pointer = created
        memory = llama_get_memory(created)
        batchCapacity = Int(min(llama_n_batch(created), llama_n_ubatch(created)))
        threadPool = EndOfProcess.guarding { modelgateway_llama_threadpool_new(Int32(shape.threads)) }
        if let threadPool { llama_attach_threadpool(created, threadPool, threadPool) }
    }

    deinit {
        EndOfProcess.guarding {
            llama_free(pointer)
            modelgateway_llama_threadpool_free(threadPool)
        }
    }
}

#endif
