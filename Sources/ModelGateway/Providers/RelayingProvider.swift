// Providers that pass the bytes of a wire format through.

/// A provider that can take a request's bytes as the client wrote them, because it speaks the client's format.
public protocol RelayingProvider: Provider {
    /// Whether requests of this format and mode can go through as bytes.
    func relays(_ format: WireFormat, mode: Mode) -> Bool

    /// Whether a stream ends with the usage when `stream_options.include_usage` asks for it. If not, the gateway does not
    /// ask.
    var reportsStreamUsage: Bool { get }

    /// Is told that the upstream refused a request because the gateway asked for the usage of a stream: from then on
    /// ``reportsStreamUsage`` should be false. By default nothing happens, and each stream is asked twice.
    func streamUsageWasRefused()

    /// Sends a body that is in the provider's format already, its model id replaced by the gateway, and returns the
    /// response as it comes, whatever its status.
    func relay(
        _ body: [UInt8],
        mode: Mode,
        context: AttemptContext
    ) async throws(GatewayError) -> HTTPTransportResponse
}

extension RelayingProvider {
    public func streamUsageWasRefused() {}
}
