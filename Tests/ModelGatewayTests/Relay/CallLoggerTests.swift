// That the logger of a call receives what happens to the call, and no more than its level asks for.

import Logging
import ModelGateway
import ModelGatewayTelemetry
import ModelGatewayTesting
import Testing

@Suite("The logger of a call", .timeLimit(.minutes(1)))
struct CallLoggerTests {
    private let written = Locked("")
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
            return Deployment(id: "d\(index)", provider: provider, upstreamModel: "up", priority: index)
        }
        gateway = Gateway(groups: [DeploymentGroup(model: "m", deployments: deployments)])
    }

    private func logger(_ level: Logger.Level) -> Logger {
        let written = written
        return Logger(label: "call") { label in
            GatewayLogHandler(label: label, format: .text, level: level) { line in
                written.withLock { $0 += String(decoding: line, as: UTF8.self) }
            }
        }
    }

    /// The lines without their times and without how long things took.
    private var lines: [String] {
        written.withLock { $0 }.split(separator: "\n").map { line in
            line.split(separator: " ").dropFirst()
                .filter { !$0.hasPrefix("request_id=") && !$0.hasPrefix("duration=") && !$0.hasPrefix("ttft=") }
                .filter { !$0.hasPrefix("seconds") && !$0.hasPrefix("delay=") }
                .joined(separator: " ")
        }
    }

    private func options(_ level: Logger.Level) -> CallOptions { CallOptions(logger: logger(level)) }
    private let request = ChatRequest(model: "m", messages: [.user("Hi")])

    @Test func `Attempts, failover and the end are lines with the request's id, the model and the deployment`()
        async throws
    {
        first.enqueue(.openAIError(status: 500, message: "no", code: "x"))
        _ = try await gateway.chat(request, options: options(.debug))
        let ids = Set(written.withLock { $0 }.matches(of: /request_id=(req_\S+)/).map { String($0.1) })
        #expect(ids.count == 1)
        let found = lines
        try #require(found.count == 4)
        #expect(found[0] == "debug call: The attempt starts. attempt=1 deployment=d0 model=m provider=mock")
        #expect(found[1].hasPrefix("notice call: The attempt failed; there will be another. attempt=1 "))
        #expect(found[1].contains(" deployment=d0 error=upstream_failed model=m provider=mock reason="))
        #expect(found[2] == "debug call: The attempt starts. attempt=2 deployment=d1 model=m provider=mock")
        #expect(found[3].hasPrefix("info call: The call is complete. attempts=2 deployment=d1 "))
        #expect(found[3].contains("input_tokens=5 model=m output_tokens="))
    }

    @Test func `A call that fails is a warning, and nothing is written above the logger's level`() async throws {
        for level in [Logger.Level.warning, .error] {
            first.enqueue(.openAIError(status: 400, message: "bad", code: "x"))
            _ = try? await gateway.chat(request, options: options(level))
        }
        try #require(lines.count == 1)
        #expect(lines[0].hasPrefix("warning call: The call failed. attempts=1 deployment=d0 error=invalid_request "))
    }

    @Test func `Requests in bytes have a logger too`() async throws {
        let body = Array(#"{"model":"m","messages":[{"role":"user","content":"Hi"}]}"#.utf8)
        _ = try await gateway.relay(WireRequest(.openAIChat, body: body, requestID: "mine", logger: logger(.info)))
        #expect(written.withLock { $0 }.contains("request_id=mine"))
        _ = try? await gateway.relay(WireRequest(.openAIChat, body: [1], requestID: "bad", logger: logger(.info)))
        #expect(
            lines.count == 2 && lines[1].hasPrefix("warning call: The call failed. attempts=0 error=invalid_request ")
        )
    }
}
