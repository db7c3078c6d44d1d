// Choosing the next token of an answer: penalties and biases on the logits, then llama.cpp's sampler chain.

#if LlamaCpp

import CLlama
import ModelGateway

/// The state of choosing tokens for one answer. Used by the decode thread only.
final class TokenSampler {
    private let chain: UnsafeMutablePointer<llama_sampler>?
    private let vocabularySize: Int32
    private let bias: [(token: Int, value: Float)]
    private let frequencyPenalty: Float
    private let presencePenalty: Float
    private let repetitionPenalty: Float
    /// How often each token was generated so far.
    private var generated: [Int32: Int] = [:]
    /// The tokens that the prompt has: the repetition penalty counts them too, as self-hosted engines do.
    private var prompted: Set<Int32> = []

    /// - Parameters:
    ///   - sampling: Checked values.
    ///   - choice: Which of several answers this is: each takes another seed.
    init(_ sampling: CheckedSampling, choice: Int, prompt: [Int32], vocabularySize: Int) {
        self.vocabularySize = Int32(vocabularySize)
        bias = sampling.bias
        frequencyPenalty = sampling.frequencyPenalty
        presencePenalty = sampling.presencePenalty
        repetitionPenalty = sampling.repetitionPenalty
        if sampling.repetitionPenalty != 1 { prompted = Set(prompt) }
        chain = sampling.temperature > 0 ? Self.makeChain(sampling, choice: choice) : nil
    }

    deinit {
        if let chain { llama_sampler_free(chain) }
    }

    private static func makeChain(_ sampling: CheckedSampling, choice: Int) -> UnsafeMutablePointer<llama_sampler>? {
        var parameters = llama_sampler_chain_default_params()
        parameters.no_perf = true
        guard let chain = llama_sampler_chain_init(parameters) else { return nil }
        if sampling.topK > 0 { llama_sampler_chain_add(chain, llama_sampler_init_top_k(sampling.topK)) }
        if sampling.topP < 1 { llama_sampler_chain_add(chain, llama_sampler_init_top_p(sampling.topP, 1)) }
        if sampling.minP > 0 { llama_sampler_chain_add(chain, llama_sampler_init_min_p(sampling.minP, 1)) }
        llama_sampler_chain_add(chain, llama_sampler_init_temp(sampling.temperature))
        llama_sampler_chain_add(chain, llama_sampler_init_dist(sampling.seed(choice: choice)))
        return chain
    }

    /// Chooses the token that follows, from the outputs of the last step.
    /// - Returns: Nil if the context has no logits at this index.
    func next(_ context: OpaquePointer, output: Int32) -> Int32? {
        guard let logits = llama_get_logits_ith(context, output) else { return nil }
        adjust(logits)
        let token =
            if let chain {
                llama_sampler_sample(chain, context, output)
            } else {
                modelgateway_llama_argmax(logits, vocabularySize)
            }
        if frequencyPenalty != 0 || presencePenalty != 0 || repetitionPenalty != 1 { generated[token, default: 0] += 1 }
        return token
    }

    /// Changes only the logits of tokens that a penalty or bias is about, not all of the vocabulary.
    private func adjust(_ logits: UnsafeMutablePointer<Float>) {
        for (token, value) in bias { logits[token] += value }
        // OpenAI's definition: both count the answer, not the prompt.
        for (token, count) in generated {
            logits[Int(token)] -= Float(count) * frequencyPenalty + presencePenalty
        }
        guard repetitionPenalty != 1 else { return }
        // The definition of CTRL (Keskar et al. 2019), as most engines have it.
        func penalize(_ token: Int32) {
            let logit = logits[Int(token)]
            logits[Int(token)] = logit > 0 ? logit / repetitionPenalty : logit * repetitionPenalty
        }
        for token in prompted { penalize(token) }
        for token in generated.keys where !prompted.contains(token) { penalize(token) }
    }
}

/// Sampling parameters with every value in range and llama.cpp's defaults in place of those left out.
struct CheckedSampling: Sendable {
    var temperature: Float
    var topK: Int32
    var topP: Float
    var minP: Float
    var frequencyPenalty: Float
    var presencePenalty: Float
    var repetitionPenalty: Float
    var bias: [(token: Int, value: Float)]
    var baseSeed: Int?
    var stop: [String]
    var maxTokens: Int
    var choices: Int

    /// - Throws: ``GatewayError/Code/invalidRequest`` that names the field and its range.
    init(_ sampling: Sampling, vocabularySize: Int) throws(GatewayError) {
        temperature = try Self.value(sampling.temperature, or: 0.8, in: 0...100, "temperature")
        topP = try Self.value(sampling.topP, or: 0.95, in: 0...1, "top_p")
        minP = try Self.value(sampling.minP, or: 0.05, in: 0...1, "min_p")
        frequencyPenalty = try Self.value(sampling.frequencyPenalty, or: 0, in: -2...2, "frequency_penalty")
        presencePenalty = try Self.value(sampling.presencePenalty, or: 0, in: -2...2, "presence_penalty")
        repetitionPenalty = try Self.value(sampling.repetitionPenalty, or: 1, in: 0.01...100, "repetition_penalty")
        topK = Int32(try Self.integer(sampling.topK, or: 40, in: 1...Int(Int32.max), "top_k"))
        maxTokens = try Self.integer(sampling.maxTokens, or: Int.max, in: 1...Int.max, "max_tokens")
        choices = try Self.integer(sampling.choices, or: 1, in: 1...128, "n")
        baseSeed = sampling.seed
        stop = sampling.stop
        bias = []
        for (token, value) in sampling.logitBias.sorted(by: { $0.key < $1.key }) {
            guard (0..<vocabularySize).contains(token) else {
                throw Self.outOfRange("logit_bias", "\(token)", "a token of the model, 0…\(vocabularySize - 1)")
            }
            bias.append((token, try Self.value(value, or: 0, in: -100...100, "logit_bias")))
        }
    }

    /// The seed of one of several answers; llama.cpp takes 32 bits, and all ones as "random".
    func seed(choice: Int) -> UInt32 {
        guard let baseSeed else { return UInt32.random(in: 0..<UInt32.max) }
        let seed = UInt32(truncatingIfNeeded: baseSeed &+ choice)
        return seed == UInt32.max ? 0 : seed
    }

    private static func value(
        _ value: Double?,
        or standard: Float,
        in range: ClosedRange<Double>,
        _ name: String
    ) throws(GatewayError) -> Float {
        guard let value else { return standard }
        guard range.contains(value) else {
            throw outOfRange(name, "\(value)", "\(range.lowerBound)…\(range.upperBound)")
        }
        return Float(value)
    }

    private static func integer(
        _ value: Int?,
        or standard: Int,
        in range: ClosedRange<Int>,
        _ name: String
    ) throws(GatewayError) -> Int {
        guard let value else { return standard }
        guard range.contains(value) else {
            throw outOfRange(
                name,
                "\(value)",
                "at least \(range.lowerBound)" + (range.upperBound < 1000 ? " and at most \(range.upperBound)" : "")
            )
        }
        return value
    }

    private static func outOfRange(_ name: String, _ value: String, _ range: String) -> GatewayError {
        GatewayError(
            .invalidRequest,
            "The value \(value) of \(name) is out of range: it must be \(range).",
            param: name
        )
    }
}

#endif
