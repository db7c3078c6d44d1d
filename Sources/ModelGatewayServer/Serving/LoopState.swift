// What the connections of one event loop share: the mailbox of calls with output, the date, one timer for all.

import GatewayWire
import NIOCore
import Synchronization

/// The state of one event loop of the server.
final class LoopState: Sendable {
    /// Parts that are touched on the event loop only.
    private final class Local {
        var connections: [ObjectIdentifier: any LoopMember] = [:]
        var date = DateHeader()
        var now = NIODeadline.now()
        var isTicking = false
    }

    let eventLoop: any EventLoop
    /// Runs the tasks of calls, so that nothing changes threads between a client's socket and an engine's.
    let executor: LoopExecutor
    private let tickInterval: TimeAmount
    private let local: NIOLoopBoundBox<Local>
    private let ready = Lock<[ModelCall]>([])

    init(eventLoop: any EventLoop, tickInterval: TimeAmount) {
        self.eventLoop = eventLoop
        executor = LoopExecutor(eventLoop)
        self.tickInterval = tickInterval
        local = NIOLoopBoundBox.makeBoxSendingValue(Local(), eventLoop: eventLoop)
    }

    // MARK: Calls with output

    /// Has the event loop take a call's output. Calls that are posted while it is on its way share one wake-up.
    func post(_ call: ModelCall) {
        let isFirst = ready.withLock { ready in
            ready.append(call)
            return ready.count == 1
        }
        if isFirst { eventLoop.execute { self.deliverReady() } }
    }

    private func deliverReady() {
        let calls = ready.withLock { ready in
            let calls = ready
            ready.removeAll(keepingCapacity: calls.count <= 1024)
            return calls
        }
        for call in calls {
            call.connection.value.deliver(call)
        }
    }

    // MARK: On the event loop only

    /// The time of the last tick: exact enough for limits of seconds, and free.
    var now: NIODeadline { local.value.now }

    /// The date for response heads.
    func date() -> DateHeader {
        let local = local.value
        local.date.refresh()
        return local.date
    }

    /// Begins to watch a connection's time limits.
    func add(_ connection: any LoopMember) {
        let local = local.value
        local.connections[ObjectIdentifier(connection)] = connection
        if !local.isTicking {
            local.isTicking = true
            local.now = .now()
            scheduleTick()
        }
    }

    /// Stops watching a connection.
    func remove(_ connection: any LoopMember) {
        local.value.connections[ObjectIdentifier(connection)] = nil
    }

    /// Closes connections without a request, those first that have been so for longest. The first request of a client
    /// comes right behind its connection, unless the client's machine is busy, so it is not waited for long; one that had
    /// an answer has a second for its next request.
    /// - Parameter served: Whether to take those that had a request, or those that never did.
    /// - Returns: How many were closed, and how many of the kind are left.
    func closeUnused(atMost count: Int, served: Bool) -> UnusedConnections {
        let limit = NIODeadline.now() - (served ? .seconds(1) : .milliseconds(250))
        let unused = local.value.connections.values.filter { $0.isUnused && $0.hasServed == served }
        let closed = unused.filter { $0.unusedSince < limit }
            .sorted { $0.unusedSince < $1.unusedSince }
            .prefix(count)
        for connection in closed { connection.evict() }
        return UnusedConnections(closed: closed.count, left: unused.count - closed.count)
    }

    private func scheduleTick() {
        eventLoop.scheduleTask(in: tickInterval) { self.tick() }
    }

    private func tick() {
        let local = local.value
        local.now = .now()
        // A handler may remove itself while the others are visited, so a copy is walked.
        for connection in Array(local.connections.values) {
            connection.tick()
        }
        if local.connections.isEmpty {
            local.isTicking = false
        } else {
            scheduleTick()
        }
    }

    // MARK: From any thread

    /// Ends all calls and connections with an error: the time to drain is over.
    func abortAll() {
        eventLoop.execute {
            for connection in Array(self.local.value.connections.values) {
                connection.abort()
            }
        }
    }
}

/// What became of connections without a request.
struct UnusedConnections: Sendable {
    var closed = 0
    var left = 0

    static func + (left: UnusedConnections, right: UnusedConnections) -> UnusedConnections {
        UnusedConnections(closed: left.closed + right.closed, left: left.left + right.left)
    }
}
