// How a local model is run: context, parallelism, threads. The defaults suit a small machine.

/// How ``LlamaProvider`` runs a model.
public struct LlamaOptions: Sendable, Hashable {
    /// The context in tokens that all running sequences share; one alone may use all of it. Nil takes the length that
    /// the model was trained for, at most 8192. A larger value than the model's own is lowered to it.
    public var contextLength: Int?
    /// How many sequences are decoded together, 1…64. Default 4. More calls wait in line.
    public var parallel: Int
    /// How many calls may wait in line before further ones are refused with `GatewayError.Code.unavailable`.
    /// Default 256.
    public var queueLimit: Int
    /// Threads for computing. Nil takes one for each physical core that the process may use, and fewer while other programs
    /// use the processors: threads that wait for a held processor would hold everybody up. A number given is kept always.
    public var threads: Int?
    /// How many layers go to a GPU, if llama.cpp was built for one. Default: all.
    public var gpuLayers: Int
    /// How many prompt tokens are computed in one step, 32…8192. Default 512. While answers are being written, at most a
    /// quarter of it, and so few that the next token comes within 200 ms, or within twice its usual time if that is more.
    public var batchSize: Int
    /// Whether the same call gives the same answer each time: at temperature 0 and with a `Sampling.seed`. Default false.
    ///
    /// Sequences that are computed together do not see each other, but their number and their places in the cache decide in
    /// which order the sums of the attention are made, and so how they are rounded: with the small model logits move by up
    /// to 0.75, and now and then another token wins. If this is true, calls are computed one after the other, as with
    /// ``parallel`` 1, and each prompt from its beginning. On another processor, and with another version of llama.cpp,
    /// answers may still differ.
    public var repeatable: Bool

    /// Creates a set of options.
    public init(
        contextLength: Int? = nil,
        parallel: Int = 4,
        queueLimit: Int = 256,
        threads: Int? = nil,
        gpuLayers: Int = .max,
        batchSize: Int = 512,
        repeatable: Bool = false
    ) {
        self.contextLength = contextLength
        self.parallel = parallel
        self.queueLimit = queueLimit
        self.threads = threads
        self.gpuLayers = gpuLayers
        self.batchSize = batchSize
        self.repeatable = repeatable
    }
}
