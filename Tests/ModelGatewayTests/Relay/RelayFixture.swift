// A gateway in front of scripted engines, and short ways to call it and to look at what came back.

import ModelGateway
import ModelGatewayTesting

/// A gateway with one deployment for each scripted engine, named `engine-0`, `engine-1`, …
struct RelayFixture {
    let engines: [ScriptedEngine]
    let gateway: Gateway
    let observer = RecordingObserver()
    private let kind: TransportKind

    init(
        _ kind: TransportKind = .curl,
        engines count: Int = 1,
        upstreamModel: String = "upstream-model",
        timeouts: Timeouts = Timeouts(),
        reportsStreamUsage: Bool = true
    ) throws {
        self.kind = kind
        let transport = try kind.make()
        var engines: [ScriptedEngine] = []
        var deployments: [Deployment] = []
        for index in 0..<count {
            let engine = try ScriptedEngine()
            engines.append(engine)
            let provider = try OpenAICompatibleProvider(
                baseURL: engine.url,
                apiKey: "upstream-key",
                reportsStreamUsage: reportsStreamUsage,
                transport: transport
            )
            deployments.append(
                Deployment(
                    id: "engine-\(index)",
                    provider: provider,
                    upstreamModel: upstreamModel,
                    timeouts: timeouts
                )
            )
        }
        self.engines = engines
        gateway = Gateway(
            groups: [DeploymentGroup(model: "public", deployments: deployments)],
            observer: observer,
            preferredExecutor: transport.preferredExecutor
        )
    }

    var engine: ScriptedEngine { engines[0] }

    /// Sends a chat completion request and returns the response.
    func relay(
        _ body: String,
        mode: Mode = .chat,
        headers: [HTTPHeader] = [],
        caller: Caller = .client
    ) async throws(GatewayError) -> WireResponse {
        try await gateway.relay(
            WireRequest(
                Endpoint.first(for: mode) ?? .openAIChat,
                body: Array(body.utf8),
                headers: headers,
                requestID: "req-1",
                caller: caller
            )
        )
    }

    /// Sends a streamed request and returns everything that the client would get.
    func stream(_ body: String = Self.streamRequest) async throws(GatewayError) -> String {
        try await text(of: relay(body))
    }

    /// The whole body as text: pulled from the one transport, and from the other handed over as it comes, with stops.
    func text(of response: WireResponse) async throws(GatewayError) -> String {
        guard kind == .eventLoop, case .stream(let stream) = response.body else { return try await response.text() }
        let received = Locked<(bytes: [UInt8], batches: Int)>(([], 0))
        let receive: BodyReceiver = { bytes, _ in
            received.withLock { received in
                received.bytes += bytes
                received.batches += 1
                return received.batches % 3 != 0
            }
        }
        while try await !stream.forward(to: receive) {}
        return String(decoding: received.withLock { $0.bytes }, as: UTF8.self)
    }

    static let streamRequest = #"{"model":"public","messages":[{"role":"user","content":"Hi"}],"stream":true}"#
    static let plainRequest = #"{"model":"public","messages":[{"role":"user","content":"Hi"}]}"#
}

/// Remembers the calls that have ended.
final class RecordingObserver: CallObserver {
    private let calls = Locked<[CallRecord]>([])

    func callFinished(_ record: CallRecord) { calls.withLock { $0.append(record) } }

    var records: [CallRecord] { calls.withLock { $0 } }
}

extension WireResponse {
    /// The whole body as text.
    func text() async throws(GatewayError) -> String {
        switch body {
        case .bytes(let bytes): return String(decoding: bytes, as: UTF8.self)
        case .stream(let stream):
            var bytes: [UInt8] = []
            while let more = try await stream.next() { bytes += more }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}

/// Chunks of a chat completion stream, as servers write them.
enum Chunk {
    static let role =
        #"{"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#
    static let stop =
        #"{"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#
    static let usage =
        #"{"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}}"#
    static let done = "[DONE]"

    static func text(_ text: String) -> String {
        #"{"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"\#(text)"},"finish_reason":null}]}"#
    }

    /// The events as they stand in a stream.
    static func stream(_ chunks: String...) -> String {
        chunks.map { "data: \($0)\n\n" }.joined()
    }
}
