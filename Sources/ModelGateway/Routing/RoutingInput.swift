// What a call tells the router about itself.

/// The properties of a call that decide where it goes.
public struct RoutingInput: Sendable {
    /// The kind of work. What calls of one kind show of a deployment says nothing about the other kinds.
    public var mode: Mode
    /// The prompt in the order in which a chat template would place it (tools, system, turns with their roles), as
    /// UTF-8. More than the first ``textLimit`` bytes is not looked at.
    public var text: [UInt8]
    /// What calls of one session have in common, at most 128 bytes; never a credential.
    public var sessionKey: String?
    /// Deployments with any of these tags are preferred; if none of them is left, all are candidates.
    public var tags: [String]
    /// The prompt's estimated length in tokens; by default a quarter of the text's bytes.
    public var estimatedTokens: Int
    /// The one deployment that may take the call, if the caller insists.
    public var forcedDeployment: String?
    /// Whether the call's result says something about the deployment's health. False for side questions such as
    /// counting tokens, whose failure must not take a deployment out.
    public var countsForHealth: Bool

    /// Bytes of text that routing looks at.
    public static let textLimit = 65_536
    /// Bytes of a session key that are used.
    public static let sessionKeyLimit = 128

    /// Creates an input.
    public init(
        mode: Mode = .chat,
        text: [UInt8] = [],
        sessionKey: String? = nil,
        tags: [String] = [],
        estimatedTokens: Int? = nil,
        forcedDeployment: String? = nil,
        countsForHealth: Bool = true
    ) {
        self.mode = mode
        self.text = text
        self.sessionKey = sessionKey
        self.tags = tags
        self.estimatedTokens = estimatedTokens ?? text.count / 4
        self.forcedDeployment = forcedDeployment
        self.countsForHealth = countsForHealth
    }
}
