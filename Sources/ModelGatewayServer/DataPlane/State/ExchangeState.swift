// One request and its answer: what is done with each part of either, decided without sockets.

import NIOCore

/// What a request's head says about the way of its exchange.
struct RequestFacts {
    /// Who answers a request.
    enum Answerer {
        case call
        case router
    }

    var answerer: Answerer
    /// Whether its head alone is reason enough to refuse it.
    var isRefused = false
    var contentLength: Int?
    /// Whether the client waits to be told to send the body.
    var hasExpectation = false
    /// Whether the client lets the connection be used again.
    var allowsKeepAlive = true
    /// Whether the client speaks HTTP/1.1 or later, so that a body of unknown length need not end with the connection.
    var isModern = true
}

/// The decisions about one request and its answer. ``ConnectionState`` has one while a request is under way.
struct ExchangeState {
    enum Phase {
        /// Reading the body of a model call.
        case receiving
        /// Reading past the body of a request that will be refused.
        case refusing
        /// A model call runs and its answer goes out.
        case calling
        /// A request is with the router.
        case passing
    }

    /// What to do with bytes of a request's body.
    enum BodyAction {
        case collect
        case discard
        case passOn
        /// Answer that the body is too large, for the last time on this connection.
        case refuseTooLarge
        /// Answer with the refusal that the head was reason for, for the last time on this connection.
        case refuse
        case drop
    }

    /// What to do at a request's end.
    enum EndAction {
        case startCall
        /// Answer with the refusal that the head was reason for; the connection can go on.
        case refuse
        case passOn
        case drop
    }

    /// How the answer of a call ends.
    enum Ending {
        /// With a body that is all of it.
        case whole
        /// After the parts that came.
        case finished
        /// With an error.
        case failed
    }

    /// How what a call has produced goes out.
    enum AnswerAction {
        /// Head and body in one write.
        case whole
        /// As an error with a status of its own.
        case error
        /// Piece by piece.
        case stream
    }

    /// What to do with the head of a streamed answer.
    enum StreamHeadAction {
        case write
        /// Nothing: it is what the early head promised.
        case leaveOut
        /// An early head went out that this answer cannot follow: an error event instead.
        case errorEvent
    }

    /// What to do with bytes of a streamed answer.
    enum PartAction {
        case chunk
        case plain
        case leaveOut
    }

    /// What to write at the end of a streamed answer.
    enum StreamEndAction {
        /// The end of the framing.
        case end
        /// The whole body as one event, and the end.
        case event
        /// An event that tells of the error, and the end.
        case errorEvent
        /// Nothing: the body stays incomplete, and the client sees that.
        case cut
    }

    private(set) var phase: Phase
    /// Whether the answer's end is the connection's, or whether another request may follow.
    private(set) var isKept = false
    private(set) var isRequestComplete = false
    private(set) var isAnswerComplete = false
    private(set) var isHeadSent = false
    /// Whether the answer's body is framed as chunks.
    private(set) var isChunked = false
    /// The time of the last write, exact to a tick.
    var lastWrite: NIODeadline
    /// Bytes taken from the call that wait for room in the send buffer.
    var uncreditedBytes = 0

    private let allowsKeepAlive: Bool
    private let isModern: Bool
    private var bodyBytes = 0
    private var isEventStream = false
    /// Whether the head went out with a keep-alive comment before the call had an answer.
    private var isHeadEarly = false
    /// Whether the bytes sent so far end at the end of an event, so that a comment may follow.
    private var isBetweenEvents = true

    /// - Parameter phase: Reading a body, reading past one, or passing on.
    init(_ request: RequestFacts, phase: Phase, now: NIODeadline) {
        self.phase = phase
        allowsKeepAlive = request.allowsKeepAlive
        isModern = request.isModern
        lastWrite = now
    }

    /// Whether a whole request has been passed on and a whole answer has come back.
    var isPassed: Bool { phase == .passing && isRequestComplete && isAnswerComplete }
}

// MARK: - The request

