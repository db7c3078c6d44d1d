// What a program says about one call besides the request itself: what belongs together, where it should go, who logs.

public import Logging

/// How one call is routed and logged. Nothing of it is sent to a provider.
///
/// ```swift
/// let options = CallOptions(sessionKey: conversation.id, tags: ["eu"])
/// let answer = try await gateway.chat(request, options: options)
/// ```
public struct CallOptions: Sendable {
    /// What calls of one session have in common, such as a conversation's id; never a credential.
    /// Policies that know sessions send them to the same deployment. Nil takes the first that the request has of
    /// `prompt_cache_key`, `metadata.session_id`, `safety_identifier` and `user`.
    public var sessionKey: String?
    /// Deployments with any of these tags are preferred; if none of them is left, all are candidates. Empty takes the
    /// request's `metadata.tags`.
    public var tags: [String]
    /// The id of the one deployment that may take the call. Default nil: the policy chooses.
    public var deployment: String?
    /// Receives what happens to the call: attempts (debug), failed ones that others follow (notice), the end (info, or
    /// warning if the call failed). Each line has the metadata `request_id` and `model`, and those about an attempt
    /// `deployment`. Default nil: nothing is logged.
    public var logger: Logger?

    /// Creates options.
    public init(
        sessionKey: String? = nil,
        tags: [String] = [],
        deployment: String? = nil,
        logger: Logger? = nil
    ) {
        self.sessionKey = sessionKey
        self.tags = tags
        self.deployment = deployment
        self.logger = logger
    }
}
