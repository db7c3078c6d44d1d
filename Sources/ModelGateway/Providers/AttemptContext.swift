// What a provider must know of an attempt.

/// What a provider needs to know about one attempt besides the request itself.
public struct AttemptContext: Sendable {
    /// The model's id at the provider, which replaces the public name.
    public var upstreamModel: String
    /// The id of the call, sent upstream as `x-request-id`.
    public var requestID: String
    /// The limits of time for this attempt.
    public var timeouts: Timeouts
    /// Header lines of the client that go upstream unchanged, such as `openai-beta`.
    public var headers: [HTTPHeader]

    /// Creates a context.
    public init(
        upstreamModel: String,
        requestID: String,
        timeouts: Timeouts = Timeouts(),
        headers: [HTTPHeader] = []
    ) {
        self.upstreamModel = upstreamModel
        self.requestID = requestID
        self.timeouts = timeouts
        self.headers = headers
    }
}
