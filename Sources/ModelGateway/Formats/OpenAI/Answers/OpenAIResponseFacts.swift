// What a relay must know of a whole OpenAI-shaped response that passes through: its usage, and whether it is an answer.

import GatewayWire

/// The facts of a response body, found in one pass.
package struct OpenAIResponseFacts: Sendable {
    /// The usage, if the provider said so.
    package private(set) var usage: Usage?

    private var hasAnswer = false
    private var mayBeError = false

    /// Finds the facts and checks the body's grammar.
    /// - Parameters:
    ///   - body: The body of a response with a status of success.
    ///   - mode: What was asked for.
    ///   - mayBeEmpty: Whether an answer without anything in it is right, because nothing was asked.
    /// - Throws: The error that the body is, though its status said success; ``GatewayError/Code/malformedResponse`` if
    ///   it is not JSON or there is no answer in it.
    package init(_ body: [UInt8], mode: Mode, mayBeEmpty: @autoclosure () -> Bool = false) throws(GatewayError) {
        do {
            try body.withBytes { bytes throws(JSONError) in try scan(bytes, mode) }
        } catch {
            // Some providers put a list around their errors.
            if let json = try? JSONValue(parsing: body), let error = GatewayError(upstreamEvent: json) { throw error }
            throw GatewayError(
                .malformedResponse,
                "The provider's response is not JSON: \(error).",
                requestWasSent: true
            )
        }
        guard mayBeError || !hasAnswer else { return }
        let json = try JSONValue(parsing: body)
        if let error = GatewayError(upstreamEvent: json) { throw error }
        guard hasAnswer || mayBeEmpty() else { throw GatewayError(upstreamWithoutAnswer: json) }
    }

    /// Finds the facts of a body, and mends the body first if not all of it is UTF-8.
    /// - Throws: What ``init(_:mode:mayBeEmpty:)`` throws.
    package static func reading(
        _ body: [UInt8],
        mode: Mode,
        mayBeEmpty: @autoclosure () -> Bool = false
    ) throws(GatewayError) -> (body: [UInt8], facts: OpenAIResponseFacts) {
        do {
            return (body, try OpenAIResponseFacts(body, mode: mode, mayBeEmpty: mayBeEmpty()))
        } catch {
            guard let mended = MendedText.mended(body) else { throw error }
            return (mended, try OpenAIResponseFacts(mended, mode: mode, mayBeEmpty: mayBeEmpty()))
        }
    }

    private mutating func scan(_ bytes: UnsafeRawBufferPointer, _ mode: Mode) throws(JSONError) {
        var scanner = JSONScanner(bytes)
        try scanner.beginObject()
        while let key = try scanner.nextMember() {
            let isAnswer = mode == .embedding ? key.equals("data", in: bytes) : key.equals("choices", in: bytes)
            if isAnswer, try scanner.peekKind() == .array {
                try scanAnswers(&scanner, mode)
                continue
            }
            let value = try scanner.nextValue()
            guard value.kind != .null else { continue }
            if key.equals("usage", in: bytes) {
                usage = Usage(openAI: value, in: bytes)
            } else if key.equals("error", in: bytes)
                || key.equals("object", in: bytes) && value.equals("error", in: bytes)
            {
                mayBeError = true
            }
        }
        try scanner.finish()
    }

    private mutating func scanAnswers(_ scanner: inout JSONScanner, _ mode: Mode) throws(JSONError) {
        try scanner.beginArray()
        while try scanner.nextElement() {
            if mode == .embedding {
                if try scanner.nextValue().kind == .object { hasAnswer = true }
            } else if try OpenAIChoiceFacts(&scanner).hasContent {
                hasAnswer = true
            }
        }
    }
}
