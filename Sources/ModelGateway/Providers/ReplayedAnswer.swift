// An answer that is there already, for what reads answers while they arrive.

extension OpenedAnswer {
    /// Wraps the events of a whole stream.
    init(replaying events: [UInt8]) {
        self.init(form: .events, first: events, body: EmptyBody())
    }
}

/// A body without anything in it.
private final class EmptyBody: ByteStream {
    func next() async throws(GatewayError) -> [UInt8]? { nil }

    func cancel() {}
}
