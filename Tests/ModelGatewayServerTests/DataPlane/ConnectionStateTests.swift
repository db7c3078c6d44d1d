// Courses that a connection can take, decided without sockets.

import NIOCore
import Testing

@testable import ModelGatewayServer

@Suite("Decisions of a connection")
struct ConnectionStateTests {
    private var state = ConnectionState(now: second(0))

    @discardableResult
    private mutating func head(_ facts: RequestFacts = .call) -> ConnectionState.HeadAction {
        state.head(facts, limits: .tested, now: second(1))
    }

    private mutating func body(_ count: Int) -> ExchangeState.BodyAction { state.bodyPart(count, limits: .tested) }

    private mutating func tick(at time: Int, isDraining: Bool = false) -> ConnectionState.Action {
        state.tick(limits: .tested, isServerDraining: isDraining, now: second(time))
    }

    // MARK: Requests

    @Test mutating func `A client that waits to be told to send its body is told so`() {
        #expect(head(RequestFacts(answerer: .call, hasExpectation: true)) == .receive(sayingContinue: true))
        #expect(head() == .drop)
    }

    @Test mutating func `A refused request with a long body, or one that is not yet sent, is refused at once`() {
        #expect(head(RequestFacts(answerer: .call, isRefused: true, contentLength: 51)) == .refuse)
        state = ConnectionState(now: second(0))
        #expect(head(RequestFacts(answerer: .call, isRefused: true, contentLength: 50)) == .readPast)
        state = ConnectionState(now: second(0))
        #expect(head(RequestFacts(answerer: .router, isRefused: true, hasExpectation: true)) == .refuse)
    }

    @Test mutating func `A body that grows too large is refused in its middle, and the connection ends`() {
        head()
        #expect(body(60) == .collect)
        #expect(body(40) == .collect)
        #expect(body(1) == .refuseTooLarge)
        #expect(state.sendHead(isLast: true, hasRoom: true) == false)
        #expect(state.finish(now: second(1)) == .closeAfterWrites)
        #expect(state.partArrived() == .drop)
        #expect(state.read() == true)
    }

