// What a program says about one call beside the request itself: what belongs together, and where it should go.

/// How one call is routed. Nothing of it is sent to a provider.
///
/// ```swift
/// let options = CallOptions(sessionKey: conversation.id, tags: ["eu"])
/// let answer = try await gateway.chat(request, options: options)
/// ```
public struct CallOptions: Sendable, Hashable {
    /// What calls of one session have in common, such as a conversation's id; never a credential.
    /// Policies that know sessions send them to the same deployment. Nil takes the first that the request has of
    /// `prompt_cache_key`, `metadata.session_id`, `safety_identifier` and `user`.
    public var sessionKey: String?
    /// Deployments with any of these tags are preferred; if none of them is left, all are candidates. Empty takes the
    /// request's `metadata.tags`.
    public var tags: [String]
    /// The id of the one deployment that may take the call. Default nil: the policy chooses.
    public var deployment: String?

    /// Creates options.
    public init(sessionKey: String? = nil, tags: [String] = [], deployment: String? = nil) {
        self.sessionKey = sessionKey
        self.tags = tags
        self.deployment = deployment
    }
}
