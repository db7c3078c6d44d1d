// Attempts: when another deployment takes over, when the error goes to the client, and what is settled.

import ModelGateway
import ModelGatewayTesting
import Testing

@Suite("Attempts and failover", .timeLimit(.minutes(1)))
struct FailoverTests {
    @Test(arguments: [500, 502, 503, 429, 408])
    func `A failing deployment is replaced by another one`(status: Int) async throws {
        let fixture = try RelayFixture(engines: 2)
        fixture.engines[0].enqueue(.json(#"{"error":{"message":"no"}}"#, status: status), Self.answer)
        fixture.engines[1].enqueue(Self.answer, Self.answer)
        // In turn: one of the two calls begins at the engine that fails.
        let responses = [
            try await fixture.relay(RelayFixture.plainRequest), try await fixture.relay(RelayFixture.plainRequest),
        ]
        #expect(responses.map(\.status) == [200, 200])
        #expect(Set(responses.map { $0.header("x-gateway-attempts") }) == ["1", "2"])
        #expect(fixture.engines.map(\.requests.count).reduce(0, +) == 3)
        #expect(fixture.observer.records.map(\.error) == [nil, nil])
    }

    @Test func `An error before the first piece of the answer is hidden by failover`() async throws {
        let fixture = try RelayFixture(engines: 2)
        fixture.engines[0].enqueue(.events([Chunk.role, #"{"error":{"message":"engine died","code":500}}"#]))
        let whole = Script.events([Chunk.role, Chunk.text("ok"), Chunk.stop, Chunk.done])
        fixture.engines[0].enqueue(whole)
        fixture.engines[1].enqueue(whole, whole)
        for _ in 0..<2 {
            let text = try await fixture.stream()
            #expect(text == Chunk.stream(Chunk.role, Chunk.text("ok"), Chunk.stop, Chunk.done))
        }
        #expect(fixture.engines.map(\.requests.count).reduce(0, +) == 3)
    }

    @Test(arguments: [400, 413, 422])
    func `A request that the provider finds fault with goes back at once`(status: Int) async throws {
        let fixture = try RelayFixture(engines: 2)
        let body = #"{"error":{"message":"bad 'x'","type":"invalid_request_error","param":"x","code":"bad_x"}}"#
        for engine in fixture.engines { engine.enqueue(.json(body, status: status)) }
        let error = await #expect(throws: GatewayError.self) { try await fixture.relay(RelayFixture.plainRequest) }
        #expect(error?.status == status)
        #expect(error?.message == "bad 'x'")
        #expect(error?.param == "x")
        #expect(fixture.engines.map(\.requests.count).reduce(0, +) == 1)
    }

    @Test func `Rejected credentials are not shown to the client as its own`() async throws {
        let fixture = try RelayFixture()
        fixture.engine.enqueue(.json(#"{"error":{"message":"Incorrect API key provided: upstream-key"}}"#, status: 401))
        let error = await #expect(throws: GatewayError.self) { try await fixture.relay(RelayFixture.plainRequest) }
        #expect(error?.code == .upstreamUnauthorized)
        #expect(error?.status == 502)
        #expect(error?.message.contains("upstream-key") == false)
    }

    @Test func `429 of the only deployment reaches the client with its Retry-After`() async throws {
        let fixture = try RelayFixture()
        fixture.engine.enqueue(.json("{}", status: 429, headers: [HTTPHeader("Retry-After", "3000")]))
        let error = await #expect(throws: GatewayError.self) { try await fixture.relay(RelayFixture.plainRequest) }
        #expect(error?.code == .rateLimited)
        #expect(error?.retryAfter == .seconds(3000))
    }

    @Test func `Success with an error object in it is an error`() async throws {
        let fixture = try RelayFixture()
        fixture.engine.enqueue(.json(#"{"error":{"message":"overloaded","code":503}}"#))
        let error = await #expect(throws: GatewayError.self) { try await fixture.relay(RelayFixture.plainRequest) }
        #expect(error?.code == .unavailable)
    }

    @Test func `A broken whole answer is never passed on`() async throws {
        let fixture = try RelayFixture()
        let body = Array(#"{"choices":[]}"#.utf8)
        let script = Script.response(parts: [body], framing: .declaredLength(500)).thenClose()
        fixture.engine.enqueue(script)
        let failure = await #expect(throws: GatewayError.self) { try await fixture.relay(RelayFixture.plainRequest) }
        #expect(failure?.code == .truncatedResponse)
        #expect(fixture.observer.records.last?.error == .truncatedResponse)
    }

    @Test
    func `A client that leaves mid-stream closes the upstream connection, and the call is settled once`() async throws {
        let fixture = try RelayFixture()
        fixture.engine.enqueue(
            .events([Chunk.text("a"), Chunk.text("b"), Chunk.stop], pace: .seconds(20)).releasingFirst()
        )
        let response = try await fixture.relay(RelayFixture.streamRequest)
        guard case .stream(let stream) = response.body else {
            Issue.record("not a stream")
            return
        }
        _ = try await stream.next()
        stream.cancel()
        try await fixture.engine.waitForClientClose()
        stream.cancel()
        #expect(fixture.observer.records.map(\.error) == [.cancelled])
    }

    @Test func `A client that leaves before the answer cancels the call upstream`() async throws {
        let fixture = try RelayFixture()
        fixture.engine.enqueue(Script.json("{}").stalled(after: 0))
        let call = Task { try await fixture.relay(RelayFixture.plainRequest) }
        try await fixture.engine.waitForRequests(1)
        call.cancel()
        let failure = await #expect(throws: GatewayError.self) { try await call.value }
        #expect(failure?.code == .cancelled)
        try await fixture.engine.waitForClientClose()
        #expect(fixture.observer.records.map(\.error) == [.cancelled])
    }

    @Test func `Another model takes over when nothing of this one can take the call`() async throws {
        let engine = try ScriptedEngine { _ in Self.answer }
        let provider = try OpenAICompatibleProvider(baseURL: engine.url, transport: CurlTransport())
        let backup = Deployment(id: "b", provider: provider, upstreamModel: "b")
        let gateway = Gateway(groups: [
            DeploymentGroup(model: "public", fallbacks: ["backup"]),
            DeploymentGroup(model: "backup", deployments: [backup]),
        ])
        let body = Array(RelayFixture.plainRequest.utf8)
        let response = try await gateway.relay(WireRequest(.openAIChat, body: body, requestID: "r", caller: .admin))
        #expect(response.header("x-gateway-deployment") == "b")
        #expect(engine.requests.map { $0.text.contains(#""model":"b""#) } == [true])
    }

    static let answer = Script.json(
        #"{"id":"c1","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"ok"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}"#
    )
}

extension Script {
    /// The same script without the pause before the first part.
    fileprivate func releasingFirst() -> Script {
        var script = self
        if let pause = script.steps.firstIndex(where: { if case .pause = $0 { true } else { false } }) {
            script.steps.remove(at: pause)
        }
        return script
    }
}
