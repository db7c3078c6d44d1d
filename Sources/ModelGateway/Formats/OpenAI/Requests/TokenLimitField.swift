// How a server of OpenAI's format wants the longest answer of a conversation spelled.

import GatewayWire

/// The member of a chat completion request that bounds the answer.
///
/// OpenAI's reasoning models refuse `max_tokens`, many self-hosted engines know nothing else.
package enum TokenLimitField: String, Sendable {
    case maxTokens = "max_tokens"
    case maxCompletionTokens = "max_completion_tokens"

    /// Services that want the newer member for each of their models.
    private static let hosts: Set<String> = ["api.openai.com", "eu.api.openai.com", "us.api.openai.com"]

    /// How the ids of OpenAI's reasoning models begin, wherever they are served.
    private static let reasoningModels = ["o1", "o3", "o4", "gpt-5"]

    /// Chooses the member for a model.
    /// - Parameters:
    ///   - model: The model's id at the provider; a vendor before a slash is ignored.
    ///   - authority: The provider's host, with its port if it has one.
    package init(model: String, at authority: String) {
        let host = HTTPAuthority(authority[...]).host.lowercased()
        let name = model.lowercased().split(separator: "/").last ?? ""
        let isReasoning = Self.reasoningModels.contains { prefix in
            // `o1`, `o1-mini` and `gpt-5.1`, but not `o1000`.
            name.hasPrefix(prefix) && !(name.dropFirst(prefix.count).first?.isNumber ?? false)
        }
        self = isReasoning || Self.hosts.contains(host) ? .maxCompletionTokens : .maxTokens
    }
}
