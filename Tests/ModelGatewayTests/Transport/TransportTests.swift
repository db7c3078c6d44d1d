// Requests and responses over real sockets: what is sent, what is received, and how bodies travel.

import ModelGateway
import ModelGatewayTesting
import Testing

@Suite(.timeLimit(.minutes(1)))
struct TransportTests {
    @Test func sendsHeadersAndBodyAsGiven() async throws {
        let engine = try ScriptedEngine { _ in .json(#"{"ok":true}"#, headers: [HTTPHeader("X-Test", "  yes ")]) }
        defer { engine.stop() }
        let transport = try CurlTransport()
        let response = try await transport.send(
            HTTPTransportRequest(
                method: "POST",
                url: engine.url + "/v1/chat?x=1",
                headers: [HTTPHeader("content-type", "application/json"), HTTPHeader("X-Empty", "")],
                body: .bytes(Array(#"{"a":1}"#.utf8))
            )
        )
        #expect(response.status == 200)
        #expect(response.headers["x-test"] == "yes")
        #expect(try await response.text() == #"{"ok":true}"#)
        let request = try #require(engine.requests.first)
        #expect(request.method == "POST")
        #expect(request.target == "/v1/chat?x=1")
        #expect(request.text == #"{"a":1}"#)
        #expect(request.header("content-type") == "application/json")
        #expect(request.header("x-empty") == "")
        #expect(request.header("accept-encoding") == "identity")
        #expect(request.header("expect") == nil)
        await transport.shutdown()
    }
}

extension HTTPTransportResponse {
    /// The whole body.
    func bytes() async throws(GatewayError) -> [UInt8] {
        var bytes: [UInt8] = []
        while let more = try await body.next() {
            #expect(!more.isEmpty)
            bytes += more
        }
        return bytes
    }

    /// The whole body as text.
    func text() async throws(GatewayError) -> String {
        String(decoding: try await bytes(), as: UTF8.self)
    }
}
