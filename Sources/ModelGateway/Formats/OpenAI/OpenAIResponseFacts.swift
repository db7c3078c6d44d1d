// What a relay must know of a whole OpenAI-shaped response that passes through: its usage, and whether it is an error.

import GatewayWire

/// The facts of a response body, found in one pass.
package struct OpenAIResponseFacts: Sendable {
    /// The usage, if the provider said so.
    package var usage: Usage?
    /// The error that the body is, though its status said success.
    package var error: GatewayError?

    /// Finds the facts and checks the body's grammar.
    /// - Throws: ``GatewayError/Code/malformedResponse`` if the body is not a JSON object.
    package init(_ body: [UInt8]) throws(GatewayError) {
        do {
            try body.withBytes { bytes throws(JSONError) in try scan(bytes, body) }
        } catch {
            throw GatewayError(
                .malformedResponse,
                "The provider's response is not JSON: \(error).",
                requestWasSent: true
            )
        }
    }

    private mutating func scan(_ bytes: UnsafeRawBufferPointer, _ body: [UInt8]) throws(JSONError) {
        var scanner = JSONScanner(bytes)
        try scanner.beginObject()
        while let key = try scanner.nextMember() {
            let value = try scanner.nextValue()
            guard value.kind != .null else { continue }
            if key.equals("usage", in: bytes) {
                usage = Usage(openAI: value, in: bytes)
            } else if key.equals("error", in: bytes), let json = try? JSONValue(parsing: body) {
                error = GatewayError(openAIEvent: json)
            }
        }
        try scanner.finish()
    }
}
