// `gateway serve` as a test uses it: started on a free port, asked over HTTP, and stopped.

import Foundation
import ModelGateway

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A server process.
struct RunningServer: Sendable {
    let process: ChildProcess
    let port: Int
    private var transport: CurlTransport

    var url: String { "http://127.0.0.1:\(port)" }

    /// Starts a server and waits until it listens.
    /// - Parameter openFiles: The most files that it may have open; nil for as many as the tests may.
    init(_ arguments: String..., environment: [String: String] = [:], openFiles: Int? = nil) async throws {
        let gateway = BuiltProducts.path("gateway")
        // A test that stops its server need not wait for load balancers.
        let environment = ["GATEWAY_SHUTDOWN_DELAY": "0s"].merging(environment) { $1 }
        let command = [gateway, "serve", "--port", "0"] + arguments
        if let openFiles {
            process = try ChildProcess(
                "/bin/bash",
                Self.limiting("-n \(openFiles)", command),
                environment: environment
            )
        } else {
            process = try ChildProcess(gateway, Array(command.dropFirst()), environment: environment)
        }
        try await process.waitForErrors { Self.port(in: $0) != nil }
        port = Self.port(in: process.errors) ?? 0
        transport = try CurlTransport()
    }

    /// The arguments with which bash runs a command under limits, without the files that the tests have open.
    static func limiting(_ limit: String, _ command: [String]) -> [String] {
        let closing = #"for f in /dev/fd/*; do f=${f##*/}; [ "$f" -gt 2 ] && eval "exec $f>&-"; done"#
        return ["-c", "\(closing); ulimit \(limit) && exec \"$@\"", "bash"] + command
    }

    /// The port that the log tells.
    private static func port(in log: String) -> Int? {
        guard let line = log.split(separator: "\n").first(where: { $0.contains("Listening") }),
            let match = line.firstMatch(of: /port\W+([0-9]+)/)
        else { return nil }
        return Int(match.1)
    }

    /// The same server as a client sees it that has no connection yet.
    func withNewConnections() throws -> RunningServer {
        var other = self
        other.transport = try CurlTransport()
        return other
    }

    struct Reply: Sendable {
        var status: Int
        var headers: HTTPHeaderBlock
        var body: String
    }

    func get(_ path: String) async throws -> Reply {
        try await send(HTTPTransportRequest(method: "GET", url: url + path))
    }

    func post(_ path: String, _ body: String, headers: [HTTPHeader] = []) async throws -> Reply {
        try await send(
            HTTPTransportRequest(
                method: "POST",
                url: url + path,
                headers: [HTTPHeader("content-type", "application/json")] + headers,
                body: .bytes(Array(body.utf8))
            )
        )
    }

    /// Sends a request and returns when its answer has begun.
    func open(_ path: String, _ body: String) async throws -> HTTPTransportResponse {
        try await transport.send(
            HTTPTransportRequest(method: "POST", url: url + path, body: .bytes(Array(body.utf8)))
        )
    }

    private func send(_ request: HTTPTransportRequest) async throws -> Reply {
        let response = try await transport.send(request)
        let body = try await response.body.text()
        return Reply(status: response.status, headers: response.headers, body: body)
    }

    /// Waits until models can be called.
    func waitUntilReady() async throws {
        let end = ContinuousClock.now + .seconds(120)
        while try await get("/readiness").status != 200 {
            guard ContinuousClock.now < end, process.isRunning else {
                throw ChildProcess.Failure(description: "The server does not become ready: \(process.errors)")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Waits until this many deployments of workers can be called: a server is ready with the first one.
    func waitForWorkerDeployments(_ count: Int) async throws {
        let end = ContinuousClock.now + .seconds(120)
        while try await get("/workers").body.matches(of: /"in_flight":/).count < count {
            guard ContinuousClock.now < end, process.isRunning else {
                throw ChildProcess.Failure(description: "The workers are not taken in: \(process.errors)")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Asks the server to end, and returns its exit status.
    @discardableResult
    func stop() async throws -> Int32 {
        process.signal(SIGTERM)
        return try await process.waitForExit()
    }
}

extension ByteStream {
    /// All that is left.
    func text() async throws -> String {
        var all: [UInt8] = []
        while let bytes = try await next() { all += bytes }
        return String(decoding: all, as: UTF8.self)
    }
}
