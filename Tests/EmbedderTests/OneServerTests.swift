// The shortest way to a model: a gateway of one server, and the text of its streams.

import ModelGateway
import ModelGatewayTesting
import Synchronization
import Testing

@Suite("One server", .timeLimit(.minutes(1)))
struct OneServerTests {
    /// A server of two models, and a gateway for them.
    private func start(text: String = "Well, yes.") throws -> (ScriptedEngine, Gateway) {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI(models: ["small", "large"], text: text))
        return (engine, try Gateway(baseURL: engine.url, models: ["small", "large", "small"]))
    }

    private func request(_ model: String = "small") -> ChatRequest {
        ChatRequest(model: model, messages: [.user("Really?")])
    }

    @Test func `each model that was named is there once and is called by its own name`() async throws {
        let (engine, gateway) = try start()
        defer { engine.stop() }
        #expect(gateway.models.map(\.id) == ["large", "small"])
        #expect(try await gateway.chat(request("large")).text == "Well, yes.")
        let body = try JSONValue(parsing: try #require(engine.requests.last).body)
        #expect(body["model"] == "large")
    }

    @Test func `the key goes to the server as a bearer token`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI(text: "Yes."))
        defer { engine.stop() }
        let gateway = try Gateway(baseURL: engine.url, apiKey: "sk-secret", models: ["small"])
        _ = try await gateway.chat(request())
        #expect(engine.requests.last?.header("authorization") == "Bearer sk-secret")
    }

    @Test func `a provider of the program's own answers for the models that it is given`() async throws {
        let gateway = Gateway(provider: Parrot(), models: ["parrot"])
        #expect(try await gateway.chat(request("parrot")).text == "Really?")
    }

    @Test func `a URL that cannot be used is a mistake in the configuration`() {
        let error = #expect(throws: GatewayError.self) { try Gateway(baseURL: "localhost:8000", models: ["a"]) }
        #expect(error?.code == .configuration)
    }

    @Test func `an unknown model is answered with what a program can do`() async throws {
        let gateway = try Gateway(baseURL: "http://127.0.0.1:9", models: ["small"])
        let error = await #expect(throws: GatewayError.self) { _ = try await gateway.chat(request("smal")) }
        #expect(error?.code == .modelNotFound)
        #expect(error?.message == #"There is no model "smal"; Gateway.models lists the available ones."#)
    }

    @Test func `the text of a stream comes in pieces and without anything else`() async throws {
        let events: [ChatEvent] = [
            .started(id: "1", model: "parrot"), .reasoning("Hm.", choice: 0), .text("Re", choice: 0),
            .text("other", choice: 1), .text("ally?", choice: 0), .finished(.stop, choice: 0),
            .finished(.stop, choice: 1),
        ]
        let gateway = Gateway(provider: Parrot(events: events), models: ["parrot"])
        var pieces: [String] = []
        for try await text in gateway.stream(request("parrot")).text { pieces.append(text) }
        #expect(pieces == ["Re", "ally?"])
    }

    @Test func `leaving the text of a stream ends the call`() async throws {
        let parrot = Parrot()
        let gateway = Gateway(provider: parrot, models: ["parrot"])
        for try await _ in gateway.stream(request("parrot")).text { break }
        #expect(parrot.source.wasCancelled)
    }

    @Test func `a failure in the middle of a stream reaches the reader of its text`() async throws {
        let (engine, gateway) = try start()
        defer { engine.stop() }
        engine.enqueue(Script.chatStream("one two three").cut(after: 700))
        let error = await #expect(throws: GatewayError.self) {
            for try await _ in gateway.stream(request()).text {}
        }
        #expect(error?.code == .truncatedResponse)
    }
}

/// Repeats the question, or says what it was given.
private struct Parrot: Provider {
    let name = "parrot"
    let modes: Set<Mode> = [.chat]
    var events: [ChatEvent]?
    let source = Source()

    func chat(_ request: ChatRequest, context: AttemptContext) async throws(GatewayError) -> any ChatEventSource {
        let answer: [ChatEvent] = [
            .started(id: context.requestID, model: context.upstreamModel),
            .text(request.messages.last?.text ?? "", choice: 0),
            .finished(.stop, choice: 0),
        ]
        source.say(events ?? answer)
        return source
    }

    func models(timeouts: Timeouts) async throws(GatewayError) -> [ModelInfo] { [ModelInfo(id: "parrot")] }
}

/// One batch of events, and whether somebody gave them up.
private final class Source: ChatEventSource {
    private let events = Mutex<[ChatEvent]?>(nil)
    private let cancelled = Mutex(false)

    var wasCancelled: Bool { cancelled.withLock(\.self) }

    func say(_ batch: [ChatEvent]) { events.withLock { $0 = batch } }

    func next() async throws(GatewayError) -> [ChatEvent]? {
        events.withLock { events in
            defer { events = nil }
            return events
        }
    }

    func cancel() { cancelled.withLock { $0 = true } }
}
