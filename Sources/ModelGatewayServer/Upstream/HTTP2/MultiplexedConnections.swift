// The HTTP/2 connections of one event loop to one engine: opened as calls need them, each shared by many.

import DequeModule
import ModelGateway
import NIOCore

/// Gives calls their places on shared connections. Used on its event loop only.
///
/// A call that finds none waits for a connection that is being made, so that many calls at once share one and do not open
/// one each. What the engine speaks is known when it has agreed: if that is HTTP/1.1, the calls go their own ways.
final class MultiplexedConnections {
    private unowned let origin: UpstreamOrigin
    private unowned let connections: UpstreamConnections
    /// Those which take calls, the oldest first: calls gather on few connections, and the others end in time.
    private var open: [MultiplexedConnection] = []
    /// Those which take no more calls.
    private var closing: [ObjectIdentifier: MultiplexedConnection] = [:]
    private var agreeing: [ObjectIdentifier: MultiplexedConnection] = [:]
    private var waiting = Deque<UpstreamCall>()
    /// Connections that are being made.
    private var dials = 0
    /// How far the newest one of them is.
    private var phase = UpstreamCall.Phase.connecting
    /// Calls that a connection is expected to take.
    private var expectedRoom = 100
    /// Whether the engine chose HTTP/1.1 the last time.
    private var choseHTTP1 = false

    /// Connections to one engine at a time.
    private static let most = 64

    init(to origin: UpstreamOrigin, in connections: UpstreamConnections) {
        self.origin = origin
        self.connections = connections
    }

    var isEmpty: Bool { open.isEmpty && closing.isEmpty && agreeing.isEmpty && waiting.isEmpty && dials == 0 }

    /// Gives a call a place, now or later.
    /// - Returns: False if the engine speaks HTTP/1.1.
    func start(_ call: UpstreamCall) -> Bool {
        if let connection = open.first(where: { $0.hasRoom }) {
            connection.begin(call)
            return true
        }
        if choseHTTP1 { return false }
        call.enter(phase)
        waiting.append(call)
        // What the engine said meanwhile is read first: it may be its goodbye, or mean nothing for calls.
        if !open.contains(where: { $0.isUnread }) { dialIfNeeded() }
        return true
    }

    // MARK: Opening

    private func dialIfNeeded() {
        while waiting.first?.hasEnded == true { waiting.removeFirst() }
        // An engine that lets nobody in does so on a further connection, too.
        guard expectedRoom > 0 || open.isEmpty else { return }
        while let first = waiting.first, waiting.count > dials * max(expectedRoom, 1), open.count + dials < Self.most {
            dials += 1
            move(to: .connecting)
            connections.open(to: origin, for: nil, by: first.deadline)
        }
    }

    /// A connection that calls wait for has come so far.
    func move(to phase: UpstreamCall.Phase) {
        self.phase = phase
        for call in waiting { call.enter(phase) }
    }

    /// A connection stands on which the engine speaks HTTP/2.
    /// - Parameters:
    ///   - call: The call that it was made for, if that was one.
    ///   - isAwaited: Whether it was made for the calls that wait.
    func agreed(_ socket: UpstreamSocket, for call: UpstreamCall?, isAwaited: Bool) {
        choseHTTP1 = false
        if let call { waiting.prepend(call) }
        if !isAwaited { dials += 1 }
        move(to: .agreeing)
        let connection = MultiplexedConnection(socket, to: origin, in: connections, pool: self)
        agreeing[ObjectIdentifier(connection)] = connection
        connection.start(by: waiting.first?.deadline ?? .now() + .seconds(10))
    }

    /// A connection stands on which the engine speaks HTTP/1.1.
    func agreedOnHTTP1(_ connection: UpstreamConnection) {
        choseHTTP1 = true
        dials -= 1
        let calls = waiting
        waiting = []
        var isTaken = false
        for call in calls where !call.hasEnded {
            if isTaken {
                connections.start(call)
            } else {
                isTaken = true
                connection.begin(call, isReused: false)
            }
        }
        if !isTaken { connection.rest() }
    }

    /// A connection could not be made.
    /// - Parameter error: Why; nil if it was given up because its time was over.
    func failed(_ error: GatewayError?) {
        dials -= 1
        guard let error else { return dialIfNeeded() }
        let calls = waiting
        waiting = []
        for call in calls { call.fail(error) }
    }

    // MARK: The connections' side

    /// The engine has said how many calls a connection may have.
    func ready(_ connection: MultiplexedConnection) {
        guard agreeing.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
        dials -= 1
        open.append(connection)
        roomChanged(on: connection)
        if connections.isRetired { connection.retire() }
    }

    /// All that the engine has said on a connection is known.
    func wasRead(_ connection: MultiplexedConnection) {
        if !waiting.isEmpty { roomChanged(on: connection) }
    }

    /// A connection may have room for those who wait.
    func roomChanged(on connection: MultiplexedConnection) {
        guard connection.isReady else { return }
        expectedRoom = connection.limit
        while connection.hasRoom, let call = waiting.popFirst() {
            if !call.hasEnded { connection.begin(call) }
        }
        dialIfNeeded()
    }

    /// A connection takes no more calls; those on it go on.
    func closing(_ connection: MultiplexedConnection) {
        guard let place = open.firstIndex(where: { $0 === connection }) else { return }
        open.remove(at: place)
        closing[ObjectIdentifier(connection)] = connection
    }

    /// A connection is gone.
    /// - Parameter error: Why it never took a call.
    func remove(_ connection: MultiplexedConnection, _ error: GatewayError?) {
        let key = ObjectIdentifier(connection)
        closing[key] = nil
        open.removeAll { $0 === connection }
        if agreeing.removeValue(forKey: key) != nil { return failed(error) }
        dialIfNeeded()
    }

    // MARK: Limits of time and number

    private var all: [MultiplexedConnection] { open + Array(closing.values) + Array(agreeing.values) }

    /// When something has to happen to a call that waits, or to a connection.
    var deadline: NIODeadline {
        let first = waiting.lazy.map(\.deadline).min() ?? .distantFuture
        return all.reduce(first) { min($0, $1.deadline) }
    }

    func expire(at now: NIODeadline) {
        for call in waiting where call.deadline <= now { call.fail(call.timeout(at: now)) }
        waiting.removeAll { $0.hasEnded }
        for connection in all where connection.deadline <= now { connection.expire(at: now) }
    }

    /// Closes a connection that nobody uses.
    /// - Returns: Whether there was one.
    func closeIdle() -> Bool {
        guard let connection = open.last(where: { $0.isIdle }) else { return false }
        connection.close()
        return true
    }

    /// Closes what is not in use now, and everything else after its use.
    func retire() {
        for connection in open { connection.retire() }
    }
}