extension ExchangeState {
    mutating func bodyPart(_ count: Int, limits: ConnectionLimits) -> BodyAction {
        switch phase {
        case .receiving:
            guard bodyBytes + count <= limits.maxBodyBytes else { return .refuseTooLarge }
            bodyBytes += count
            return .collect
        case .refusing:
            bodyBytes += count
            return bodyBytes > limits.maxDiscardedBytes ? .refuse : .discard
        case .passing: return isRequestComplete ? .drop : .passOn
        case .calling: return .drop
        }
    }

    mutating func requestEnd(now: NIODeadline) -> EndAction {
        guard !isRequestComplete else { return .drop }
        isRequestComplete = true
        switch phase {
        case .receiving:
            phase = .calling
            lastWrite = now
            return .startCall
        case .refusing: return .refuse
        case .passing: return .passOn
        case .calling: return .drop
        }
    }
}

// MARK: - The answer

extension ExchangeState {
    /// The head of an answer goes out.
    /// - Parameter mayKeep: Whether the connection may be used again, for all that has nothing to do with this request.
    /// - Returns: Whether the connection is used again.
    mutating func sendHead(mayKeep: Bool) -> Bool {
        isHeadSent = true
        isKept = mayKeep && allowsKeepAlive
        return isKept
    }

    /// The router's answer has come to its end.
    mutating func completeAnswer() {
        isAnswerComplete = true
    }

    /// How what a call has produced goes out.
    func answer(hasHead: Bool, ending: Ending?) -> AnswerAction {
        if isHeadSent { return .stream }
        switch ending {
        case .whole: return hasHead ? .whole : .stream
        // Nothing has gone out, so the status can tell the error.
        case .failed: return .error
        case .finished, nil: return .stream
        }
    }

    /// - Parameters:
    ///   - isEventStream: Whether the body is one of events.
    ///   - isOK: Whether the status is 200.
    ///   - isWhole: Whether the whole body is there.
    mutating func streamHead(
        isEventStream: Bool,
        isOK: Bool,
        isWhole: Bool,
        mayKeep: Bool
    ) -> StreamHeadAction {
        if isHeadSent {
            // A whole body becomes an event, whatever its status and type.
            if isWhole || isEventStream && isOK { return .leaveOut }
            self.isEventStream = false
            return .errorEvent
        }
        beginStream(mayKeep: mayKeep)
        self.isEventStream = isEventStream
        return .write
    }

    mutating func streamPart(endsEvent: Bool) -> PartAction {
        // Bytes that cannot follow the early head.
        if isHeadEarly, !isEventStream { return .leaveOut }
        isBetweenEvents = endsEvent
        return isChunked ? .chunk : .plain
    }

    mutating func streamEnd(_ ending: Ending) -> StreamEndAction {
        switch ending {
        case .finished: return .end
        case .whole: return .event
        case .failed:
            if isEventStream { return .errorEvent }
            // There is no place for an error in a body of another type.
            isKept = false
            return .cut
        }
    }

    /// Whether a silent answer is kept alive now, and how.
    func keepAlive(limits: ConnectionLimits, now: NIODeadline) -> KeepAliveAction {
        guard ConnectionLimits.isOver(limits.keepAliveInterval, since: lastWrite, at: now) else { return .nothing }
        guard isHeadSent else { return .beginStream }
        return isEventStream && isBetweenEvents ? .comment : .nothing
    }

    /// What to do for an answer that has been silent for long.
    enum KeepAliveAction {
        case nothing
        /// If the client asked for a stream, send the head of one with a comment.
        case beginStream
        case comment
    }

    /// The head of a stream goes out before the call has an answer.
    mutating func beginStreamEarly(mayKeep: Bool) {
        isHeadEarly = true
        isEventStream = true
        beginStream(mayKeep: mayKeep)
    }

    private mutating func beginStream(mayKeep: Bool) {
        isChunked = isModern
        _ = sendHead(mayKeep: mayKeep && isModern)
    }
}
