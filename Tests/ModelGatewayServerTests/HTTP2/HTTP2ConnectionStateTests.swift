// The life of an HTTP/2 connection in decisions, without sockets.

import NIOCore
import NIOHTTP2
import Testing

@testable import ModelGatewayServer

@Suite("State of an HTTP/2 connection")
struct HTTP2ConnectionStateTests {
    private static let start = NIODeadline.uptimeNanoseconds(0)

    private var limits: ConnectionLimits {
        var limits = ConnectionLimits()
        limits.idleTimeout = .seconds(10)
        limits.lingerTime = .seconds(2)
        return limits
    }

    private func at(_ seconds: Int64) -> NIODeadline { Self.start + .seconds(seconds) }

    private func tick(_ state: inout HTTP2ConnectionState, _ seconds: Int64) -> HTTP2ConnectionState.Action {
        state.tick(limits: limits, isServerDraining: false, now: at(seconds))
    }

    @Test func `it ends when it has been idle, in three steps`() {
        var state = HTTP2ConnectionState(now: at(0))
        state.streamOpened(1)
        #expect(tick(&state, 60) == .nothing)
        #expect(state.streamClosed(isCrowded: false, now: at(60)) == .nothing)
        #expect(tick(&state, 69) == .nothing)
        #expect(tick(&state, 70) == .announceEnd)
        #expect(state.endConfirmed(now: at(71)) == .sayLast(1))
        #expect(state.lastSaid(now: at(71)) == .closeOutput)
        #expect(tick(&state, 72) == .nothing)
        #expect(tick(&state, 73) == .close)
    }

    @Test func `streams that are open when the end is announced are finished`() {
        var state = HTTP2ConnectionState(now: at(0))
        state.streamOpened(1)
        #expect(state.drain(now: at(1)) == .announceEnd)
        #expect(state.drain(now: at(1)) == .nothing)
        // Opened before the client knew.
        state.streamOpened(3)
        #expect(state.endConfirmed(now: at(2)) == .sayLast(3))
        #expect(state.endConfirmed(now: at(2)) == .nothing)
        #expect(state.lastSaid(now: at(2)) == .nothing)
        #expect(tick(&state, 100) == .nothing)
        #expect(state.streamClosed(isCrowded: false, now: at(101)) == .nothing)
        #expect(state.streamClosed(isCrowded: false, now: at(102)) == .closeOutput)
    }

    @Test func `a client that does not confirm the end is not waited for`() {
        var state = HTTP2ConnectionState(now: at(0))
        #expect(state.drain(now: at(1)) == .announceEnd)
        #expect(tick(&state, 2) == .nothing)
        #expect(tick(&state, 3) == .closeOutput)
        #expect(tick(&state, 5) == .close)
    }

    @Test func `while other clients wait, the end of a stream is the beginning of the connection's`() {
        var state = HTTP2ConnectionState(now: at(0))
        state.streamOpened(1)
        #expect(!state.isUnused)
        #expect(state.streamClosed(isCrowded: true, now: at(1)) == .announceEnd)
        #expect(state.isUnused)
        #expect(state.hasServed)
        #expect(state.unusedSince == at(1))
    }

    @Test func `an aborted connection closes after a moment, whatever is open`() {
        var state = HTTP2ConnectionState(now: at(0))
        state.streamOpened(1)
        #expect(state.abort(now: at(1)) == .announceEnd)
        #expect(tick(&state, 2) == .nothing)
        #expect(tick(&state, 3) == .close)
    }
}
