// How many clients may be connected: accepting pauses at the limit, and idle connections make room.

import GatewaySystem
import GatewayWire
import HummingbirdCore
import Logging
import ModelGateway
import NIOCore
import NIOPosix
import Synchronization

/// The connections of a server's clients, counted against limits.
///
/// One connection more than the limit is accepted, because only that shows that somebody waits. Then the ones that lie
/// unused are closed, first those that never sent a request; if there is none, nothing more is accepted until one ends,
/// and answers end their connections so that those who wait get their turn.
final class ClientConnections: Sendable {
    /// Connections at a time.
    let limit: Int
    /// Connections of one address at a time; 0: no limit.
    let limitPerAddress: Int

    private struct State {
        var count = 0
        var byAddress: [ClientAddress: Int] = [:]
        var isMakingRoom = false
        /// Whether the log knows that the limit is reached.
        var isFullTold = false
        /// When somebody had to wait last.
        var lastWait = NIODeadline.uptimeNanoseconds(0)
        var closedUnused = 0
        var lastFailure: NIODeadline?
        /// Whether somebody had to wait a moment ago: the same rush, which comes and goes within milliseconds.
        var isCrowdedNow: Bool { NIODeadline.now() - lastWait < .seconds(10) }
        /// The addresses that the log knows to have reached their limit; bounded.
        var toldAddresses: Set<ClientAddress> = []
    }

    private let state = Lock(State())
    private let crowded = Atomic(false)
    private let logger: Logger
    private static let mostToldAddresses = 1024

    init(limit: Int, limitPerAddress: Int, logger: Logger) {
        self.limit = limit
        self.limitPerAddress = limitPerAddress
        self.logger = logger
    }

    /// Whether all connections are in use and others wait: then none is kept for a next request.
    var isCrowded: Bool { crowded.load(ordering: .relaxed) }

    /// Whether one more may be accepted.
    var mayAccept: Bool { state.withLock { $0.count <= limit } }

    func opened() {
        state.withLock { $0.count += 1 }
    }

    func closed() {
        let closedUnused: Int? = state.withLock { state in
            state.count -= 1
            guard state.isFullTold, state.count <= limit * 3 / 4, !state.isCrowdedNow else { return nil }
            state.isFullTold = false
            defer { state.closedUnused = 0 }
            return state.closedUnused
        }
        if state.withLock({ $0.count <= limit }) { crowded.store(false, ordering: .relaxed) }
        if let closedUnused {
            logger.notice(
                "Further clients can connect again.",
                metadata: ["closed_unused": "\(closedUnused)", "limit": "\(limit)"]
            )
        }
    }

    // MARK: One address

    /// Counts a connection of an address; false if the address has as many as it may.
    func enter(_ address: ClientAddress) -> Bool {
        let (isAdmitted, mustTell) = state.withLock { state -> (Bool, Bool) in
            let count = state.byAddress[address, default: 0]
            guard count >= limitPerAddress else {
                state.byAddress[address] = count + 1
                return (true, false)
            }
            if state.toldAddresses.count >= Self.mostToldAddresses { state.toldAddresses.removeAll() }
            return (false, state.toldAddresses.insert(address).inserted)
        }
        if mustTell {
            logger.warning(
                "A client has reached the limit of connections per address; further ones are refused.",
                metadata: ["address": "\(address)", "limit": "\(limitPerAddress)"]
            )
        }
        return isAdmitted
    }

    func leave(_ address: ClientAddress) {
        state.withLock { state in
            let count = state.byAddress[address, default: 0] - 1
            state.byAddress[address] = count > 0 ? count : nil
            if count <= limitPerAddress / 2 { state.toldAddresses.remove(address) }
        }
    }

    // MARK: Making room

