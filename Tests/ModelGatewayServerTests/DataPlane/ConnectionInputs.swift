// The phases that a connection can be brought into, and everything that can happen in them, by name.

import NIOCore

@testable import ModelGatewayServer

/// Times in seconds after a connection's beginning.
func second(_ number: Int) -> NIODeadline { .uptimeNanoseconds(1_000_000_000 * UInt64(number + 100)) }

extension ConnectionLimits {
    /// Small sizes, and another time for each limit.
    static let tested: ConnectionLimits = {
        var limits = ConnectionLimits()
        limits.maxBodyBytes = 100
        limits.maxDiscardedBytes = 50
        limits.headTimeout = .seconds(2)
        limits.bodyTimeout = .seconds(3)
        limits.idleTimeout = .seconds(4)
        limits.writeTimeout = .seconds(5)
        limits.keepAliveInterval = .seconds(6)
        return limits
    }()
}

extension RequestFacts {
    static let call = RequestFacts(answerer: .call)
    static let page = RequestFacts(answerer: .router)
    static let refused = RequestFacts(answerer: .call, isRefused: true)
}

/// The connections of a table's columns.
enum Column: String, CaseIterable {
    case idle, receiving, refusing, calling, streaming, passing, passed, closing, closed

    var connection: ConnectionState {
        var state = ConnectionState(now: second(0))
        switch self {
        case .idle: break
        case .receiving: _ = state.head(.call, limits: .tested, now: second(0))
        case .refusing: _ = state.head(.refused, limits: .tested, now: second(0))
        case .calling, .streaming:
            _ = state.head(.call, limits: .tested, now: second(0))
            _ = state.requestEnd(now: second(0))
            if self == .streaming {
                _ = state.streamHead(isEventStream: true, isOK: true, isWhole: false, hasRoom: true)
            }
        case .passing: _ = state.head(.page, limits: .tested, now: second(0))
        case .passed:
            _ = state.head(.page, limits: .tested, now: second(0))
            _ = state.requestEnd(now: second(0))
        case .closing: _ = state.drain(now: second(0))
        case .closed: state.abandon()
        }
        return state
    }
}

/// The inputs of a table's rows, and what each has a connection do.
enum Input: String, CaseIterable {
    case part, read, call, page, refused, body, bodyTooLarge, end, answerWhole, answerFails, finish
    case unreadable, inputClosed, drain, abort, evict, surplus, bodySlow, headSlow, unused, unread, keptParts

    /// What is answered to it.
    func outcome(_ state: inout ConnectionState) -> String {
        switch self {
        case .part: "\(state.partArrived())"
        case .read: state.read() ? "read" : "hold"
        case .call: name(state.head(.call, limits: .tested, now: second(0)))
        case .page: name(state.head(.page, limits: .tested, now: second(0)))
        case .refused: name(state.head(.refused, limits: .tested, now: second(0)))
        case .body: "\(state.bodyPart(50, limits: .tested))"
        case .bodyTooLarge: "\(state.bodyPart(101, limits: .tested))"
        case .end: "\(state.requestEnd(now: second(0)))"
        case .answerWhole: "\(state.answer(hasHead: true, ending: .whole))"
        case .answerFails: "\(state.answer(hasHead: false, ending: .failed))"
        case .finish: "\(state.finish(now: second(0)))"
        case .unreadable: "\(state.unreadable(now: second(0)))"
        case .inputClosed: "\(state.inputClosed(now: second(0)))"
        case .drain: "\(state.drain(now: second(0)))"
        case .abort: "\(state.abort())"
        case .evict: state.evict() ? "close" : "stay"
        case .surplus: state.refuseSurplus(now: second(0)) ? "refuse" : "nothing"
        case .bodySlow: tick(&state, at: 3)
        case .headSlow: headSlow(&state)
        case .unused: tick(&state, at: 4)
        case .unread: unread(&state)
        case .keptParts: "\(state.keptPartsTaken(now: second(0)))"
        }
    }

    private func name(_ action: ConnectionState.HeadAction) -> String {
        switch action {
        case .receive: "receive"
        case .pass: "pass"
        default: "\(action)"
        }
    }

    private func tick(_ state: inout ConnectionState, at time: Int) -> String {
        "\(state.tick(limits: .tested, isServerDraining: false, now: second(time)))"
    }

    private func headSlow(_ state: inout ConnectionState) -> String {
        state.bytesArrived(now: second(0))
        return tick(&state, at: 2)
    }

    private func unread(_ state: inout ConnectionState) -> String {
        _ = state.writabilityChanged(isWritable: false, now: second(0))
        return tick(&state, at: 5)
    }
}
