// How long an attempt may take.

/// Limits of time for one attempt on a deployment. Zero means no limit.
public struct Timeouts: Sendable, Hashable {
    /// Name resolution, TCP connect and TLS handshake together. Default 5 s.
    public var connect: Duration
    /// From the request being sent to the first byte of the response. Default 60 s.
    public var firstByte: Duration
    /// Between two reads of the response body. Default 60 s. Time during which the consumer holds the body back does not count.
    public var idle: Duration
    /// The whole attempt, from start to the last byte. Default 600 s.
    public var total: Duration

    /// Creates a set of limits.
    public init(
        connect: Duration = .seconds(5),
        firstByte: Duration = .seconds(60),
        idle: Duration = .seconds(60),
        total: Duration = .seconds(600)
    ) {
        self.connect = connect
        self.firstByte = firstByte
        self.idle = idle
        self.total = total
    }
}
