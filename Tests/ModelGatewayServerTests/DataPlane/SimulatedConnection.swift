// A connection without sockets: does what the decisions ask for, and notes whatever must never happen.

import NIOCore

@testable import ModelGatewayServer

struct SimulatedConnection {
    enum Part {
        case head(RequestFacts)
        case body(Int)
        case end
    }

    private(set) var state = ConnectionState(now: second(0))
    private(set) var violations: [String] = []
    private(set) var begun = 0
    private(set) var ended = 0
    private(set) var isClosed = false
    var now = 0

    private var waiting: [Part] = []
    private var current: Current?
    private var isClosing = false
    /// Whether the socket delivers what comes.
    private(set) var isReading = true

    private struct Current {
        let number: Int
        var heads = 0
        var isRequestComplete = false
        var isCallRunning = false
    }

    private mutating func check(_ isRight: Bool, _ text: String) {
        if !isRight { violations.append(text) }
    }

    private mutating func write(_ what: String) {
        check(!isClosing && !isClosed, "\(what) is written after the end")
    }

    private mutating func writeHead() {
        write("a head")
        current?.heads += 1
        check(current?.heads == 1, "a request has \(current?.heads ?? 0) heads")
    }

    // MARK: What comes in

    mutating func receive(_ part: Part) {
        guard !isClosed else { return }
        state.bytesArrived(now: second(now))
        switch state.partArrived() {
        case .take: take(part)
        case .keep: waiting.append(part)
        case .drop: check(isClosing, "a part is dropped before the end")
        }
    }

    /// NIO asks to read after each delivery.
    mutating func requestRead() {
        noteReading(state.read())
    }

    private mutating func noteReading(_ reads: Bool) {
        isReading = reads
        let hasWholeRequest = waiting.contains { if case .end = $0 { true } else { false } }
        check(!reads || !hasWholeRequest || isClosing, "more is read while a whole request waits")
    }

    private mutating func take(_ part: Part) {
        switch part {
        case .head(let facts):
            let action = state.head(facts, limits: .tested, now: second(now))
            guard action != .drop else { return check(false, "a head is dropped") }
            check(current == nil, "a request begins in another one")
            begun += 1
            current = Current(number: begun)
            if action == .refuse { answer(isLast: true) }
        case .body(let count):
            switch state.bodyPart(count, limits: .tested) {
            case .refuse, .refuseTooLarge: answer(isLast: true)
            case .collect, .discard, .passOn, .drop: break
            }
        case .end:
            current?.isRequestComplete = true
            switch state.requestEnd(now: second(now)) {
            case .startCall:
                check(current?.isCallRunning == false, "a call starts twice")
                current?.isCallRunning = true
            case .refuse: answer(isLast: false)
            case .passOn: finishPassing()
            case .drop: check(false, "an end is dropped")
            }
        }
    }

    // MARK: Answers

    private mutating func answer(isLast: Bool) {
        if current == nil {
            begun += 1
            current = Current(number: begun)
        }
        _ = state.sendHead(isLast: isLast, hasRoom: true)
        writeHead()
        finish()
    }

    /// The running call has produced something.
    mutating func produce(hasHead: Bool, chunks: Int, ending: ExchangeState.Ending?) {
        guard current?.isCallRunning == true else { return }
        guard state.answer(hasHead: hasHead, ending: ending) == .stream else { return answer(isLast: false) }
        if hasHead {
            let head = state.streamHead(isEventStream: true, isOK: true, isWhole: ending == .whole, hasRoom: true)
            if head == .write { writeHead() }
        }
        guard current?.heads == 1 else { return }
        for _ in 0..<chunks where state.streamPart(endsEvent: true) != .leaveOut { write("a part") }
        _ = state.wrote(chunks, now: second(now))
        guard let ending else { return }
        if state.streamEnd(ending) != .cut { write("an end") }
        finish()
    }

    /// The router answers.
    mutating func route(isComplete: Bool) {
        guard state.phase == .passing, !(state.exchange?.isAnswerComplete ?? true) else { return }
        if state.exchange?.isHeadSent == false {
            _ = state.sendHead(isLast: false, hasRoom: true)
            writeHead()
        }
        guard isComplete else { return }
        state.completeAnswer()
        finishPassing()
    }

    private mutating func finishPassing() {
        if state.exchange?.isPassed == true { finish() }
    }

    private mutating func finish() {
        let action = state.finish(now: second(now))
        check((current == nil) == (action == .nothing), "an exchange ends twice or not at all")
        end()
        if action == .closeAfterWrites { perform(.closeAfterWrites) }
        guard action == .next else { return }
        check(state.phase == .idle, "the next request comes too early")
        advance()
    }

    private mutating func advance() {
        while state.takeKeptPart() {
            guard !waiting.isEmpty else { return check(false, "a part is taken that is not there") }
            take(waiting.removeFirst())
        }
        perform(state.keptPartsTaken(now: second(now)))
        if state.resumeReading() { noteReading(true) }
    }

    private mutating func end() {
        if current != nil { ended += 1 }
        current = nil
    }

    // MARK: What happens to the connection

    mutating func perform(_ action: ConnectionState.Action) {
        switch action {
        case .nothing, .passOn: break
        case .closeAfterWrites:
            check(!isClosing, "the end begins twice")
            isClosing = true
            waiting = []
            if state.resumeReading() { noteReading(true) }
        case .closeOutput: check(isClosing, "the output ends before the answers")
        case .close: close()
        case .abandonAndClose, .giveUp:
            abandon()
            close()
        case .refuseMalformed, .refuseSlowHead, .refuseSlowBody, .refuseForShutdown: answer(isLast: true)
        case .failStream:
            if state.streamEnd(.failed) != .cut { write("an end") }
            finish()
        case .attendCall: attend()
        }
    }

    private mutating func attend() {
        guard state.keepAlive(limits: .tested, now: second(now)) != .nothing else { return }
        if state.exchange?.isHeadSent == false {
            state.beginStreamEarly(hasRoom: true)
            writeHead()
        }
        write("a comment")
        _ = state.wrote(0, now: second(now))
    }

    private mutating func abandon() {
        state.abandon()
        check(state.exchange == nil, "an abandoned exchange is still there")
        waiting = []
        end()
    }

    mutating func close() {
        guard !isClosed else { return }
        isClosed = true
        abandon()
    }

    mutating func tick() {
        perform(state.tick(limits: .tested, isServerDraining: false, now: second(now)))
    }

    mutating func fail() {
        if state.unreadable(now: second(now)) == .refuse { answer(isLast: true) }
    }

    mutating func endInput() {
        perform(state.inputClosed(now: second(now)))
    }

    mutating func drain() {
        perform(state.drain(now: second(now)))
    }

    mutating func abort() {
        perform(state.abort())
    }

    mutating func flush(isWritten: Bool) {
        if isClosing { perform(state.flushed(isWritten: isWritten, now: second(now))) }
    }

    mutating func setWritable(_ isWritable: Bool) {
        _ = state.writabilityChanged(isWritable: isWritable, now: second(now))
    }

    mutating func evict() {
        if state.evict() { close() }
    }
}
