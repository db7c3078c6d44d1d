// A server that runs for the time of a test.

import GatewayWire
import Logging
import ModelGateway
import ModelGatewayServer
import ServiceLifecycle
import Synchronization

/// A running server.
struct TestServer: Sendable {
    let port: Int
    /// The port of the health checks, if there is one.
    let healthPort: Int?
    let group: ServiceGroup
    let server: GatewayServer
    /// Goes up when the server has ended.
    let ended: Counter

    func reloadCertificates() async { await server.reloadCertificates() }

    func connect(reads: Bool = true) async throws -> RawClient {
        try await RawClient.connect(to: port, reads: reads)
    }

    /// Sends one request on a connection of its own and returns the answer.
    func once(
        _ request: String,
        toHead: Bool = false,
        port: Int? = nil
    ) async throws -> RawClient.Answer {
        try await RawClient.with(port: port ?? self.port, sending: request) { client in
            try await client.answer(toHead: toHead)
        }
    }
}

/// Runs `body` against a server, which is drained afterwards.
func withServer<Result: Sendable>(
    _ gateway: any ServedGateway,
    options: ServerOptions = ServerOptions(),
    metrics: (@Sendable () -> [UInt8])? = nil,
    observer: (any RequestObserver)? = nil,
    _ body: (TestServer) async throws -> Result
) async throws -> Result {
    var options = options
    options.port = 0
    let logger = Logger.silent
    let (addresses, listening) = AsyncStream<GatewayServer.Address>.makeStream()
    let server = GatewayServer(
        served: gateway,
        options: options,
        metrics: metrics,
        observer: observer,
        logger: logger,
        onListening: { listening.yield($0) }
    )
    let group = ServiceGroup(configuration: .init(services: [server], logger: logger))
    let ended = Counter()
    let serving = Task {
        defer {
            listening.finish()
            ended.increment()
        }
        try await group.run()
    }
    var iterator = addresses.makeAsyncIterator()
    guard let address = await iterator.next() else {
        try await serving.value
        throw RawClient.Ended()
    }
    do {
        let running = TestServer(
            port: address.port,
            healthPort: address.healthPort,
            group: group,
            server: server,
            ended: ended
        )
        let result = try await body(running)
        await group.triggerGracefulShutdown()
        try await serving.value
        return result
    } catch {
        await group.triggerGracefulShutdown()
        try? await serving.value
        throw error
    }
}

/// Remembers the records of finished requests.
final class RecordingObserver: RequestObserver {
    private let log = Lock<[RequestRecord]>([])
    let finished = Counter()
    let opened = Counter()
    let closed = Counter()

    private let loaded = Lock<[String: Int]>([:])
    /// When the server's certificates expire, by name.
    var certificates: [String: Int] { loaded.withLock { $0 } }

    var records: [RequestRecord] { log.withLock { $0 } }

    func requestFinished(_ record: RequestRecord) {
        log.withLock { $0.append(record) }
        finished.increment()
    }

    func connectionOpened() { opened.increment() }

    func connectionClosed() { closed.increment() }

    func certificateLoaded(_ name: String, expiresAt time: Int) {
        loaded.withLock { $0[name] = time }
    }
}
