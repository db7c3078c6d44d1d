// What a connection does with each thing that happens on it: the data plane's decisions, without its sockets.

import NIOCore

/// The decisions of the data plane for a connection that carries one request after the other, or for a stream of an
/// HTTP/2 connection, which carries one.
///
/// Everything that happens is a method, and what it returns is what has to be done; ``DataPlaneHandler`` does it. It
/// knows no bytes and no texts, so it can be tried with every sequence of inputs.
struct ConnectionState {
    enum Kind {
        /// Requests come one after the other. A client that ends its side while it waits for an answer went away.
        case connection
        /// One request comes, whose end is the end of the client's side.
        case stream
    }

    enum Phase {
        /// Nothing: the next thing to come is a request's head.
        case idle
        /// See ``ExchangeState/Phase``.
        case receiving, refusing, calling, passing
        /// The last answer is on its way or out; what still comes in is dropped.
        case closing
    }

    private let kind: Kind
    private(set) var exchange: ExchangeState?
    private var isClosing = false
    private var isDraining = false
    private var isAborted = false
    private var isInputEnded = false
    /// Whether everything up to the last answer has left.
    private var isFlushed = false
    private var isReadHeld = false
    /// Parts of requests that wait for the one before them to be answered.
    private var waitingParts = 0
    private var hasWaitingFailure = false
    /// Whether it has had a request.
    private(set) var hasServed = false

    // Times, exact to a tick of the loop.
    private let opened: NIODeadline
    private var lastArrival: NIODeadline
    /// When the first bytes of a head came that is not complete yet.
    private var headStart: NIODeadline?
    private var unwritableSince: NIODeadline?
    private var closingSince: NIODeadline?

    init(_ kind: Kind = .connection, now: NIODeadline) {
        self.kind = kind
        opened = now
        lastArrival = now
    }

    var phase: Phase {
        if isClosing { return .closing }
        switch exchange?.phase {
        case nil: return .idle
        case .receiving: return .receiving
        case .refusing: return .refusing
        case .calling: return .calling
        case .passing: return .passing
        }
    }

    /// Whether no request is under way. One of which only a part of the first head has come counts as unused.
    var isUnused: Bool { phase == .idle && waitingParts == 0 && (headStart == nil || !hasServed) }

    /// Since when it has been idle.
    var unusedSince: NIODeadline { hasServed ? lastArrival : opened }

    /// Whether it may be used again, as far as the connection itself is concerned.
    var mayBeKept: Bool { kind == .connection && !isDraining && !isInputEnded }
}

// MARK: - Reading

extension ConnectionState {
    /// Whether what has been read is looked at now, and not after the answer that is being given.
    private var takesParts: Bool {
        guard let exchange else { return true }
        switch exchange.phase {
        case .calling: return false
        case .passing: return !exchange.isRequestComplete
        case .receiving, .refusing: return true
        }
    }

    /// Whether more input may be read from the socket. While a request is answered one read's worth may come early and
    /// waits; more could fill the memory with requests. Without that the socket's registration with the kernel would
    /// change twice for each request.
    private var mayRead: Bool { takesParts || (waitingParts == 0 && !hasWaitingFailure) }

    /// Somebody wants to read.
    /// - Returns: Whether to read now.
    mutating func read() -> Bool {
        if mayRead { return true }
        isReadHeld = true
        return false
    }

    /// - Returns: Whether to read now what somebody wanted to read before.
    mutating func resumeReading() -> Bool {
        guard isReadHeld, mayRead else { return false }
        isReadHeld = false
        return true
    }

    mutating func bytesArrived(now: NIODeadline) {
        lastArrival = now
        if exchange == nil, !isClosing, headStart == nil { headStart = now }
    }

    mutating func partArrived() -> Arrival {
        if isClosing { return .drop }
        if waitingParts == 0, takesParts { return .take }
        waitingParts += 1
        return .keep
    }

    /// - Returns: Whether the first of the parts that were kept is taken now.
    mutating func takeKeptPart() -> Bool {
        guard waitingParts > 0, takesParts, !isClosing else { return false }
        waitingParts -= 1
        return true
    }

    /// The parts that were kept have been taken, as far as they could be.
    mutating func keptPartsTaken(now: NIODeadline) -> Action {
        guard phase == .idle, waitingParts == 0 else { return .nothing }
        if hasWaitingFailure { return refuse(.refuseMalformed, now: now) }
        return isInputEnded || isDraining ? close(now: now) : .nothing
    }
}

