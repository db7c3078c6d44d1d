// The server under a small limit of open files: a flood of connections neither ends it nor locks anyone out.

import ModelGateway
import ModelGatewayTesting
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

@Suite("A small limit of open files", .timeLimit(.minutes(3)))
struct OpenFilesTests {
    /// Requests to every endpoint, with the statuses that are right for them.
    private static let requests: [(path: String, body: String?, status: Int)] = [
        ("/health", nil, 200),
        ("/liveness", nil, 200),
        ("/readiness", nil, 200),
        ("/metrics", nil, 200),
        ("/workers", nil, 200),
        ("/v1/models", nil, 200),
        ("/v1/models/assistant", nil, 200),
        ("/nowhere", nil, 404),
        ("/v1/chat/completions", #"{"model":"assistant","messages":[{"role":"user","content":"Hi"}]}"#, 200),
        ("/v1/chat/completions", #"{"model":"assistant","stream":true,"messages":[]}"#, 200),
        // The engine has no such endpoint.
        ("/v1/completions", #"{"model":"assistant","prompt":"Hi"}"#, 404),
        ("/v1/embeddings", #"{"model":"assistant","input":"Hi"}"#, 200),
        ("/v1/chat/completions", #"{"model":"unknown","messages":[]}"#, 404),
        ("/v1/chat/completions", "{", 400),
    ]

    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    @Test(arguments: [64, 128, 256])
    func `A1: a flood of connections leaves every endpoint answering, and the process alive`(limit: Int) async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI())
        let file = try directory.write("gateway.toml", ServeCommandTests.configuration(engine))
        let server = try await RunningServer("--config", file, openFiles: limit)
        defer { server.process.signal(SIGKILL) }
        #expect(try await server.get("/health").status == 200)
        let idle = IdleClients(300, port: server.port)
        defer { idle.close() }
        for _ in 0..<3 { try await checkAll(server) }
        #expect(server.process.isRunning)
        #expect(server.process.errors.matches(of: /The limit of client connections is reached/).count == 1)
        idle.close()
        try await checkAll(server)
        #expect(try await server.stop() == 0)
    }

    private func checkAll(_ server: RunningServer) async throws {
        for (path, body, status) in Self.requests {
            // The connection that was there before, and a new one.
            for client in [server, try server.withNewConnections()] {
                let reply = if let body { try await client.post(path, body) } else { try await client.get(path) }
                #expect(reply.status == status, "\(path): \(reply.body)")
            }
        }
    }

    @Test func `A1: many calls at once under a small limit are all answered`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI())
        let file = try directory.write("gateway.toml", ServeCommandTests.configuration(engine))
        let server = try await RunningServer("--config", file, openFiles: 128)
        defer { server.process.signal(SIGKILL) }
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<200 {
                group.addTask {
                    let body = #"{"model":"assistant","messages":[{"role":"user","content":"Hi"}]}"#
                    return try await server.withNewConnections().post("/v1/chat/completions", body).status
                }
            }
            return try await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
        }
        #expect(statuses == [200: 200])
        #expect(try await server.stop() == 0)
    }

    @Test func `A1: a limit that is too small for a server is said`() async throws {
        let gateway = [BuiltProducts.path("gateway"), "serve", "--port", "0", "--worker-urls", "http://127.0.0.1:9"]
        let process = try ChildProcess("/bin/bash", RunningServer.limiting("-n 40", gateway))
        #expect(try await process.waitForExit() == 69)
        #expect(process.errors.contains("gateway: the limit of open files is 40"), "\(process.errors)")
    }

    @Test func `A1: the soft limit is raised to the hard one`() async throws {
        let gateway = [
            BuiltProducts.path("gateway"), "serve", "--port", "0", "--log-level", "debug", "--worker-urls",
            "http://127.0.0.1:9",
        ]
        let process = try ChildProcess("/bin/bash", RunningServer.limiting("-Sn 64", gateway))
        defer { process.signal(SIGKILL) }
        try await process.waitForErrors { $0.contains("Descriptors are shared out") }
        #expect(!process.errors.contains("open_files=64 "), "\(process.errors)")
    }
}

/// Connections on which nothing is ever sent.
private final class IdleClients {
    private var sockets: [Int32] = []

    init(_ count: Int, port: Int) {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        for _ in 0..<count {
            #if canImport(Glibc)
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            #else
            let descriptor = socket(AF_INET, SOCK_STREAM, 0)
            #endif
            guard descriptor >= 0 else { continue }
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            let size = socklen_t(MemoryLayout<sockaddr_in>.size)
            _ = withUnsafePointer(to: &address) { address in
                address.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
            }
            sockets.append(descriptor)
        }
    }

    func close() {
        for descriptor in sockets {
            #if canImport(Glibc)
            _ = Glibc.close(descriptor)
            #elseif canImport(Musl)
            _ = Musl.close(descriptor)
            #else
            _ = Darwin.close(descriptor)
            #endif
        }
        sockets = []
    }

    deinit { close() }
}
