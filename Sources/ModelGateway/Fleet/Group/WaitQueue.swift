// Calls that wait for a free place, first come, first served.

internal import DequeModule

/// A call that waits.
struct WaitingCall: Sendable {
    let number: UInt64
    let input: RoutingInput
    let tried: TriedDeployments
    let match: PrefixMatch?
    let deadline: MonotonicInstant
    let continuation: CheckedContinuation<Selection, Never>
}

/// The waiting calls of a group. A retry waits at the front, since it has waited before.
struct WaitQueue: Sendable {
    private(set) var calls = Deque<WaitingCall>()
    /// Whether a task is watching the deadlines.
    var isWatched = false

    var isEmpty: Bool { calls.isEmpty }
    var count: Int { calls.count }

    mutating func insert(_ call: WaitingCall) {
        if call.tried.entries.isEmpty { calls.append(call) } else { calls.prepend(call) }
    }

    mutating func remove(_ number: UInt64) -> WaitingCall? {
        calls.firstIndex { $0.number == number }.map { calls.remove(at: $0) }
    }

    mutating func remove(at index: Int) -> WaitingCall {
        calls.remove(at: index)
    }

    /// Removes the calls whose time is up.
    mutating func expire(now: MonotonicInstant) -> [WaitingCall] {
        let expired: [WaitingCall] = calls.filter { $0.deadline <= now }
        if !expired.isEmpty { calls.removeAll { $0.deadline <= now } }
        return expired
    }

    /// The next deadline.
    var nextDeadline: MonotonicInstant { calls.map(\.deadline).min() ?? .never }
}

/// What must be done outside the group's lock after a change.
struct DeferredEffects: Sendable {
    /// Calls that have finished waiting, with their answers.
    let served: [(WaitingCall, Selection)]
    /// What has happened.
    let events: [FleetEvent]
    /// Slots whose deployment is gone.
    let leaving: [Int]
}

extension GroupCore {
    // How many queued calls are tried when a place becomes free: the first ones may want other deployments.
    private static let lookahead = 16

    /// Gives free places to waiting calls, in order. Returns the calls that have finished waiting, with their answers.
    mutating func serveQueue(now: MonotonicInstant) -> [(WaitingCall, Selection)] {
        guard !queue.isEmpty else { return [] }
        var served: [(WaitingCall, Selection)] = []
        var index = 0
        while index < min(queue.count, Self.lookahead) {
            let call = queue.calls[index]
            let selection = take(call.input, excluding: call.tried, match: call.match, now: now)
            if case .full = selection {
                index += 1
            } else {
                served.append((queue.remove(at: index), selection))
            }
        }
        return served
    }

    /// What a change has led to; nil in the usual case of nothing.
    mutating func takeDeferredEffects(now: MonotonicInstant) -> DeferredEffects? {
        if queue.isEmpty, events.isEmpty, leaving.isEmpty { return nil }
        let served = serveQueue(now: now)
        defer {
            events = []
            leaving = []
        }
        return DeferredEffects(served: served, events: events, leaving: leaving)
    }

    /// The error for a call that finds the queue full.
    func queueFull() -> GatewayError {
        GatewayError(
            .rateLimited,
            "The model \(configuration.model) is busy and \(queue.count) calls are already waiting; try again later.",
            retryAfter: .seconds(2)
        )
    }

    /// The error for a call that has waited too long.
    func queueTimedOut() -> GatewayError {
        GatewayError(
            .unavailable,
            "The model \(configuration.model) had no free slot for the call in time; try again later.",
            retryAfter: .seconds(2)
        )
    }
}
