// What the gateway must know of a request whose bytes may pass through.

/// The facts of one request, found in its bytes in one pass and without copies.
package protocol CallFacts: Sendable {
    /// The public name of the model.
    var model: String { get }

    /// Whether the answer is to be streamed.
    var isStreamed: Bool { get }

    /// Whether the client wants the usage at the end of its stream.
    var wantsStreamUsage: Bool { get }

    /// The key that keeps a session's calls together, from the first field that has one.
    func sessionKey(in body: [UInt8]) -> String?

    /// The tags that choose among deployments.
    func tags(in body: [UInt8]) -> [String]

    /// The prompt as UTF-8 in the order in which a chat template places it: tools, then the turns with their roles.
    /// - Parameter limit: As many bytes as are needed.
    func routingText(in body: [UInt8], limit: Int) -> [UInt8]

    /// Whether the request asks for nothing, so that an empty answer is right.
    func asksForNothing(in body: [UInt8]) -> Bool

    /// The body for an upstream of the same format, all other bytes as they came.
    /// - Parameters:
    ///   - body: The body that the facts were found in.
    ///   - model: The model's id at the provider.
    ///   - asksForUsage: Whether a stream must end with the usage, also if the client did not ask for it.
    func rewritten(_ body: [UInt8], model: String, asksForUsage: Bool) -> [UInt8]
}