    /// Closes idle connections until there is room, or tries again later.
    /// - Parameter loops: The event loops that have connections.
    func makeRoom(on eventLoop: any EventLoop, loops: [LoopState]) {
        let mustTell: Bool? = state.withLock { state in
            guard !state.isMakingRoom else { return nil }
            state.isMakingRoom = true
            guard state.count > limit else { return false }
            defer { state.lastWait = .now() }
            let isKnown = state.isFullTold && state.isCrowdedNow
            state.isFullTold = true
            return !isKnown
        }
        guard let mustTell else { return }
        if mustTell {
            logger.warning(
                "The limit of client connections is reached. Idle connections are closed, and further clients wait. Raise server.max_connections or the limit of open files (ulimit -n).",
                metadata: ["limit": "\(limit)"]
            )
        }
        let share = max(1, limit / 64 / max(1, loops.count))
        close(loops, on: eventLoop) { $0.closeUnused(atMost: share, served: false) }
            .flatMap { unused in
                // As long as there are some that never sent anything, the others stay.
                if unused.closed + unused.left > 0 { return eventLoop.makeSucceededFuture(unused) }
                return self.close(loops, on: eventLoop) { $0.closeUnused(atMost: 1, served: true) }
            }
            .whenComplete { result in
                let unused = (try? result.get()) ?? UnusedConnections()
                self.crowded.store(unused.closed + unused.left == 0 && !self.mayAccept, ordering: .relaxed)
                self.state.withLock { state in
                    state.isMakingRoom = false
                    state.closedUnused += unused.closed
                }
                // What was closed is counted off a moment later.
                eventLoop.scheduleTask(in: unused.closed > 0 ? .milliseconds(5) : .milliseconds(25)) {
                    if !self.mayAccept { self.makeRoom(on: eventLoop, loops: loops) }
                }
            }
    }

    private func close(
        _ loops: [LoopState],
        on eventLoop: any EventLoop,
        _ body: @escaping @Sendable (LoopState) -> UnusedConnections
    ) -> EventLoopFuture<UnusedConnections> {
        let closings = loops.map { loop in loop.eventLoop.submit { body(loop) } }
        return EventLoopFuture.reduce(UnusedConnections(), closings, on: eventLoop, +)
    }

    // MARK: Accepting fails

    /// The system refused to accept: told once, until it has gone well for a while.
    func acceptFailed(_ error: IOError) {
        let now = NIODeadline.now()
        let isNew = state.withLock { state in
            defer { state.lastFailure = now }
            return state.lastFailure.map { now - $0 > .seconds(30) } ?? true
        }
        guard isNew else { return }
        logger.warning(
            "No further client can be accepted now; the server tries again every second.",
            metadata: ["reason": "\(SystemFailure.reason(error.errnoCode))"]
        )
    }
}

/// Where a client is: its IPv4 address, or the 64 bits of an IPv6 address that name its network.
enum ClientAddress: Hashable, CustomStringConvertible {
    case v4(UInt32)
    case v6(UInt64)

    init(_ address: IPAddress) {
        self = address.isV4 ? .v4(UInt32(truncatingIfNeeded: address.low)) : .v6(address.high)
    }

    var description: String {
        switch self {
        case .v4(let number): (0..<4).map { "\(number >> (24 - 8 * UInt32($0)) & 0xFF)" }.joined(separator: ".")
        case .v6(let number):
            (0..<4).map { String(number >> (48 - 16 * UInt64($0)) & 0xFFFF, radix: 16) }.joined(separator: ":")
                + "::/64"
        }
    }
}

/// What Hummingbird asks before it accepts.
struct AcceptGate: AvailableConnectionsDelegate {
    let state: ServerState
    let eventLoop: any EventLoop

    func connectionOpened() { state.connections.opened() }

    func connectionClosed() { state.connections.closed() }

    func isAcceptingNewConnections() -> Bool {
        if state.connections.mayAccept { return true }
        state.connections.makeRoom(on: eventLoop, loops: state.allLoops)
        return false
    }
}

/// Sees what goes wrong with accepting, before NIO's handler pauses for a second because of it.
final class AcceptFailureHandler: ChannelInboundHandler {
    typealias InboundIn = any Channel

    private let state: ServerState

    init(state: ServerState) {
        self.state = state
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? IOError {
            state.connections.acceptFailed(error)
            if SystemFailure.isShortage(error.errnoCode) {
                state.connections.makeRoom(on: context.eventLoop, loops: state.allLoops)
            }
        }
        context.fireErrorCaught(error)
    }
}
