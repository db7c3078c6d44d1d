// That a call and its attempts are spans with the right parents, attributes and ends, and that their context goes upstream.

import InMemoryTracing
import ModelGateway
import ModelGatewayTesting
import ModelGatewayTracing
import Testing
import Tracing

@Suite("Traces of calls", .timeLimit(.minutes(1)))
struct GatewayTracingTests {
    private let tracer = TraceContextTracer()
    private let first: ScriptedEngine
    private let second: ScriptedEngine
    private let gateway: Gateway

    /// Two deployments of one model, the second of which takes calls when the first has failed.
    init() throws {
        first = try ScriptedEngine(respond: ScriptedEngine.openAI())
        second = try ScriptedEngine(respond: ScriptedEngine.openAI())
        let transport = try CurlTransport()
        let deployments = try [first, second].enumerated().map { index, engine in
            let provider = try OpenAICompatibleProvider(baseURL: engine.url, name: "mock", transport: transport)
            return Deployment(id: "d\(index)", provider: provider, upstreamModel: "up-\(index)", priority: index)
        }
        gateway = Gateway(
            groups: [DeploymentGroup(model: "m", deployments: deployments)],
            observer: CallObservers([GatewayTracing(tracer: tracer)])
        )
    }

    private var spans: [FinishedInMemorySpan] { tracer.memory.finishedSpans }

    private func text(_ span: FinishedInMemorySpan, _ name: String) -> String? {
        if case .string(let value)? = span.attributes.get(name) { value } else { nil }
    }

    private func number(_ span: FinishedInMemorySpan, _ name: String) -> Int? {
        switch span.attributes.get(name) {
        case .int64(let value)?: Int(value)
        case .int32(let value)?: Int(value)
        default: nil
        }
    }

    private let request = ChatRequest(model: "m", messages: [.user("Hi")])

    private func relay(_ headers: [HTTPHeader]) async throws -> WireResponse {
        let body = Array(#"{"model":"m","messages":[{"role":"user","content":"Hi"}]}"#.utf8)
        return try await gateway.relay(WireRequest(.openAIChat, body: body, headers: headers, requestID: "r-1"))
    }

    @Test func `A call is a child of the current span, and each attempt a child of the call`() async throws {
        first.enqueue(.openAIError(status: 500, message: "no", code: "x"))
        try await tracer.withSpan("outside") { _ in _ = try await gateway.chat(request) }
        try #require(spans.map(\.operationName) == ["chat up-0", "chat up-1", "chat m", "outside"])
        let (failed, good, call, outside) = (spans[0], spans[1], spans[2], spans[3])
        #expect(call.parentSpanID == outside.spanID && Set(spans.map(\.traceID)).count == 1)
        #expect(failed.parentSpanID == call.spanID && good.parentSpanID == call.spanID)
        #expect(failed.kind == .client && call.kind == .internal)

        #expect(text(call, "gen_ai.operation.name") == "chat" && text(call, "gen_ai.request.model") == "m")
        #expect(number(call, "gen_ai.usage.input_tokens") == 5)
        #expect(number(call, "gen_ai.usage.output_tokens").map { $0 > 0 } == true)
        #expect(number(call, "modelgateway.attempts") == 2)
        #expect(text(call, "error.type") == nil && call.status == nil)

        #expect(text(failed, "error.type") == "upstream_failed" && failed.status?.code == .error)
        #expect(number(failed, "http.response.status_code") == 500)
        #expect(text(good, "error.type") == nil && good.status == nil)
        #expect(text(good, "gen_ai.request.model") == "up-1" && text(good, "gen_ai.provider.name") == "mock")
        #expect(text(good, "server.address") == "127.0.0.1" && number(good, "server.port") == Int(second.port))
        #expect(text(good, "modelgateway.deployment") == "d1" && number(good, "modelgateway.attempt") == 2)
        #expect(number(good, "gen_ai.usage.input_tokens") == nil)
    }

    @Test func `The context of the attempt goes upstream in the place of the client's, which is the parent`()
        async throws
    {
        _ = try await relay([HTTPHeader("TraceParent", "00-client-7-01"), HTTPHeader("tracestate", "a=b")])
        try #require(spans.count == 2)
        let (attempt, call) = (spans[0], spans[1])
        #expect(call.traceID == "client" && call.parentSpanID == "7")
        #expect(text(call, "modelgateway.request_id") == "r-1")
        let sent = try #require(first.requests.first).headers.filter { $0.isNamed("traceparent") }
        #expect(sent.map(\.value) == ["00-client-\(attempt.spanID)-01"])
        #expect(first.requests.first?.header("tracestate") == "a=b")
    }

    @Test func `A call that fails ends its spans with the error`() async throws {
        for engine in [first, second] { engine.enqueue(.openAIError(status: 400, message: "bad", code: "x")) }
        let refused = await #expect(throws: GatewayError.self) { try await gateway.chat(request) }
        #expect(refused?.code == .invalidRequest)
        #expect(spans.map { text($0, "error.type") } == ["invalid_request", "invalid_request"])
        #expect(spans.last?.status?.code == .error)
        let unknown = await #expect(throws: GatewayError.self) {
            try await gateway.chat(ChatRequest(model: "other", messages: [.user("Hi")]))
        }
        #expect(unknown?.code == .modelNotFound)
        #expect(spans.last?.operationName == "chat other" && text(spans[2], "error.type") == "model_not_found")
        #expect(tracer.memory.activeSpans.isEmpty)
    }

    @Test func `A stream that its reader leaves ends its spans once, as cancelled and not as failed`() async throws {
        first.enqueue(.chatStream("one two three four", pace: .milliseconds(50)))
        for try await event in gateway.stream(request) {
            if case .text = event { break }
        }
        while !tracer.memory.activeSpans.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        #expect(spans.map { text($0, "error.type") } == ["cancelled", "cancelled"])
        #expect(spans.allSatisfy { $0.status == nil })
    }

    @Test func `Without a tracer there are no spans, and the client's context goes through`() async throws {
        let transport = try CurlTransport()
        let provider = try OpenAICompatibleProvider(baseURL: first.url, transport: transport)
        let gateway = Gateway(provider: provider, models: ["m"], observer: GatewayTracing())
        let body = Array(#"{"model":"m","messages":[{"role":"user","content":"Hi"}]}"#.utf8)
        let headers = [HTTPHeader("traceparent", "00-client-7-01")]
        _ = try await gateway.relay(WireRequest(.openAIChat, body: body, headers: headers, requestID: "r"))
        #expect(first.requests.first?.header("traceparent") == "00-client-7-01")
        #expect(spans.isEmpty)
    }
}
