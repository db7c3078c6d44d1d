// What routing reads from a call.

import GatewayWire

/// The properties of a call that decide where it goes.
public struct RoutingInput: Sendable {
    /// The kind of work. What calls of one kind show about a deployment says nothing about the other kinds.
    public var mode: Mode
    /// The prompt in the order in which a chat template would place it (tools, system, turns with their roles), as
    /// UTF-8. Only the first 64 KiB are looked at.
    public var text: [UInt8]
    /// What the calls of one session have in common; never a credential. A key of more than 128 bytes is
    /// replaced by its hash, so that long keys with the same beginning stay distinct.
    public var sessionKey: String? {
        didSet { sessionKey = sessionKey.map(Self.bounded) }
    }
    /// Deployments with any of these tags are preferred; if none of them is available, all are candidates.
    public var tags: [String]
    /// The prompt's estimated length in tokens; by default a quarter of the text's bytes.
    public var estimatedTokens: Int
    /// The one deployment that may take the call, if the caller insists.
    public var forcedDeployment: String?
    /// Whether the call's result says something about the deployment's health. False for auxiliary calls such as
    /// counting tokens, whose failure must not take a deployment out.
    package var countsForHealth = true

    /// Bytes of text that routing looks at.
    package static let textLimit = 65_536
    /// The longest session key, in bytes, that is kept as is.
    package static let sessionKeyLimit = 128

    /// Creates an input.
    public init(
        mode: Mode = .chat,
        text: [UInt8] = [],
        sessionKey: String? = nil,
        tags: [String] = [],
        estimatedTokens: Int? = nil,
        forcedDeployment: String? = nil
    ) {
        self.mode = mode
        self.text = text
        self.sessionKey = sessionKey.map(Self.bounded)
        self.tags = tags
        self.estimatedTokens = estimatedTokens ?? text.count / 4
        self.forcedDeployment = forcedDeployment
    }

    /// A session key of bounded size; the same in every process.
    private static func bounded(_ key: String) -> String {
        guard key.utf8.count > sessionKeyLimit else { return key }
        let hashes = [StableHash.hash(key), StableHash.hash(key, seed: 1)]
        return "hash:" + hashes.map { String($0, radix: 16) }.joined(separator: ":")
    }
}
