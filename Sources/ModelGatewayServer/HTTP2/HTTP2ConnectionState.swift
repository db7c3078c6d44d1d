// What an HTTP/2 connection does about its streams, its silence and its end: decisions without sockets.

import NIOCore
import NIOHTTP2

/// The life of an HTTP/2 connection, apart from what its streams carry.
///
/// It ends in three steps, so that no request is lost (RFC 9113 §6.8): a GOAWAY that names no stream, and a PING; when the
/// client has answered that, so that it opens no further streams, a GOAWAY that names the last one it opened; when all
/// streams are over, the end of the connection.
struct HTTP2ConnectionState {
    enum Action: Equatable {
        case nothing
        /// Say that the connection will end, and ask the client to confirm that.
        case announceEnd
        /// Say which stream is the last.
        case sayLast(HTTP2StreamID)
        /// Nothing more is written; the input is read on for a moment.
        case closeOutput
        case close
    }

    private enum Phase {
        case open
        /// The end has been announced.
        case announced(since: NIODeadline)
        /// The last stream has been named.
        case ending(since: NIODeadline)
        /// The output is closed.
        case closing(since: NIODeadline)
    }

    private var phase = Phase.open
    private(set) var openStreams = 0
    private(set) var lastStream = HTTP2StreamID.rootStream
    /// Since when there is no stream.
    private(set) var unusedSince: NIODeadline
    private var isAborted = false

    init(now: NIODeadline) {
        unusedSince = now
    }

    /// Whether it has had a request.
    var hasServed: Bool { lastStream != .rootStream }

    var isUnused: Bool {
        if case .closing = phase { return false }
        return openStreams == 0
    }

    mutating func streamOpened(_ id: HTTP2StreamID) {
        openStreams += 1
        lastStream = max(lastStream, id)
    }

    /// - Parameter isCrowded: Whether other clients wait for a connection.
    mutating func streamClosed(isCrowded: Bool, now: NIODeadline) -> Action {
        openStreams -= 1
        if openStreams == 0 { unusedSince = now }
        switch phase {
        case .open: return isCrowded ? announce(now: now) : .nothing
        case .ending where openStreams == 0: return closeOutput(now: now)
        case .announced, .ending, .closing: return .nothing
        }
    }

    /// The server takes no further requests.
    mutating func drain(now: NIODeadline) -> Action {
        announce(now: now)
    }

    /// The client has confirmed that it knows of the end.
    mutating func endConfirmed(now: NIODeadline) -> Action {
        guard case .announced = phase else { return .nothing }
        phase = .ending(since: now)
        return .sayLast(lastStream)
    }

    /// The last stream has been named.
    mutating func lastSaid(now: NIODeadline) -> Action {
        openStreams == 0 ? closeOutput(now: now) : .nothing
    }

    /// The client broke the protocol, and has been told so.
    mutating func givenUp(now: NIODeadline) -> Action {
        closeOutput(now: now)
    }

    /// The client has ended its side.
    mutating func inputClosed() -> Action {
        .close
    }

    /// The server's time to drain is over: streams say so to their clients, and the connection ends in a moment.
    mutating func abort(now: NIODeadline) -> Action {
        isAborted = true
        unusedSince = now
        return announce(now: now)
    }

    /// Time has gone by.
    mutating func tick(limits: ConnectionLimits, isServerDraining: Bool, now: NIODeadline) -> Action {
        func isOver(_ limit: TimeAmount, _ start: NIODeadline) -> Bool {
            ConnectionLimits.isOver(limit, since: start, at: now)
        }
        if isAborted, isOver(limits.lingerTime, unusedSince) { return .close }
        switch phase {
        case .open:
            let isIdle = openStreams == 0 && isOver(limits.idleTimeout, unusedSince)
            return isIdle || isServerDraining ? announce(now: now) : .nothing
        case .announced(let start), .ending(let start):
            // A client that does not answer is not waited for.
            return openStreams == 0 && isOver(limits.lingerTime, start) ? closeOutput(now: now) : .nothing
        case .closing(let start):
            return isOver(limits.lingerTime, start) ? .close : .nothing
        }
    }

    private mutating func announce(now: NIODeadline) -> Action {
        guard case .open = phase else { return .nothing }
        phase = .announced(since: now)
        return .announceEnd
    }

    private mutating func closeOutput(now: NIODeadline) -> Action {
        if case .closing = phase { return .nothing }
        phase = .closing(since: now)
        return .closeOutput
    }
}
