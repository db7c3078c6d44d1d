// A wire dialect as a value: its endpoints, its requests, its answers, its streams and its errors.

/// A dialect in which clients ask and upstreams answer.
///
/// It is pure: bytes and values of the neutral vocabulary in, the other out, and no I/O. The same bytes pass through
/// where client and upstream speak the same format; elsewhere a client's request is decoded once a call and encoded for
/// each attempt, and the answer's events are written in the client's format.
package protocol Format: Sendable {
    /// The name in configurations, records and messages.
    var name: WireFormat { get }

    /// The paths on which clients call.
    var endpoints: [Endpoint] { get }

    /// Whether a line of a client's header goes upstream with the call, such as one that switches a feature on.
    func goesUpstream(_ header: HTTPHeader) -> Bool

    // MARK: Requests

    /// What the gateway must know of a request before it chooses where the call goes, found in one pass.
    /// - Throws: ``GatewayError/Code/invalidRequest``.
    func facts(of body: [UInt8], at endpoint: Endpoint) throws(GatewayError) -> any CallFacts

    /// A request in the neutral vocabulary.
    /// - Throws: ``GatewayError/Code/invalidRequest`` that names the field.
    func call(of body: [UInt8], at endpoint: Endpoint) throws(GatewayError) -> ClientCall

    // MARK: Answers that pass through

    /// What a whole answer used, and the answer itself, mended where it is not all UTF-8.
    /// - Parameter mayBeEmpty: Whether an answer without anything in it is right, because nothing was asked.
    /// - Throws: The error that the body is, though its status said success; ``GatewayError/Code/malformedResponse``.
    func checked(
        _ answer: [UInt8],
        at endpoint: Endpoint,
        mayBeEmpty: () -> Bool
    ) throws(GatewayError) -> (body: [UInt8], usage: Usage?)

    /// A whole answer as the stream that a client asked for, from its first event to its end mark.
    /// - Parameter head: What stands for what the upstream left out.
    func stream(of answer: JSONValue, at endpoint: Endpoint, head: AnswerHead) throws(GatewayError) -> [UInt8]

    /// What puts a stream together into the whole answer that a client asked for.
    func assembly(at endpoint: Endpoint) -> any AnswerAssembly

    /// What looks at the events of a stream on their way through.
    func inspector(at endpoint: Endpoint) -> any EventInspector

    // MARK: Answers that are written

    /// A whole answer.
    func body(of response: ChatResponse, to call: ClientCall, at endpoint: Endpoint) -> [UInt8]

    /// Vectors.
    func body(of response: EmbeddingResponse, to call: ClientCall, at endpoint: Endpoint) -> [UInt8]

    /// What writes a stream.
    /// - Parameter head: What stands for what the events do not bring.
    func encoder(for delivery: Delivery, at endpoint: Endpoint, head: AnswerHead) -> any StreamEncoder

    /// The head of an answer to a client whose upstream names none.
    func answerHead(model: String, at endpoint: Endpoint) -> AnswerHead

    // MARK: Streams

    /// How streams are framed.
    var framing: StreamFraming { get }

    // MARK: Errors

    /// The body of an error response.
    func body(of error: GatewayError) -> [UInt8]

    /// What tells of an error in a stream that has begun already.
    func event(of error: GatewayError) -> [UInt8]
}

extension Format {
    /// Whether a request asks for a stream; false if it cannot be read.
    package func asksForStream(_ body: [UInt8], at endpoint: Endpoint) -> Bool {
        (try? facts(of: body, at: endpoint))?.isStreamed ?? false
    }
}

/// How the stream of an answer is framed.
package struct StreamFraming: Sendable {
    /// The header lines of a stream. Nothing between here and the client may hold a stream back or keep it.
    package let headers: [HTTPHeader]
    /// What shows a client and the proxies before it that a silent stream lives.
    package let keepAlive: [UInt8]
    /// What a whole stream ends with; empty if its last event says so.
    package let endMark: [UInt8]

    /// Server-sent events (WHATWG HTML §9.2).
    package static func events(endMark: [UInt8]) -> StreamFraming {
        StreamFraming(
            headers: [
                HTTPHeader("content-type", "text/event-stream"),
                HTTPHeader("cache-control", "no-store"),
                HTTPHeader("x-accel-buffering", "no"),
            ],
            keepAlive: Array(": keepalive\n\n".utf8),
            endMark: endMark
        )
    }
}
