// TLS, proxies, and what error messages must not say.

import Foundation
import ModelGateway
import ModelGatewayTesting
import Testing

@Suite(.timeLimit(.minutes(1)))
struct TransportSecurityTests {
    @Test func `A transport names no secrets or addresses in errors`() async throws {
        let engine = try ScriptedEngine()
        defer { engine.stop() }
        let port = engine.port
        engine.refuseConnections()
        let transport = try CurlTransport()
        let error = await #expect(throws: GatewayError.self) {
            try await transport.send(
                HTTPTransportRequest(
                    method: "POST",
                    url: "http://alice:s3cret@127.0.0.1:\(port)/path?key=s3cret",
                    headers: [HTTPHeader("authorization", "Bearer s3cret")]
                )
            )
        }
        #expect(error?.code == .connectFailed)
        #expect(error?.message.contains("connection refused") == true)
        #expect(error?.requestWasSent == false)
        for secret in ["s3cret", "alice", "127.0.0.1", "\(port)", "path"] {
            #expect(error?.message.contains(secret) == false)
        }
    }

    @Test func `A transport reports a name that does not resolve`() async throws {
        let transport = try CurlTransport()
        let error = await #expect(throws: GatewayError.self) {
            // RFC 6761 §6.4: never resolves.
            try await transport.send(HTTPTransportRequest(method: "GET", url: "http://nobody.invalid/"))
        }
        #expect(error?.code == .connectFailed)
        #expect(error?.message.contains("resolv") == true)
        #expect(error?.message.contains("nobody") == false)
        #expect(error?.requestWasSent == false)
    }

    @Test func `A transport goes through a proxy`() async throws {
        let proxy = try ScriptedEngine { _ in .json(#"{"via":"proxy"}"#) }
        defer { proxy.stop() }
        var options = CurlTransport.Options()
        options.proxy = .url(proxy.url)
        let transport = try CurlTransport(options: options)
        let response = try await transport.send(
            HTTPTransportRequest(method: "GET", url: "http://upstream.invalid/v1/models")
        )
        #expect(try await response.text() == #"{"via":"proxy"}"#)
        #expect(proxy.requests.first?.target == "http://upstream.invalid/v1/models")
    }

    @Test func `A transport reports a proxy that refuses the tunnel without showing it the credentials`() async throws {
        let proxy = try ScriptedEngine { _ in .response(status: 403) }
        defer { proxy.stop() }
        var options = CurlTransport.Options()
        options.proxy = .url(proxy.url)
        let transport = try CurlTransport(options: options)
        let error = await #expect(throws: GatewayError.self) {
            try await transport.send(
                HTTPTransportRequest(
                    method: "GET",
                    url: "https://upstream.invalid/",
                    headers: [HTTPHeader("authorization", "Bearer x")]
                )
            )
        }
        #expect(error?.code == .connectFailed)
        #expect(error?.message.contains("proxy answered 403") == true)
        #expect(error?.requestWasSent == false)
        #expect(proxy.requests.first?.method == "CONNECT")
        #expect(proxy.requests.first?.target == "upstream.invalid:443")
        #expect(proxy.requests.first?.header("authorization") == nil)
    }

    @Test func `A transport reads the proxy from the environment`() async throws {
        let proxy = try ScriptedEngine { _ in .response(status: 403) }
        defer { proxy.stop() }
        // Only this variable, and only https: no other test of this process goes out that way but those of this suite's
        // TLS server, which say that they want no proxy.
        setenv("https_proxy", proxy.url, 1)
        defer { unsetenv("https_proxy") }
        let transport = try CurlTransport()
        await expectTransportFailure(.connectFailed) {
            try await transport.send(HTTPTransportRequest(method: "GET", url: "https://upstream.invalid/"))
        }
        #expect(proxy.requests.map(\.target) == ["upstream.invalid:443"])
    }
}
