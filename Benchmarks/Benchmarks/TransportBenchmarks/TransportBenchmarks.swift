// A request and its answer over loopback through each HTTP client, from a task on its event loop and from elsewhere.

import Benchmark
import Foundation
import Loopback
import MockEngine
import ModelGateway
import ModelGatewayServer

/// An engine on a thread of its own; it serves until the process ends.
private func startEngine() -> UInt16? {
    guard let (listener, port) = Socket.listening(port: 0) else { return nil }
    Thread.detachNewThread {
        Engine(listeners: [listener], model: "mock", defaults: StreamShape(events: 50, rate: 50)).serve()
    }
    return port
}

private func roundTrip(_ transport: any HTTPTransport, _ request: HTTPTransportRequest) async throws -> Int {
    let response = try await transport.send(request)
    var count = 0
    while let bytes = try await response.body.next() { count += bytes.count }
    return count
}

let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = .init(
        metrics: [.wallClock, .throughput],
        warmupIterations: 100,
        maxDuration: .seconds(2),
        maxIterations: 100_000
    )
    guard let port = startEngine(), let curl = try? CurlTransport() else { return }
    let body = Array("{\"model\":\"mock\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}".utf8)
    let request = HTTPTransportRequest(
        method: "POST",
        url: "http://127.0.0.1:\(port)/v1/chat/completions",
        headers: [HTTPHeader("content-type", "application/json")],
        body: .bytes(body)
    )

    let transports: [(name: String, transport: any HTTPTransport)] = [
        ("libcurl", curl), ("NIO", try! EventLoopTransport(over: curl)),
    ]
    for (name, transport) in transports {
        Benchmark("\(name): round trip from another thread") { benchmark in
            for _ in benchmark.scaledIterations { blackHole(try await roundTrip(transport, request)) }
        }

        Benchmark("\(name): round trip on the transport's loop") { benchmark in
            try await withTaskExecutorPreference(transport.preferredExecutor) {
                for _ in benchmark.scaledIterations { blackHole(try await roundTrip(transport, request)) }
            }
        }

        Benchmark("\(name): 32 round trips at a time") { benchmark in
            for _ in benchmark.scaledIterations {
                try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 0..<32 { group.addTask { try await roundTrip(transport, request) } }
                    for try await count in group { blackHole(count) }
                }
            }
        }
    }
}
