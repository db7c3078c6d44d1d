// The engines' connections of one event loop: kept for reuse, opened on demand, watched for their limits of time.

import ModelGateway
import NIOCore

/// An engine, and the connections to it that wait for a request.
final class UpstreamOrigin {
    let address: UpstreamAddress
    /// What each request shows to a proxy.
    let proxyAuthorization: String?
    /// The one that was used last comes last, and is used next.
    var idle: [UpstreamConnection] = []
    /// Its connections: busy ones, unused ones, and those that are being made.
    var openCount = 0
    /// The connections that are held open ahead.
    var warmth = UpstreamWarmth()
    /// Whether it has sent a compressed body that it was not asked for, which this transport cannot read.
    var compressesUnasked = false
    /// The connections that calls share, if the engine may speak HTTP/2.
    var multiplexed: MultiplexedConnections?

    init(_ address: UpstreamAddress) {
        self.address = address
        proxyAuthorization = address.proxyAuthorization
    }
}

/// The connections of one event loop. Used there only.
final class UpstreamConnections {
    private struct Route {
        let origin: UpstreamOrigin
        let target: String
    }

    let eventLoop: any EventLoop
    let pacer: StreamPacer
    /// What secure connections are made with, once there is a call that needs one.
    var tls: UpstreamTLS?
    private var origins: [UpstreamAddress: UpstreamOrigin] = [:]
    /// Origins by whole URLs, of which a gateway has few.
    private var routes: [String: Route] = [:]
    private var all: [ObjectIdentifier: UpstreamConnection] = [:]
    /// When the limits of time are looked at next.
    private var nextCheck = NIODeadline.distantFuture
    private(set) var isRetired = false
    /// Connections that are kept for a call to come, of all engines.
    private var idleCount = 0
    let options: UpstreamOptions

    private static let mostRoutes = 1024

    /// How long a connection is kept whose engine says when it will close it. A request that meets an engine's close is
    /// lost, so the engine must not be the first: a second before it, or half its time if that is short.
    func idleLifetime(announcedSeconds: Int?) -> TimeAmount {
        guard let announcedSeconds else { return options.idleLifetime }
        let announced = TimeAmount.seconds(Int64(announcedSeconds))
        let margin = min(TimeAmount.seconds(1), .nanoseconds(announced.nanoseconds / 2))
        return min(options.idleLifetime, announced - margin)
    }

    init(_ eventLoop: any EventLoop, _ options: UpstreamOptions) {
        self.eventLoop = eventLoop
        self.options = options
        pacer = StreamPacer(eventLoop, pace: options.pace)
    }

    /// The engine that a URL leads to, and the request target.
    func origin(of url: String) throws(GatewayError) -> (engine: UpstreamOrigin, target: String)? {
        if let route = routes[url] { return (route.origin, route.target) }
        guard let (address, target) = try UpstreamAddress.parse(url, proxies: options.proxies) else { return nil }
        if routes.count >= Self.mostRoutes {
            // Engines come and go: those that are still there are found again at their next call.
            routes.removeAll()
            origins = origins.filter {
                !$0.value.idle.isEmpty || $0.value.warmth.count > 0 || $0.value.multiplexed?.isEmpty == false
            }
        }
        let origin = origins[address] ?? newOrigin(at: address)
        origins[address] = origin
        routes[url] = Route(origin: origin, target: target)
        return (origin, target)
    }

    private func newOrigin(at address: UpstreamAddress) -> UpstreamOrigin {
        let origin = UpstreamOrigin(address)
        // A proxy of HTTP that is asked for what lies at a URL in the clear is not the engine.
        let isAsked = !address.isSecure && address.proxy?.kind == .http
        if options.http2 == .priorKnowledge && !isAsked || options.http2 == .negotiated && address.isSecure {
            origin.multiplexed = MultiplexedConnections(to: origin, in: self)
        }
        return origin
    }

    /// Gives a call a connection: a kept one, or one that is opened now.
    func start(_ call: UpstreamCall, mayReuse: Bool = true) {
        if let multiplexed = call.origin.multiplexed, multiplexed.start(call) { return }
        while mayReuse, let connection = call.origin.idle.popLast() {
            idleCount -= 1
            if connection.stands { return connection.begin(call) }
            connection.close()
        }
        open(to: call.origin, for: call)
    }

    /// Opens a connection for a call, or for one to come.
    /// - Parameter deadline: When it must stand, if calls wait for it together.
    func open(to origin: UpstreamOrigin, for call: UpstreamCall?, by deadline: NIODeadline? = nil) {
        let connection = UpstreamConnection(to: origin, in: self)
        all[ObjectIdentifier(connection)] = connection
        origin.openCount += 1
        connection.open(for: call, by: deadline)
    }

    /// Keeps a connection for the next call, or closes it.
    func keep(_ connection: UpstreamConnection) {
        guard !isRetired, connection.origin.idle.count < options.maxIdle else { return connection.close() }
        connection.origin.idle.append(connection)
        idleCount += 1
        if idleCount > options.room.idleLimit { connection.close() }
    }

    /// Takes room for a new connection, if need be that of the one here which has lain unused for longest.
    /// - Parameter isWanted: Whether a call waits for it. One for calls to come takes no other's place.
    func takeRoom(isWanted: Bool) -> Bool {
        if options.room.take() { return true }
        guard isWanted else { return false }
        if pools.contains(where: { $0.closeIdle() }) { return options.room.take() }
        guard let oldest = all.values.filter({ $0.isIdle }).min(by: { $0.deadline < $1.deadline }) else { return false }
        oldest.close()
        return options.room.take()
    }

    /// A connection goes on as one that calls share.
    func handOver(_ connection: UpstreamConnection) {
        all[ObjectIdentifier(connection)] = nil
    }

    /// One of the engine's connections has ended.
    func ended(to origin: UpstreamOrigin) {
        origin.openCount -= 1
        warmUpLater(origin)
    }

    /// A connection is gone.
    func remove(_ connection: UpstreamConnection) {
        guard all.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
        ended(to: connection.origin)
        guard let place = connection.origin.idle.lastIndex(where: { $0 === connection }) else { return }
        connection.origin.idle.remove(at: place)
        idleCount -= 1
    }

    /// The connections that calls share.
    private var pools: [MultiplexedConnections] {
        options.http2 == .off ? [] : origins.values.compactMap(\.multiplexed)
    }

    func retire() {
        isRetired = true
        for pool in pools { pool.retire() }
        for connection in Array(all.values) where !connection.isBusy { connection.close() }
    }

    // MARK: Limits of time

    /// Has the limits looked at by `deadline` at the latest. A limit that moves on need not be told: one look costs less
    /// than a timer for each read.
    func check(by deadline: NIODeadline) {
        guard deadline < nextCheck else { return }
        nextCheck = deadline
        eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { self.checkLimits(dueAt: deadline) }
    }

    private func checkLimits(dueAt deadline: NIODeadline) {
        // A later look was replaced by an earlier one, which has asked for its successor.
        guard nextCheck == deadline else { return }
        let now = NIODeadline.now()
        for connection in Array(all.values) where connection.deadline <= now { connection.expire(at: now) }
        for pool in pools where pool.deadline <= now { pool.expire(at: now) }
        nextCheck = .distantFuture
        guard let next = (all.values.map(\.deadline) + pools.map(\.deadline)).min(), next < .distantFuture else {
            return
        }
        check(by: max(next, now + .milliseconds(5)))
    }
}
