// The circuit breaker of one deployment for one kind of work: a pure state machine that is told the time.

/// When a breaker opens, for how long, and what closes it again.
public struct CircuitBreakerOptions: Sendable, Hashable {
    /// Failures in a row that open the breaker. Default 5; 0 turns this rule off.
    public var consecutiveFailures: Int
    /// Share of failures in the window that opens the breaker. Default 0.5.
    public var failureRatio: Double
    /// Calls that must be in the window before the share is considered. Default 20; 0 turns this rule off.
    public var minimumCalls: Int
    /// Length of the sliding window. Default 30 s.
    public var window: Duration
    /// How long the breaker stays open the first time. Default 10 s; doubles with each reopening.
    public var openTime: Duration
    /// The longest that the breaker stays open. Default 120 s.
    public var maxOpenTime: Duration
    /// Share by which the open time varies randomly in either direction. Default 0.2.
    public var jitter: Double
    /// Calls that may be in flight at a time while half-open. Default 3.
    public var probes: Int
    /// Successes that close a half-open breaker. Default 2.
    public var successesToClose: Int

    /// Creates a set of limits.
    public init(
        consecutiveFailures: Int = 5,
        failureRatio: Double = 0.5,
        minimumCalls: Int = 20,
        window: Duration = .seconds(30),
        openTime: Duration = .seconds(10),
        maxOpenTime: Duration = .seconds(120),
        jitter: Double = 0.2,
        probes: Int = 3,
        successesToClose: Int = 2
    ) {
        self.consecutiveFailures = consecutiveFailures
        self.failureRatio = failureRatio
        self.minimumCalls = minimumCalls
        self.window = window
        self.openTime = openTime
        self.maxOpenTime = maxOpenTime
        self.jitter = jitter
        self.probes = probes
        self.successesToClose = successesToClose
    }
}

/// Decides from the results of calls whether a deployment may receive more.
package struct CircuitBreaker: Sendable {
    /// The present state.
    package private(set) var state = BreakerState.closed
    /// Counts state changes: a result only counts if its call began in the current epoch.
    package private(set) var epoch: UInt32 = 0
    /// When an open breaker becomes half-open; ``MonotonicInstant/never`` unless open.
    package private(set) var reopening = MonotonicInstant.never
    /// Calls in flight in the half-open state.
    package private(set) var probesUnderWay = 0

    private var failuresInARow = 0
    private var window: SlidingWindow
    private var successesInARow = 0
    private var openings = 0
    // Last, so that the fields every call looks at are next to each other in memory.
    package let options: CircuitBreakerOptions

    /// Creates a closed breaker.
    package init(_ options: CircuitBreakerOptions = CircuitBreakerOptions()) {
        self.options = options
        window = SlidingWindow(length: options.window)
    }

    /// Whether a call may begin now.
    @inline(__always) package var admits: Bool {
        switch state {
        case .closed: true
        case .open: false
        case .halfOpen: probesUnderWay < options.probes
        }
    }

    /// Notes that a call begins; its result belongs to the returned epoch.
    package mutating func begin() -> UInt32 {
        if state == .halfOpen { probesUnderWay += 1 }
        return epoch
    }

    /// Notes that a call begun in `epoch` ended without a verdict, for example because the client cancelled it.
    package mutating func endWithoutVerdict(epoch: UInt32) {
        guard epoch == self.epoch, state == .halfOpen else { return }
        probesUnderWay -= 1
    }

    /// Notes a success. Returns whether the state changed.
    package mutating func succeed(epoch: UInt32, now: MonotonicInstant) -> Bool {
        guard epoch == self.epoch else { return false }
        switch state {
        case .open:
            return false
        case .closed:
            failuresInARow = 0
            window.record(failure: false, now: now)
            return false
        case .halfOpen:
            probesUnderWay -= 1
            successesInARow += 1
            guard successesInARow >= options.successesToClose else { return false }
            close()
            return true
        }
    }

    /// Notes a failure. Returns whether the state changed.
    /// - Parameters:
    ///   - isLast: Whether nothing else in the group is eligible: then the breaker becomes half-open, never open.
    ///   - variation: A number in -1...1 that shifts the open time within its jitter.
    package mutating func fail(epoch: UInt32, now: MonotonicInstant, isLast: Bool, variation: Double) -> Bool {
        guard epoch == self.epoch else { return false }
        switch state {
        case .open:
            return false
        case .closed:
            failuresInARow += 1
            window.record(failure: true, now: now)
            guard tripped(now: now) else { return false }
        case .halfOpen:
            probesUnderWay -= 1
            if isLast {
                successesInARow = 0
                return false
            }
        }
        if isLast { enterHalfOpen() } else { open(now: now, variation: variation) }
        return true
    }

    /// Lets time pass: an open breaker whose time is up becomes half-open. Returns whether the state changed.
    package mutating func advance(to now: MonotonicInstant) -> Bool {
        guard state == .open, now >= reopening else { return false }
        enterHalfOpen()
        return true
    }

    /// Makes an open breaker half-open early, because nothing else is left. Returns whether it was open.
    package mutating func probeEarly() -> Bool {
        guard state == .open else { return false }
        enterHalfOpen()
        return true
    }

    private func tripped(now: MonotonicInstant) -> Bool {
        if options.consecutiveFailures > 0, failuresInARow >= options.consecutiveFailures { return true }
        guard options.minimumCalls > 0 else { return false }
        let counts = window.counts(now: now)
        return counts.calls >= options.minimumCalls
            && Double(counts.failures) >= options.failureRatio * Double(counts.calls)
    }

    private mutating func open(now: MonotonicInstant, variation: Double) {
        let doublings = min(openings, 16)
        let base = min(options.openTime.inSeconds * Double(1 << doublings), options.maxOpenTime.inSeconds)
        openings += 1
        reopening = now + .seconds(base * (1 + options.jitter * variation))
        change(to: .open)
    }

    private mutating func enterHalfOpen() {
        reopening = .never
        change(to: .halfOpen)
    }

    private mutating func close() {
        openings = 0
        reopening = .never
        window = SlidingWindow(length: options.window)
        change(to: .closed)
    }

    private mutating func change(to state: BreakerState) {
        self.state = state
        epoch &+= 1
        failuresInARow = 0
        successesInARow = 0
        probesUnderWay = 0
    }
}
