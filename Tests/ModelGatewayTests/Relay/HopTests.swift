// Calls that go through several gateways are marked, and none travels in a circle.

import ModelGateway
import ModelGatewayTesting
import Testing

@Suite("Hops between gateways", .timeLimit(.minutes(1)))
struct HopTests {
    private func hops(_ request: RecordedRequest?) -> String? { request?.header("x-gateway-hop") }

    @Test(arguments: TransportKind.allCases)
    func `A2: every attempt is marked, with the marks of those before it`(kind: TransportKind) async throws {
        let fixture = try RelayFixture(kind, engines: 2)
        let id = fixture.gateway.registry.identity.id
        fixture.engines[0].enqueue(.openAIError(status: 500, message: "?"))
        for engine in fixture.engines { engine.enqueue(FailoverTests.answer) }
        _ = try await fixture.relay(RelayFixture.plainRequest)
        let requests = fixture.engines.flatMap(\.requests)
        #expect(!requests.isEmpty)
        #expect(requests.allSatisfy { $0.header("x-gateway-hop") == id })
        #expect(requests.allSatisfy { $0.header("via") == "1.1 modelgateway-\(id)" })

        let later = try RelayFixture(kind)
        later.engine.enqueue(FailoverTests.answer)
        let headers = [("X-Gateway-Hop", "one, two"), ("via", "1.1 nginx"), ("via", "2 b")].map {
            HTTPHeader($0.0, $0.1)
        }
        _ = try await later.relay(RelayFixture.plainRequest, headers: headers)
        let own = later.gateway.registry.identity.id
        #expect(hops(later.engine.requests.first) == "one, two, \(own)")
        #expect(later.engine.requests.first?.header("via") == "1.1 nginx, 2 b, 1.1 modelgateway-\(own)")
    }

    @Test func `A2: calls of the library are marked too`() async throws {
        let fixture = try RelayFixture()
        fixture.engine.enqueue(FailoverTests.answer)
        _ = try await fixture.gateway.chat(ChatRequest(model: "public", messages: [.user("Hi")]))
        #expect(hops(fixture.engine.requests.first) == fixture.gateway.registry.identity.id)
    }

    @Test func `A2: a call that has been here is refused before anything goes upstream`() async throws {
        let fixture = try RelayFixture()
        let id = fixture.gateway.registry.identity.id
        for header in [
            HTTPHeader("x-gateway-hop", id), HTTPHeader("X-Gateway-Hop", "a,\(id) ,b"),
            HTTPHeader("via", "1.1 proxy, 1.1 modelgateway-\(id)"),
        ] {
            let error = await #expect(throws: GatewayError.self) {
                try await fixture.relay(RelayFixture.plainRequest, headers: [header])
            }
            #expect(error?.code == .loopDetected)
            #expect(error?.status == 508)
        }
        #expect(fixture.engine.requests.isEmpty)
        #expect(fixture.observer.records.map(\.error) == [.loopDetected, .loopDetected, .loopDetected])
    }

    @Test func `A2: a call goes through a bounded number of gateways`() async throws {
        let fixture = try RelayFixture()
        fixture.engine.enqueue(FailoverTests.answer)
        let chain = (1...8).map { "g\($0)" }
        let error = await #expect(throws: GatewayError.self) {
            let header = HTTPHeader("x-gateway-hop", chain.joined(separator: ","))
            return try await fixture.relay(RelayFixture.plainRequest, headers: [header])
        }
        #expect(error?.code == .loopDetected)
        let header = HTTPHeader("x-gateway-hop", chain.dropLast().joined(separator: ","))
        #expect(try await fixture.relay(RelayFixture.plainRequest, headers: [header]).status == 200)
    }

    @Test(arguments: TransportKind.allCases)
    func `C13: trace context and idempotency key go upstream, nothing else does`(kind: TransportKind) async throws {
        let fixture = try RelayFixture(kind)
        fixture.engine.enqueue(FailoverTests.answer)
        let passed = [("traceparent", "00-1-2-01"), ("TraceState", "a=1"), ("Idempotency-Key", "k-1")]
        let kept = [("x-gateway-session", "s"), ("x-gateway-tags", "t")]
        let headers = (passed + kept).map { HTTPHeader($0.0, $0.1) }
        _ = try await fixture.relay(RelayFixture.plainRequest, headers: headers)
        let request = try #require(fixture.engine.requests.first)
        for (name, value) in passed { #expect(request.header(name.lowercased()) == value) }
        for (name, _) in kept { #expect(request.header(name) == nil) }
    }
}