// MARK: - Exchanges

extension ConnectionState {
    mutating func head(_ request: RequestFacts, limits: ConnectionLimits, now: NIODeadline) -> HeadAction {
        guard phase == .idle else { return .drop }
        headStart = nil
        hasServed = true
        if request.isRefused {
            exchange = ExchangeState(request, phase: .refusing, now: now)
            // A client that waits to be told to send the body, or has much to send, need not do so for nothing.
            let isLong = request.contentLength.map { $0 > limits.maxDiscardedBytes } ?? false
            return isLong || request.hasExpectation ? .refuse : .readPast
        }
        switch request.answerer {
        case .call:
            exchange = ExchangeState(request, phase: .receiving, now: now)
            return .receive(sayingContinue: request.hasExpectation)
        case .router:
            exchange = ExchangeState(request, phase: .passing, now: now)
            return .pass(sayingContinue: request.hasExpectation)
        }
    }

    mutating func bodyPart(_ count: Int, limits: ConnectionLimits) -> ExchangeState.BodyAction {
        exchange?.bodyPart(count, limits: limits) ?? .drop
    }

    mutating func requestEnd(now: NIODeadline) -> ExchangeState.EndAction {
        exchange?.requestEnd(now: now) ?? .drop
    }

    /// A client is answered that sent no request.
    private mutating func refuse(_ action: Action, now: NIODeadline) -> Action {
        if exchange == nil {
            exchange = ExchangeState(RequestFacts(answerer: .call), phase: .refusing, now: now)
        }
        return action
    }

    /// The answer has been written to its end.
    mutating func finish(now: NIODeadline) -> FinishAction {
        guard let ended = exchange else { return .nothing }
        exchange = nil
        guard ended.isKept else {
            _ = close(now: now)
            return .closeAfterWrites
        }
        lastArrival = now
        return .next
    }

    // MARK: Its answer

    /// The head of an answer goes out.
    /// - Parameters:
    ///   - isLast: Whether the answer is the last one for a reason of its own.
    ///   - hasRoom: Whether the server has room for a connection without a request.
    /// - Returns: Whether the connection is used again.
    mutating func sendHead(isLast: Bool, hasRoom: Bool) -> Bool {
        let mayKeep = mayBeKept && hasRoom && !isLast
        return exchange?.sendHead(mayKeep: mayKeep) ?? false
    }

    /// How what a call has produced goes out.
    func answer(hasHead: Bool, ending: ExchangeState.Ending?) -> ExchangeState.AnswerAction {
        exchange?.answer(hasHead: hasHead, ending: ending) ?? .stream
    }

    mutating func streamHead(
        isEventStream: Bool,
        isOK: Bool,
        isWhole: Bool,
        hasRoom: Bool
    ) -> ExchangeState.StreamHeadAction {
        let mayKeep = mayBeKept && hasRoom
        return exchange?.streamHead(isEventStream: isEventStream, isOK: isOK, isWhole: isWhole, mayKeep: mayKeep)
            ?? .leaveOut
    }

    mutating func streamPart(endsEvent: Bool) -> ExchangeState.PartAction {
        exchange?.streamPart(endsEvent: endsEvent) ?? .leaveOut
    }

    mutating func streamEnd(_ ending: ExchangeState.Ending) -> ExchangeState.StreamEndAction {
        exchange?.streamEnd(ending) ?? .cut
    }

    /// What to do for an answer that has been silent for long.
    func keepAlive(limits: ConnectionLimits, now: NIODeadline) -> ExchangeState.KeepAliveAction {
        guard unwritableSince == nil else { return .nothing }
        return exchange?.keepAlive(limits: limits, now: now) ?? .nothing
    }

    mutating func beginStreamEarly(hasRoom: Bool) {
        let mayKeep = mayBeKept && hasRoom
        exchange?.beginStreamEarly(mayKeep: mayKeep)
    }

    /// What a call produced has been written.
    /// - Parameters:
    ///   - count: How many bytes were taken from it.
    ///   - isVisible: Whether the client got something.
    /// - Returns: For how many bytes the call has room again.
    mutating func wrote(_ count: Int, isVisible: Bool = true, now: NIODeadline) -> Int {
        if isVisible { exchange?.lastWrite = now }
        if unwritableSince == nil { return count }
        exchange?.uncreditedBytes += count
        return 0
    }

    /// The router's answer has come to its end.
    mutating func completeAnswer() {
        exchange?.completeAnswer()
    }
}

