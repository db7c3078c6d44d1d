// What all connections of a server share.

import GatewayWire
import Logging
import ModelGateway
import NIOCore
import Synchronization

/// The parts of a server that its connections use.
final class ServerState: Sendable {
    let gateway: any ServedGateway
    let options: ServerOptions
    let limits: ConnectionLimits
    let access: AccessRules
    let peers: PeerRules
    let connections: ClientConnections
    let crossOrigin: CrossOriginRules
    let observer: (any RequestObserver)?
    let logger: Logger
    private let loops = Lock<[ObjectIdentifier: LoopState]>([:])
    private let announced = Atomic(false)
    private let draining = Atomic(false)

    init(
        gateway: any ServedGateway,
        options: ServerOptions,
        observer: (any RequestObserver)?,
        logger: Logger
    ) {
        self.gateway = gateway
        self.options = options
        self.observer = observer
        self.logger = logger
        limits = ConnectionLimits(options)
        access = AccessRules(options)
        peers = PeerRules(options)
        crossOrigin = CrossOriginRules(options.corsOrigins)
        connections = ClientConnections(
            limit: options.maxConnections,
            limitPerAddress: options.maxConnectionsPerAddress,
            logger: logger
        )
    }

    /// Whether the server will stop soon.
    var isShutdownAnnounced: Bool { announced.load(ordering: .relaxed) }

    func announceShutdown() {
        announced.store(true, ordering: .relaxed)
    }

    /// Whether the server is stopping.
    var isDraining: Bool { draining.load(ordering: .relaxed) }

    func beginDrain() {
        draining.store(true, ordering: .relaxed)
    }

    /// Ends what still runs.
    func abortAll() {
        for loop in allLoops { loop.abortAll() }
    }

    /// The event loops that have had connections.
    var allLoops: [LoopState] { loops.withLock { Array($0.values) } }

    /// The shared state of an event loop.
    func loop(for eventLoop: any EventLoop) -> LoopState {
        loops.withLock { loops in
            if let loop = loops[ObjectIdentifier(eventLoop)] { return loop }
            let loop = LoopState(eventLoop: eventLoop, tickInterval: tickInterval)
            loops[ObjectIdentifier(eventLoop)] = loop
            return loop
        }
    }

    /// A quarter of the shortest limit, between 10 and 250 ms.
    private var tickInterval: TimeAmount {
        let limits = [
            options.keepAliveInterval, options.headTimeout, options.bodyTimeout, options.idleTimeout,
            options.writeTimeout,
        ].filter { $0 > .zero }
        let shortest = limits.min() ?? .seconds(1)
        return TimeAmount(min(max(shortest / 4, .milliseconds(10)), .milliseconds(250)))
    }
}
