// Makes the times of whole answers comparable with the times to the first token of streamed ones.

/// Estimates when the first token of a whole answer would have come if it had been streamed.
///
/// A whole answer only tells when its last token was there. Reading the prompt took a share of that time which follows
/// from the tokens: one of the answer costs about as much as sixteen of the prompt. Streamed answers tell both times, and
/// with each the estimate comes closer to how it is in this group.
struct AnswerPace: Sendable {
    private static let promptTokensPerAnswerToken = 16.0
    // The time of a very short prompt is not the prompt's.
    static let shortestPrompt = 64
    private static let smoothing = 0.1

    /// How much later the first token comes than the tokens let expect; nil before the first streamed answer.
    private var correction: Double?

    /// Learns from a streamed answer that came whole.
    mutating func learn(first: Double, total: Double, promptTokens: Int, completionTokens: Int) {
        guard first > 0, total > 0, completionTokens > 0 else { return }
        let found = first / (total * Self.share(promptTokens, completionTokens))
        correction = correction.map { $0 + Self.smoothing * (found - $0) } ?? found
    }

    /// The time to the first token of an answer that came whole after a time.
    func timeToFirstToken(total: Double, promptTokens: Int, completionTokens: Int) -> Double {
        // Vectors, and what a provider does not count, come with the end of the prompt.
        guard completionTokens > 0 else { return total }
        return min(total, total * Self.share(promptTokens, completionTokens) * (correction ?? 1))
    }

    private static func share(_ promptTokens: Int, _ completionTokens: Int) -> Double {
        let prompt = Double(max(promptTokens, shortestPrompt))
        return prompt / (prompt + promptTokensPerAnswerToken * Double(completionTokens))
    }
}
