// Reads the chunks of a streamed answer of OpenAI's format: bytes in at any partition, JSON objects out.

import GatewayWire

/// Cuts a provider's event stream into chunks.
package struct OpenAIChunkReader {
    private var parser = SSEParser(reportsBlocksWithoutData: true)
    private var brokenEvents = 0
    /// Whether the stream said `[DONE]`; what follows is ignored.
    package private(set) var isDone = false

    package init() {}

    /// Takes in more bytes and returns the chunks that they complete.
    /// - Throws: The provider's own error if the stream carries one; ``GatewayError/Code/malformedResponse`` if an event
    ///   is larger than 8 MiB or more than 16 events are not JSON.
    package mutating func feed(_ bytes: [UInt8]) throws(GatewayError) -> [JSONValue] {
        var payloads: [[UInt8]] = []
        var failure: GatewayError?
        do {
            try parser.feed(bytes) { event in
                guard failure == nil else { return }
                if let data = event.data, !event.name.equals("error") {
                    payloads.append(Array(data))
                } else {
                    failure = event.upstreamError
                }
            }
        } catch {
            throw GatewayError(
                .malformedResponse,
                "The provider's event stream cannot be read: \(error).",
                requestWasSent: true
            )
        }
        var chunks: [JSONValue] = []
        for payload in payloads where !isDone && !payload.isEmpty {
            if let chunk = try chunk(payload) { chunks.append(chunk) }
        }
        if let failure, !isDone { throw failure }
        return chunks
    }

    /// What is wrong with a stream that ended too early: what an event says that was not ended, if it says something.
    package mutating func truncation() -> GatewayError {
        var error: GatewayError?
        try? parser.finish { error = $0.upstreamError }
        return error ?? .truncatedStream
    }

    private mutating func chunk(_ payload: [UInt8]) throws(GatewayError) -> JSONValue? {
        if payload.elementsEqual("[DONE]".utf8) {
            isDone = true
            return nil
        }
        guard let json = JSONValue(upstream: payload) else {
            brokenEvents += 1
            if brokenEvents > 16 {
                throw GatewayError(.malformedResponse, "The provider's events are not JSON.", requestWasSent: true)
            }
            return nil
        }
        if let error = GatewayError(upstreamEvent: json) { throw error }
        return json
    }
}