    @Test mutating func `Pipelined requests wait for the answer before them, and nothing more is read meanwhile`() {
        head()
        #expect(state.partArrived() == .take)
        #expect(state.requestEnd(now: second(1)) == .startCall)
        #expect(state.read() == true)
        for _ in 0..<2 { #expect(state.partArrived() == .keep) }
        #expect(state.read() == false)
        #expect(state.resumeReading() == false)
        #expect(state.takeKeptPart() == false)
        #expect(state.sendHead(isLast: false, hasRoom: true) == true)
        #expect(state.finish(now: second(1)) == .next)
        #expect(state.takeKeptPart() == true)
        #expect(head() == .receive(sayingContinue: false))
        #expect(state.partArrived() == .keep)
        #expect(state.takeKeptPart() == true)
        #expect(state.takeKeptPart() == true)
        #expect(state.takeKeptPart() == false)
        #expect(state.resumeReading() == true)
        #expect(state.resumeReading() == false)
    }

    @Test mutating func `Bytes behind a request that are not HTTP are refused after its answer`() {
        head()
        _ = state.requestEnd(now: second(1))
        #expect(state.unreadable(now: second(1)) == .keep)
        #expect(state.read() == false)
        _ = state.sendHead(isLast: false, hasRoom: true)
        #expect(state.finish(now: second(1)) == .next)
        #expect(state.keptPartsTaken(now: second(1)) == .refuseMalformed)
        #expect(state.sendHead(isLast: true, hasRoom: true) == false)
        #expect(state.finish(now: second(1)) == .closeAfterWrites)
    }

    @Test mutating func `The router may answer before the whole request has come`() {
        head(.page)
        #expect(state.sendHead(isLast: false, hasRoom: true) == true)
        state.completeAnswer()
        #expect(state.exchange?.isPassed == false)
        #expect(body(200) == .passOn)
        #expect(state.requestEnd(now: second(1)) == .passOn)
        #expect(state.exchange?.isPassed == true)
        #expect(state.finish(now: second(1)) == .next)
    }

    // MARK: Whether it is kept

    @Test mutating func `A connection is used again only if client and server want that`() {
        func isKept(
            _ facts: RequestFacts = .call,
            kind: ConnectionState.Kind = .connection,
            isLast: Bool = false,
            hasRoom: Bool = true,
            _ change: (inout ConnectionState) -> Void = { _ in }
        ) -> Bool {
            var state = ConnectionState(kind, now: second(0))
            _ = state.head(facts, limits: .tested, now: second(0))
            _ = state.requestEnd(now: second(0))
            change(&state)
            return state.sendHead(isLast: isLast, hasRoom: hasRoom)
        }
        #expect(isKept())
        #expect(!isKept(RequestFacts(answerer: .call, allowsKeepAlive: false)))
        #expect(!isKept(kind: .stream))
        #expect(!isKept(isLast: true))
        #expect(!isKept(hasRoom: false))
        #expect(!isKept { _ = $0.drain(now: second(0)) })
        #expect(!isKept(.page) { _ = $0.inputClosed(now: second(0)) })
    }

    @Test mutating func `A client of HTTP/1.0 gets a stream without chunks, whose end is the connection's`() {
        head(RequestFacts(answerer: .call, isModern: false))
        _ = state.requestEnd(now: second(1))
        #expect(state.streamHead(isEventStream: true, isOK: true, isWhole: false, hasRoom: true) == .write)
        #expect(state.streamPart(endsEvent: true) == .plain)
        #expect(state.streamEnd(.finished) == .end)
        #expect(state.finish(now: second(1)) == .closeAfterWrites)
    }

    // MARK: Streams

    /// A call that has begun at second 1.
    private mutating func startCall() {
        head()
        _ = state.requestEnd(now: second(1))
    }

    @Test mutating func `A silent stream is kept alive between its events only`() {
        startCall()
        _ = state.streamHead(isEventStream: true, isOK: true, isWhole: false, hasRoom: true)
        #expect(state.streamPart(endsEvent: false) == .chunk)
        #expect(state.wrote(10, now: second(2)) == 10)
        #expect(state.keepAlive(limits: .tested, now: second(7)) == .nothing)
        #expect(state.keepAlive(limits: .tested, now: second(8)) == .nothing)
        #expect(state.streamPart(endsEvent: true) == .chunk)
        #expect(state.keepAlive(limits: .tested, now: second(7)) == .nothing)
        #expect(state.keepAlive(limits: .tested, now: second(8)) == .comment)
        _ = state.writabilityChanged(isWritable: false, now: second(8))
        #expect(state.keepAlive(limits: .tested, now: second(8)) == .nothing)
    }

    @Test mutating func `An answer that is not a stream is not kept alive`() {
        startCall()
        _ = state.streamHead(isEventStream: false, isOK: true, isWhole: false, hasRoom: true)
        #expect(state.keepAlive(limits: .tested, now: second(9)) == .nothing)
        #expect(state.streamEnd(.failed) == .cut)
        #expect(state.finish(now: second(9)) == .closeAfterWrites)
    }

    @Test mutating func `Behind an early head comes a stream, a whole body as an event, or an error`() {
        startCall()
        #expect(state.keepAlive(limits: .tested, now: second(7)) == .beginStream)
        state.beginStreamEarly(hasRoom: true)
        #expect(state.exchange?.isKept == true)
        let early = state
        #expect(state.streamHead(isEventStream: true, isOK: true, isWhole: false, hasRoom: true) == .leaveOut)
        #expect(state.streamPart(endsEvent: true) == .chunk)
        state = early
        #expect(state.answer(hasHead: true, ending: .whole) == .stream)
        #expect(state.streamHead(isEventStream: false, isOK: true, isWhole: true, hasRoom: true) == .leaveOut)
        #expect(state.streamEnd(.whole) == .event)
        state = early
        #expect(state.streamHead(isEventStream: false, isOK: true, isWhole: false, hasRoom: true) == .errorEvent)
        #expect(state.streamPart(endsEvent: true) == .leaveOut)
        #expect(state.keepAlive(limits: .tested, now: second(20)) == .nothing)
        state = early
        #expect(state.streamHead(isEventStream: true, isOK: false, isWhole: false, hasRoom: true) == .errorEvent)
        state = early
        #expect(state.answer(hasHead: false, ending: .failed) == .stream)
        #expect(state.streamEnd(.failed) == .errorEvent)
        #expect(state.finish(now: second(9)) == .next)
    }

    @Test mutating func `What does not fit into the send buffer is credited when there is room again`() {
        startCall()
        #expect(state.wrote(5, now: second(1)) == 5)
        #expect(state.writabilityChanged(isWritable: false, now: second(1)) == 0)
        #expect(state.wrote(6, now: second(1)) == 0)
        #expect(state.wrote(7, now: second(1)) == 0)
        #expect(state.writabilityChanged(isWritable: true, now: second(1)) == 13)
        #expect(state.writabilityChanged(isWritable: true, now: second(1)) == 0)
        #expect(tick(at: 60) == .attendCall)
    }

    // MARK: Ends

    @Test mutating func `A body that comes slowly but steadily is not refused`() {
        head()
        for time in stride(from: 1, to: 40, by: 2) {
            state.bytesArrived(now: second(time))
            #expect(body(1) == .collect)
            #expect(tick(at: time + 1) == .nothing)
        }
        #expect(tick(at: 43) == .refuseSlowBody)
    }

    @Test mutating func `The time of a head is counted from its first byte, however steadily it comes`() {
        #expect(tick(at: 3) == .nothing)
        state.bytesArrived(now: second(3))
        state.bytesArrived(now: second(4))
        #expect(tick(at: 4) == .nothing)
        #expect(tick(at: 5) == .refuseSlowHead)
        #expect(state.sendHead(isLast: true, hasRoom: true) == false)
        #expect(state.finish(now: second(5)) == .closeAfterWrites)
    }

    @Test mutating func `After its last answer a connection is read on until that has left and a moment longer`() {
        #expect(state.drain(now: second(1)) == .closeAfterWrites)
        #expect(tick(at: 5) == .nothing)
        #expect(state.flushed(isWritten: true, now: second(5)) == .closeOutput)
        #expect(state.read() == true)
        #expect(tick(at: 6) == .nothing)
        #expect(tick(at: 7) == .close)
        #expect(state.inputClosed(now: second(7)) == .abandonAndClose)
    }

    @Test mutating func `A last answer that nobody takes is given up`() {
        #expect(state.drain(now: second(1)) == .closeAfterWrites)
        #expect(tick(at: 6) == .close)
        #expect(state.flushed(isWritten: false, now: second(6)) == .close)
    }

    @Test mutating func `A client that has ended its side gets its answer from the router, and is closed then`() {
        head(.page)
        _ = state.requestEnd(now: second(1))
        #expect(state.inputClosed(now: second(1)) == .nothing)
        #expect(state.sendHead(isLast: false, hasRoom: true) == false)
        state.completeAnswer()
        #expect(state.finish(now: second(1)) == .closeAfterWrites)
        #expect(state.flushed(isWritten: true, now: second(1)) == .close)
    }

    @Test mutating func `A connection that was missed by the drain's event is drained at the next tick`() {
        startCall()
        #expect(tick(at: 1, isDraining: true) == .attendCall)
        #expect(state.sendHead(isLast: false, hasRoom: true) == false)
        state = ConnectionState(now: second(0))
        #expect(tick(at: 1, isDraining: true) == .closeAfterWrites)
        #expect(tick(at: 1, isDraining: true) == .nothing)
    }

    @Test mutating func `A connection counts as unused before its first request, even with a part of its head`() {
        state.bytesArrived(now: second(1))
        #expect(state.isUnused)
        #expect(state.unusedSince == second(0))
        head()
        #expect(!state.isUnused)
        _ = state.requestEnd(now: second(1))
        _ = state.sendHead(isLast: false, hasRoom: true)
        _ = state.finish(now: second(2))
        #expect(state.isUnused)
        #expect(state.unusedSince == second(2))
        state.bytesArrived(now: second(3))
        #expect(!state.isUnused)
        #expect(state.evict() == false)
    }

    // MARK: Streams of HTTP/2

    @Test mutating func `On a stream of HTTP/2 the end of the client's side is the end of its request`() {
        state = ConnectionState(.stream, now: second(0))
        startCall()
        #expect(state.inputClosed(now: second(1)) == .nothing)
        #expect(state.streamHead(isEventStream: true, isOK: true, isWhole: false, hasRoom: true) == .write)
        #expect(state.streamEnd(.finished) == .end)
        #expect(state.finish(now: second(1)) == .closeAfterWrites)
        #expect(state.flushed(isWritten: true, now: second(1)) == .close)
    }
}
