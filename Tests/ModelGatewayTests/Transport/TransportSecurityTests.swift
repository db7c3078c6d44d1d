// TLS, proxies, and what error messages must not say.

import Foundation
import ModelGateway
import ModelGatewayTesting
import Testing

@Suite(.timeLimit(.minutes(1)))
struct TransportSecurityTests {
    @Test func namesNoSecretsOrAddressesInErrors() async throws {
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

    @Test func reportsANameThatDoesNotResolve() async throws {
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

    @Test func goesThroughAProxy() async throws {
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

    @Test func reportsAProxyThatRefusesTheTunnelWithoutShowingItTheCredentials() async throws {
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

    @Test func readsTheProxyFromTheEnvironment() async throws {
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

    @Test func verifiesCertificatesAgainstTheGivenAuthority() async throws {
        let server = try await TLSServer.start()
        defer { server.stop() }
        var options = CurlTransport.Options()
        options.proxy = .none
        options.caFile = server.authorityFile
        let transport = try CurlTransport(options: options)
        for _ in 0..<2 {
            let response = try await transport.send(
                HTTPTransportRequest(method: "POST", url: "https://localhost:\(server.port)/", body: .bytes([0x41]))
            )
            #expect(response.status == 200)
            #expect(try await response.text() == "A")
        }
    }

    @Test func refusesACertificateOfAnUnknownAuthority() async throws {
        let server = try await TLSServer.start()
        defer { server.stop() }
        var options = CurlTransport.Options()
        options.proxy = .none
        let transport = try CurlTransport(options: options)
        let error = await #expect(throws: GatewayError.self) {
            try await transport.send(HTTPTransportRequest(method: "GET", url: "https://localhost:\(server.port)/"))
        }
        #expect(error?.code == .tlsFailed)
        #expect(error?.message.contains("certificate problem") == true)
        #expect(error?.requestWasSent == false)
    }

    @Test func refusesACertificateForAnotherHost() async throws {
        let server = try await TLSServer.start()
        defer { server.stop() }
        var options = CurlTransport.Options()
        options.proxy = .none
        options.caFile = server.authorityFile
        let transport = try CurlTransport(options: options)
        let error = await #expect(throws: GatewayError.self) {
            try await transport.send(HTTPTransportRequest(method: "GET", url: "https://127.0.0.1:\(server.port)/"))
        }
        #expect(error?.code == .tlsFailed)
        #expect(error?.message.contains("another host name") == true)
    }

    @Test func reportsAnAuthorityFileThatIsMissing() async throws {
        var options = CurlTransport.Options()
        options.proxy = .none
        options.caFile = "/nonexistent/ca.pem"
        let transport = try CurlTransport(options: options)
        let engine = try ScriptedEngine()
        defer { engine.stop() }
        let error = await #expect(throws: GatewayError.self) {
            try await transport.send(HTTPTransportRequest(method: "GET", url: "https://127.0.0.1:\(engine.port)/"))
        }
        #expect(error?.code == .tlsFailed)
        #expect(error?.message.contains("CA certificates") == true)
    }

    @Test func reportsAServerThatSpeaksNoTLS() async throws {
        let engine = try ScriptedEngine()
        defer { engine.stop() }
        var options = CurlTransport.Options()
        options.proxy = .none
        let transport = try CurlTransport(options: options)
        let task = Task {
            try await transport.send(HTTPTransportRequest(method: "GET", url: "https://127.0.0.1:\(engine.port)/"))
        }
        try await engine.waitForConnections { !($0.first?.received.isEmpty ?? true) }
        engine.closeConnections()
        let error = await #expect(throws: GatewayError.self) { try await task.value }
        #expect(error?.code == .tlsFailed)
        #expect(error?.requestWasSent == false)
    }
}

/// An HTTPS server on loopback for `localhost`, with a certificate made for this run: Python's, through `openssl`.
private struct TLSServer {
    let port: Int
    let authorityFile: String
    private let process: pid_t
    private let directory: URL

    static func start() async throws -> TLSServer {
        let directory = FileManager.default.temporaryDirectory.appending(path: "gateway-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let process = try spawn(["python3", "-c", script, directory.path()])
        let portFile = directory.appending(path: "port")
        let end = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < end {
            if let text = try? String(contentsOf: portFile, encoding: .utf8), let port = Int(text) {
                let authority = directory.appending(path: "cert.pem").path()
                return TLSServer(port: port, authorityFile: authority, process: process, directory: directory)
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        kill(process, SIGKILL)
        throw TLSServerError(description: "The TLS server did not start.")
    }

    func stop() {
        kill(process, SIGKILL)
        var status: Int32 = 0
        waitpid(process, &status, 0)
        try? FileManager.default.removeItem(at: directory)
    }

    /// Not by Foundation's `Process`, whose `waitUntilExit` may wait for ever for a child started next to another.
    private static func spawn(_ arguments: [String]) throws -> pid_t {
        var process = pid_t()
        var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        argv.append(nil)
        defer { for argument in argv { free(argument) } }
        guard posix_spawnp(&process, arguments[0], nil, nil, argv, environ) == 0 else {
            throw TLSServerError(description: "Cannot start \(arguments[0]).")
        }
        return process
    }

    /// Makes a certificate, listens on a free port, writes that to a file, and answers each request with its body.
    private static let script = """
        import http.server, os, ssl, subprocess, sys
        where = sys.argv[1]
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-keyout", where + "/key.pem", "-out", where + "/cert.pem", "-days", "2", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost"], check=True, stderr=subprocess.DEVNULL)
        class Echo(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            do_GET = do_POST
            def log_message(self, *arguments): pass
        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *arguments): pass
        server = Server(("127.0.0.1", 0), Echo)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(where + "/cert.pem", where + "/key.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        with open(where + "/port.new", "w") as file: file.write(str(server.server_address[1]))
        os.rename(where + "/port.new", where + "/port")
        server.serve_forever()
        """
}

private struct TLSServerError: Error {
    let description: String
}
