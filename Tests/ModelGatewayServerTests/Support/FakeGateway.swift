// A gateway whose answers a test writes, and a stream that it feeds by hand.

import GatewayWire
import ModelGateway
import ModelGatewayServer
import Synchronization

/// Answers calls with a closure and remembers them.
final class FakeGateway: ServedGateway {
    typealias Answer = @Sendable (WireRequest) async throws(GatewayError) -> WireResponse

    private let answer: Answer
    private let log = Lock<[WireRequest]>([])
    let models: [ModelInfo]
    let isReady: Bool
    let identity = GatewayIdentity()
    /// Told at the beginning and the end of each call.
    let started = Counter()
    let cancelled = Counter()

    init(models: [ModelInfo] = [], isReady: Bool = true, answer: @escaping Answer = { _ in .json("{}") }) {
        self.models = models
        self.isReady = isReady
        self.answer = answer
    }

    var requests: [WireRequest] { log.withLock { $0 } }

    func relay(_ request: WireRequest) async throws(GatewayError) -> WireResponse {
        log.withLock { $0.append(request) }
        started.increment()
        do throws(GatewayError) {
            return try await answer(request)
        } catch {
            if error.code == .cancelled { cancelled.increment() }
            throw error
        }
    }
}

extension WireResponse {
    static func json(_ text: String, status: Int = 200, headers: [HTTPHeader] = []) -> WireResponse {
        WireResponse(
            status: status,
            headers: [HTTPHeader("content-type", "application/json")] + headers,
            body: .bytes(Array(text.utf8))
        )
    }

    static func events(_ stream: any ByteStream) -> WireResponse {
        WireResponse(status: 200, headers: [HTTPHeader("content-type", "text/event-stream")], body: .stream(stream))
    }
}

/// A number that goes up, and that can be waited for.
final class Counter: Sendable {
    private struct State {
        var value = 0
        var waiters: [(Int, CheckedContinuation<Void, Never>)] = []
    }

    private let state = Lock(State())

    var value: Int { state.withLock { $0.value } }

    func increment(by amount: Int = 1) {
        let ready = state.withLock { state in
            state.value += amount
            let ready = state.waiters.filter { $0.0 <= state.value }.map(\.1)
            let value = state.value
            state.waiters.removeAll { $0.0 <= value }
            return ready
        }
        for waiter in ready { waiter.resume() }
    }

    func reached(_ value: Int) async {
        await withCheckedContinuation { continuation in
            let isReached = state.withLock { state in
                if state.value >= value { return true }
                state.waiters.append((value, continuation))
                return false
            }
            if isReached { continuation.resume() }
        }
    }

    /// Like ``reached(_:)``, for code that a gateway would run: ends with an error when the task is cancelled.
    func reachedUnlessCancelled(_ value: Int) async throws(GatewayError) {
        let reached = self
        await withTaskCancellationHandler {
            await reached.reached(value)
        } onCancel: {
            reached.increment(by: value)
        }
        if Task.isCancelled { throw GatewayError(.cancelled, "The task was cancelled.") }
    }
}

/// A stream into which a test puts batches.
final class FakeStream: ByteStream {
    private struct State {
        var batches: [[UInt8]] = []
        var isFinished = false
        var failure: GatewayError?
        var isCancelled = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Lock(State())
    /// How often a batch was taken.
    let pulled = Counter()
    /// How often the stream was given up, by a cancelled task or by ``cancel()``.
    let cancelled = Counter()

    init(_ batches: [String] = [], isFinished: Bool = false) {
        state.withLock { state in
            state.batches = batches.map { Array($0.utf8) }
            state.isFinished = isFinished
        }
    }

    func push(_ text: String) {
        update { $0.batches.append(Array(text.utf8)) }
    }

    func finish() {
        update { $0.isFinished = true }
    }

    func fail(_ error: GatewayError) {
        update {
            $0.failure = error
            $0.isFinished = true
        }
    }

    private func update(_ change: (inout sending State) -> Void) {
        let waiter = state.withLock { state in
            change(&state)
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    func next() async throws(GatewayError) -> [UInt8]? {
        while true {
            let (isDone, batch, failure) = state.withLock { state -> (Bool, [UInt8]?, GatewayError?) in
                if !state.batches.isEmpty { return (true, state.batches.removeFirst(), nil) }
                return (state.isFinished, nil, state.failure)
            }
            if let failure { throw failure }
            if Task.isCancelled {
                cancelled.increment()
                throw GatewayError(.cancelled, "The task was cancelled.")
            }
            if isDone {
                if batch != nil { pulled.increment() }
                return batch
            }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let isLate = state.withLock { state in
                        if !state.batches.isEmpty || state.isFinished || state.isCancelled { return true }
                        state.waiter = continuation
                        return false
                    }
                    if isLate { continuation.resume() }
                }
            } onCancel: {
                update { $0.isCancelled = true }
            }
        }
    }

    func cancel() {
        let isNew = state.withLock { state in
            defer { state.isCancelled = true }
            return !state.isCancelled
        }
        if isNew { cancelled.increment() }
    }
}

/// A stream of many equal batches, made as they are pulled.
final class CountingStream: ByteStream {
    static let batch = [UInt8](repeating: UInt8(ascii: "x"), count: 16 << 10)
    private let limit: Int
    private let made = Lock(0)
    let cancelled = Counter()

    init(batches limit: Int) {
        self.limit = limit
    }

    var pulledBatches: Int { made.withLock { $0 } }

    func next() async throws(GatewayError) -> [UInt8]? {
        if Task.isCancelled {
            cancelled.increment()
            throw GatewayError(.cancelled, "The task was cancelled.")
        }
        return made.withLock { made in
            guard made < limit else { return nil }
            made += 1
            return Self.batch
        }
    }

    func cancel() {
        cancelled.increment()
    }
}