// MARK: - The connection

extension ConnectionState {
    /// The connection begins to end; what it still writes is written.
    private mutating func close(now: NIODeadline) -> Action {
        guard !isClosing else { return .nothing }
        isClosing = true
        closingSince = now
        waitingParts = 0
        return .closeAfterWrites
    }

    /// The client has as many connections as it may have.
    mutating func refuseSurplus(now: NIODeadline) -> Bool {
        guard phase == .idle else { return false }
        _ = refuse(.nothing, now: now)
        return true
    }

    /// Everything up to the last answer has been written, or could not be.
    mutating func flushed(isWritten: Bool, now: NIODeadline) -> Action {
        guard isWritten, !isInputEnded, kind == .connection else { return .close }
        isFlushed = true
        closingSince = now
        return .closeOutput
    }

    /// The client has ended its side.
    mutating func inputClosed(now: NIODeadline) -> Action {
        isInputEnded = true
        switch phase {
        case .idle: return close(now: now)
        case .passing where exchange?.isRequestComplete == true: return .nothing
        case .passing: return .passOn
        case .closing where !isFlushed: return .nothing
        case .calling where kind == .stream: return .nothing
        // A client that wants the answer keeps its side open, and there is no other sign of one that left.
        case .receiving, .refusing, .calling, .closing: return .abandonAndClose
        }
    }

    /// The connection is closed, or as good as that: its exchange is over.
    mutating func abandon() {
        isClosing = true
        waitingParts = 0
        exchange = nil
    }

    /// What came in is not HTTP.
    mutating func unreadable(now: NIODeadline) -> FailureAction {
        switch phase {
        case .idle, .receiving, .refusing:
            _ = refuse(.refuseMalformed, now: now)
            return .refuse
        case .passing where exchange?.isRequestComplete == false: return .passOn
        case .calling, .passing:
            hasWaitingFailure = true
            return .keep
        case .closing: return .drop
        }
    }

    /// - Returns: How many bytes the running call has room for again.
    mutating func writabilityChanged(isWritable: Bool, now: NIODeadline) -> Int {
        guard isWritable else {
            unwritableSince = now
            return 0
        }
        unwritableSince = nil
        defer { exchange?.uncreditedBytes = 0 }
        return exchange?.uncreditedBytes ?? 0
    }

    /// Room is needed for other clients.
    /// - Returns: Whether to close the connection.
    mutating func evict() -> Bool {
        guard isUnused else { return false }
        isClosing = true
        return true
    }

    /// The server takes no further requests.
    mutating func drain(now: NIODeadline) -> Action {
        isDraining = true
        return phase == .idle ? close(now: now) : .nothing
    }

    /// The server's time to drain is over.
    mutating func abort() -> Action {
        isDraining = true
        isAborted = true
        switch exchange?.phase {
        case .receiving, .refusing: return .refuseForShutdown
        case .calling: return exchange?.isHeadSent == true ? .failStream : .refuseForShutdown
        case .passing, nil: return .close
        }
    }

    /// Time has gone by.
    mutating func tick(limits: ConnectionLimits, isServerDraining: Bool, now: NIODeadline) -> Action {
        // The event of the drain misses a connection whose handlers were put in place just then.
        if isServerDraining, !isDraining, drain(now: now) == .closeAfterWrites { return .closeAfterWrites }
        func isOver(_ limit: TimeAmount, _ start: NIODeadline?) -> Bool {
            start.map { ConnectionLimits.isOver(limit, since: $0, at: now) } ?? false
        }
        if isOver(limits.writeTimeout, unwritableSince) { return .giveUp }
        switch phase {
        case .idle:
            if headStart != nil {
                return isOver(limits.headTimeout, headStart) ? refuse(.refuseSlowHead, now: now) : .nothing
            }
            return isOver(limits.idleTimeout, lastArrival) ? close(now: now) : .nothing
        case .receiving, .refusing:
            return isOver(limits.bodyTimeout, lastArrival) ? .refuseSlowBody : .nothing
        case .passing:
            let isSlow = exchange?.isRequestComplete == false && isOver(limits.bodyTimeout, lastArrival)
            return isSlow ? .giveUp : .nothing
        case .calling:
            return .attendCall
        case .closing:
            return isOver(isFlushed || isAborted ? limits.lingerTime : limits.writeTimeout, closingSince)
                ? .close : .nothing
        }
    }
}
