// Asking for the usage of a stream, of upstreams that may not know the question.

internal import Synchronization

/// Remembers for the life of a provider whether its upstream refused to be asked for the usage of a stream.
final class StreamUsageRefusal: Sendable {
    private let flag = Atomic(false)

    /// Whether the upstream refused.
    var wasSeen: Bool {
        get { flag.load(ordering: .relaxed) }
        set { flag.store(newValue, ordering: .relaxed) }
    }
}

extension RelayingProvider {
    /// Sends a request that the upstream must accept, and sends it once more if it was refused because of a question
    /// that nobody but the gateway asked: the one for the usage of a stream. That is the same attempt, not another one.
    /// - Parameters:
    ///   - asksForUsage: Whether the gateway adds the question. What a client asks itself is the client's affair.
    ///   - body: The request's body with the question or without it.
    /// - Returns: A response with a status of success.
    /// - Throws: What the upstream says of a request that it refuses for other reasons.
    func relay(
        mode: Mode,
        context: AttemptContext,
        asksForUsage: Bool,
        body: (_ asksForUsage: Bool) -> [UInt8]
    ) async throws(GatewayError) -> HTTPTransportResponse {
        let response = try await relay(body(asksForUsage), mode: mode, context: context)
        if (200..<300).contains(response.status) { return response }
        let refusal = await response.failure()
        guard asksForUsage, refusal.namesStreamOptions || refusal.complainsOfUnknownFields else { throw refusal }
        if refusal.namesStreamOptions { streamUsageWasRefused() }
        let second = try await relay(body(false), mode: mode, context: context)
        guard (200..<300).contains(second.status) else { throw await second.failure() }
        streamUsageWasRefused()
        return second
    }
}

extension GatewayError {
    /// Whether an upstream refused a request and named the member that asks for usage.
    fileprivate var namesStreamOptions: Bool { refusalMentions(["stream_options", "include_usage"]) }

    /// Whether an upstream refused a request because of members that it does not know, which may be ours.
    fileprivate var complainsOfUnknownFields: Bool {
        refusalMentions(["unknown", "unrecognized", "unrecognised", "unexpected", "extra", "additional propert"])
    }

    private func refusalMentions(_ words: [String]) -> Bool {
        guard let upstream, upstream.status == 400 || upstream.status == 422 else { return false }
        let text = String(decoding: upstream.body, as: UTF8.self).lowercased()
        return words.contains { text.contains($0) }
    }
}
