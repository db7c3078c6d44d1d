// Spans of swift-distributed-tracing for calls and their attempts, by the semantic conventions for generative AI.

public import ModelGateway
public import Tracing

/// Makes a span for each call and a child of it for each attempt.
///
/// Give it to a gateway as its observer, alone or among others:
///
/// ```swift
/// InstrumentationSystem.bootstrap(tracer)
/// let gateway = try Gateway(configuration: configuration, observer: CallObservers([GatewayTracing(), metrics]))
/// ```
/// The span of a call has the kind `internal` and is a child of the task's current span; if there is none, of the one that
/// the client's headers name. The span of an attempt has the kind `client`, and the tracer puts its context into the
/// headers that go upstream, such as `traceparent`, in the place of the client's. The attributes are those of
/// OpenTelemetry's semantic conventions for generative AI; tokens stand at the call only, so that sums are right:
///
/// | attribute | call | attempt |
/// |---|---|---|
/// | `gen_ai.operation.name` | `chat`, `text_completion`, `embeddings` | the same |
/// | `gen_ai.request.model` | the public name of the model | its id at the provider |
/// | `gen_ai.request.stream` | true if the answer is streamed | |
/// | `gen_ai.usage.input_tokens`, `gen_ai.usage.output_tokens` | as the provider reported them | |
/// | `gen_ai.provider.name` | | the provider's name |
/// | `server.address`, `server.port` | | where the provider's API is |
/// | `http.response.status_code` | | of an answer that was an error |
/// | `error.type` | the code of the error | the code of the error |
/// | `modelgateway.request_id`, `modelgateway.attempts` | the call's id, the attempts that were made | |
/// | `modelgateway.deployment`, `modelgateway.attempt` | | the deployment's id, which attempt of the call it was |
///
/// A call that is cancelled has `error.type` `cancelled` and no status, since nothing failed.
public struct GatewayTracing: CallObserver, CallTracer {
    private let fixed: (any Tracer)?

    /// Creates the observer.
    /// - Parameter tracer: What makes the spans. Default nil: the tracer that the program gave to
    ///   `InstrumentationSystem.bootstrap`, or that the task is bound to.
    public init(tracer: (any Tracer)? = nil) {
        fixed = tracer
    }

    public var tracer: (any CallTracer)? { self }

    public func callFinished(_ record: CallRecord) {}

    public func callStarted(_ call: CallStart) -> (any CallTrace)? {
        let tracer = fixed ?? InstrumentationSystem.tracer
        if tracer is NoOpTracer { return nil }
        return Self.trace(call, with: tracer)
    }

    private static func trace<Maker: Tracer>(_ call: CallStart, with tracer: Maker) -> any CallTrace {
        var context = ServiceContext.current ?? .topLevel
        if context.isEmpty, !call.headers.isEmpty {
            tracer.extract(call.headers, into: &context, using: HeaderExtractor())
        }
        let span = tracer.startSpan("\(call.mode.operation) \(call.model)", context: context, ofKind: .internal)
        span.updateAttributes { attributes in
            attributes["gen_ai.operation.name"] = call.mode.operation
            attributes["gen_ai.request.model"] = call.model
            if call.isStreamed { attributes["gen_ai.request.stream"] = true }
            attributes["modelgateway.request_id"] = call.requestID
        }
        return CallSpan(tracer: tracer, span: span, operation: call.mode.operation)
    }
}

/// The span of a call.
private struct CallSpan<Maker: Tracer>: CallTrace {
    let tracer: Maker
    let span: Maker.Span
    let operation: String

    func attemptStarted(_ attempt: AttemptStart) -> any AttemptTrace {
        let child = tracer.startSpan("\(operation) \(attempt.upstreamModel)", context: span.context, ofKind: .client)
        child.updateAttributes { attributes in
            attributes["gen_ai.operation.name"] = operation
            attributes["gen_ai.request.model"] = attempt.upstreamModel
            attributes["gen_ai.provider.name"] = attempt.provider
            attributes["modelgateway.deployment"] = attempt.deployment
            attributes["modelgateway.attempt"] = attempt.number
            if let address = attempt.serverAddress { attributes["server.address"] = address }
            if let port = attempt.serverPort { attributes["server.port"] = port }
        }
        var headers: [HTTPHeader] = []
        tracer.inject(child.context, into: &headers, using: HeaderInjector())
        return AttemptSpan(span: child, headers: headers)
    }

    func callFinished(_ record: CallRecord, error: GatewayError?) {
        span.updateAttributes { attributes in
            attributes["modelgateway.attempts"] = record.attempts
            if let usage = record.usage {
                attributes["gen_ai.usage.input_tokens"] = usage.promptTokens
                attributes["gen_ai.usage.output_tokens"] = usage.completionTokens
            }
        }
        span.end(after: error)
    }
}

/// The span of an attempt.
private struct AttemptSpan<Kind: Span>: AttemptTrace {
    let span: Kind
    let headers: [HTTPHeader]

    func attemptFinished(error: GatewayError?) {
        if let status = error?.upstream?.status { span.attributes["http.response.status_code"] = status }
        span.end(after: error)
    }
}

extension Span {
    fileprivate func end(after error: GatewayError?) {
        if let error {
            attributes["error.type"] = error.code.rawValue
            if error.code != .cancelled { setStatus(SpanStatus(code: .error, message: error.message)) }
        }
        end()
    }
}

extension Mode {
    /// What the conventions call it.
    fileprivate var operation: String {
        switch self {
        case .completion: "text_completion"
        case .embedding: "embeddings"
        default: rawValue
        }
    }
}
