// A mock model server on a real loopback socket that does exactly what a test tells it to, and records what it saw.

import GatewaySystem
import GatewayWire
internal import ModelGateway
import Synchronization

/// A mock model server on 127.0.0.1 with plain sockets and threads of its own.
///
/// Scripts from ``enqueue(_:)`` are used first, in the order of the requests' arrival; then the closure answers.
///
/// ```swift
/// let engine = try ScriptedEngine { _ in .json(#"{"ok":true}"#) }
/// defer { engine.stop() }
/// engine.enqueue(.events(["{}"]).cut(after: 100))
/// // … call engine.url …
/// try await engine.waitForRequests(1)
/// ```
///
/// An engine that is dropped without ``stop()`` stops by itself.
public final class ScriptedEngine: Sendable {
    /// Decides what is answered to a request.
    public typealias Responder = @Sendable (RecordedRequest) -> Script

    /// The port that it listens on, also after it was stopped.
    public let port: UInt16
    /// The root of its URLs, such as `http://127.0.0.1:49152`.
    public var url: String { "http://127.0.0.1:\(port)" }

    private let core: EngineCore
    /// Holds the port for as long as the engine exists: while it refuses connections no one else may get it.
    private let reservation: Int32

    /// Starts listening.
    /// - Parameters:
    ///   - port: The port; 0, the default, takes a free one.
    ///   - respond: Answers each request for which no script was enqueued. Called on a thread of the engine.
    /// - Throws: ``ScriptedEngineError`` if the port cannot be listened on.
    public init(port: UInt16 = 0, respond: @escaping Responder = { _ in .json("{}") }) throws {
        core = EngineCore(respond: respond)
        (reservation, self.port) = try EngineSocket.take(port: port)
        try core.listen(port: self.port)
    }

    deinit {
        core.stop()
        _ = SystemSocket.close(reservation)
    }

    /// Adds scripts for the next requests.
    public func enqueue(_ scripts: Script...) {
        core.state.withLock { $0.scripts.append(contentsOf: scripts) }
    }

    /// Lets every script that has begun go on, from where it has stalled or past the stall that it comes to next.
    public func release() {
        core.state.withLock { $0.releases += 1 }
    }

    /// Stops listening; new connections are refused from now on. Connections that stand are not touched.
    public func refuseConnections() {
        core.stopListening()
    }

    /// Listens again, on the same port, after ``refuseConnections()``.
    public func acceptConnections() throws {
        try core.listen(port: port)
    }

    /// Closes each connection that stands, in order or with a reset.
    public func closeConnections(_ ending: Script.Ending = .close) {
        core.interruptConnections(withReset: { if case .reset = ending { true } else { false } }())
    }

    /// Stops listening, closes all connections and ends all threads. Returns when that is done. Idempotent.
    public func stop() {
        core.stop()
    }

    // MARK: Records

    /// The requests that came in whole, in the order of their arrival.
    public var requests: [RecordedRequest] { core.state.withLock { $0.requests } }

    /// The connections, in the order in which they were accepted.
    public var connections: [RecordedConnection] { core.state.withLock { $0.connections } }

    /// How many connections are open.
    public var openConnections: Int {
        core.state.withLock { state in state.connections.count { $0.closed == nil } }
    }

    /// Waits until so many requests have come in.
    /// - Parameters:
    ///   - count: How many.
    ///   - limit: A guard against hanging; the default is generous.
    /// - Throws: ``ScriptedEngineError`` after the limit, `CancellationError` if the task is cancelled.
    public func waitForRequests(_ count: Int, within limit: Duration = .seconds(20)) async throws {
        try await wait("\(count) requests", within: limit) { $0.requests.count >= count }
    }

    /// Waits until the client has closed a connection.
    /// - Parameters:
    ///   - index: The connection's number; nil waits for all that were accepted.
    ///   - limit: A guard against hanging.
    public func waitForClientClose(connection index: Int? = nil, within limit: Duration = .seconds(20)) async throws {
        try await wait("the client to close", within: limit) { state in
            guard let index else { return state.connections.allSatisfy { $0.closed != nil } }
            return index < state.connections.count && state.connections[index].wasClosedByClient
        }
    }

    /// Waits until so many connections are open.
    public func waitForOpenConnections(_ count: Int, within limit: Duration = .seconds(20)) async throws {
        try await wait("\(count) open connections", within: limit) { state in
            state.connections.count { $0.closed == nil } == count
        }
    }

    /// Waits until a condition on the connections holds.
    public func waitForConnections(
        within limit: Duration = .seconds(20),
        _ condition: @Sendable ([RecordedConnection]) -> Bool
    ) async throws {
        try await wait("a condition on its connections", within: limit) { condition($0.connections) }
    }

