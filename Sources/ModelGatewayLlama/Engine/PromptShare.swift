// How much of the prompts a step reads while answers are being written, so that those go on smoothly.

#if LlamaCpp

/// The prompt tokens that a step may take alongside answers in progress.
///
/// On a processor the time of a step grows with its tokens: a prompt read in large portions would stop all answers for
/// a second. So the portion follows from what tokens were measured to take: a step stays within ``patience``, or within
/// twice the time of a step without prompts where that is longer. Known as chunked prefill with a time budget, as in
/// Agrawal et al. 2024, "Taming Throughput-Latency Tradeoff in LLM Inference with Sarathi-Serve".
struct PromptShare {
    /// How long a reader may wait for the next token while others' prompts are read: text at the speed of reading.
    static let patience: Duration = .milliseconds(200)
    /// Smaller portions would cost more steps than they save time.
    static let least = 16

    /// The largest portion, taken as long as nothing is measured.
    private let most: Int
    /// The time of a step that has no prompt tokens.
    private var answerStep: Average = .init()
    private var promptToken: Average = .init()

    /// - Parameter capacity: How many tokens a step takes in all.
    init(capacity: Int) {
        most = max(8, capacity / 4)
    }

    var tokens: Int {
        guard let promptToken = promptToken.value, promptToken > .zero else { return most }
        let answers = answerStep.value ?? .zero
        let fitting = max(Self.patience - answers, answers) / promptToken
        return Int(max(Double(min(Self.least, most)), min(fitting, Double(most))))
    }

    /// Takes note of a step that was computed.
    mutating func note(_ duration: Duration, promptTokens: Int, answers: Int) {
        if promptTokens == 0 {
            answerStep.add(duration)
        } else if promptTokens >= 8 {
            // The time of few tokens is mostly that of the step itself.
            let own = answers > 0 ? (answerStep.value ?? .zero) : .zero
            promptToken.add(max(duration - own, .zero) / promptTokens)
        }
    }

    /// An average that forgets: half of it is the newest value.
    private struct Average {
        private(set) var value: Duration?

        mutating func add(_ newest: Duration) {
            value = value.map { ($0 + newest) / 2 } ?? newest
        }
    }
}

#endif
