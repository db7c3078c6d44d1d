// Reading a provider's response whole: bounded, and turned into an error if the provider refused or failed.

extension HTTPTransportResponse {
    /// The largest response that is read whole, in bytes.
    package static let largestBody = 256 << 20

    /// Whether the body is a stream of server-sent events.
    package var isEventStream: Bool {
        guard let type = headers["content-type"] else { return false }
        return type.utf8.starts(with: "text/event-stream".utf8)
    }

    /// The whole body.
    /// - Throws: ``GatewayError/Code/malformedResponse`` if it is larger than `limit` bytes.
    package func wholeBody(limit: Int = largestBody) async throws(GatewayError) -> [UInt8] {
        guard var bytes = try await body.next() else { return [] }
        while let more = try await body.next() {
            guard bytes.count + more.count <= limit else {
                body.cancel()
                throw GatewayError(
                    .malformedResponse,
                    "The provider's response is larger than \(limit) bytes.",
                    requestWasSent: true
                )
            }
            bytes += more
        }
        return bytes
    }

    /// The body as JSON.
    /// - Throws: The provider's error if the status is not 2xx or the body is an error object.
    package func json() async throws(GatewayError) -> JSONValue {
        guard (200..<300).contains(status) else { throw await failure() }
        let bytes = try await wholeBody()
        guard let json = try? JSONValue(parsing: bytes) else {
            throw GatewayError(.malformedResponse, "The provider's response is not JSON.", requestWasSent: true)
        }
        if let error = GatewayError(openAIEvent: json) { throw error }
        return json
    }

    /// The error that a response with a failure status stands for; reads at most 64 KiB of its body.
    package func failure() async -> GatewayError {
        var bytes: [UInt8] = []
        do {
            while bytes.count < 64 << 10, let more = try await body.next() { bytes += more }
        } catch {
            if error.code == .cancelled { return error }
        }
        body.cancel()
        return GatewayError(openAIStatus: status, headers: headers, body: Array(bytes.prefix(64 << 10)))
    }
}