    private func wait(
        _ what: String,
        within limit: Duration,
        _ condition: (EngineCore.State) -> Bool
    ) async throws {
        let end = ContinuousClock.now + limit
        while !core.state.withLock({ condition($0) }) {
            guard ContinuousClock.now < end else {
                throw ScriptedEngineError("The scripted engine waited in vain for \(what).")
            }
            try await Task.sleep(for: .milliseconds(1))
        }
    }
}

/// The part of an engine that its threads share. It outlives the engine until the last of them has ended.
final class EngineCore: Sendable {
    struct State {
        var scripts: [Script] = []
        var requests: [RecordedRequest] = []
        var connections: [RecordedConnection] = []
        var releases = 0
        var isStopped = false
        /// The descriptors of the connections that stand, by number.
        var descriptors: [Int: Int32] = [:]
        var threads = 0
        /// The write end of the pipe that ends the accepting thread, if there is one.
        var listenerWaker: StreamDescriptor?
    }

    let state = Lock(State())
    private let respond: ScriptedEngine.Responder

    init(respond: @escaping ScriptedEngine.Responder) {
        self.respond = respond
    }

    func listen(port: UInt16) throws {
        let listener = try EngineSocket.listen(port: port)
        let wake: Pipe
        do throws(SystemError) {
            wake = try Pipe()
        } catch {
            _ = SystemSocket.close(listener)
            throw ScriptedEngineError("The scripted engine cannot make a pipe: \(error).")
        }
        state.withLock { state in
            state.listenerWaker = wake.writeEnd
            state.isStopped = false
            state.threads += 1
        }
        let isStarted = startThread { [self] in
            while let descriptor = EngineSocket.accept(listener, wake: wake.readEnd.descriptor) {
                serve(descriptor)
            }
            _ = SystemSocket.close(listener)
            wake.readEnd.close()
            state.withLock { $0.threads -= 1 }
        }
        if !isStarted {
            _ = SystemSocket.close(listener)
            wake.readEnd.close()
            wake.writeEnd.close()
            state.withLock { state in
                state.threads -= 1
                state.listenerWaker = nil
            }
            throw ScriptedEngineError("The scripted engine cannot start a thread.")
        }
    }

    func stopListening() {
        let waker = state.withLock { state in
            defer { state.listenerWaker = nil }
            return state.listenerWaker
        }
        guard let waker else { return }
        let threads = state.withLock { $0.threads - $0.descriptors.count }
        // A byte, for a child process may hold a copy of this end and so hide that it is closed.
        withUnsafeBytes(of: UInt8(0)) { try? waker.write($0) }
        waker.close()
        // The listener must be closed when this returns; its thread only has to notice.
        while threads > 0, state.withLock({ $0.threads - $0.descriptors.count }) >= threads {
            CurrentThread.sleep(for: .microseconds(200))
        }
    }

    func interruptConnections(withReset: Bool) {
        state.withLock { state in
            for descriptor in state.descriptors.values {
                if withReset { EngineSocket.closeWithReset(descriptor) }
                EngineSocket.interrupt(descriptor)
            }
        }
    }

    func stop() {
        stopListening()
        state.withLock { $0.isStopped = true }
        interruptConnections(withReset: false)
        while state.withLock({ $0.threads }) > 0 { CurrentThread.sleep(for: .microseconds(200)) }
    }

    private func serve(_ descriptor: Int32) {
        let index = state.withLock { state in
            let index = state.connections.count
            state.connections.append(RecordedConnection(index: index, opened: .now))
            state.descriptors[index] = descriptor
            state.threads += 1
            return index
        }
        let isStarted = startThread { [self] in
            let connection = EngineConnection(core: self, descriptor: descriptor, index: index, respond: respond)
            // The FIN must go out even if a child process holds a copy of the descriptor; it must not before an RST.
            if connection.run() != .reset { EngineSocket.interrupt(descriptor) }
            leave(descriptor, index)
        }
        if !isStarted { leave(descriptor, index) }
    }

    private func startThread(_ body: @escaping @Sendable () -> Void) -> Bool {
        // Hundreds of connections are common in a test; they need little stack.
        OwnThread.start(name: "scripted-engine", stackSize: 512 << 10, body) == 0
    }

    private func leave(_ descriptor: Int32, _ index: Int) {
        state.withLock { state in
            state.descriptors[index] = nil
            _ = SystemSocket.close(descriptor)
            state.connections[index].closed = .now
            state.threads -= 1
        }
    }
}
