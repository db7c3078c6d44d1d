// One model call between the task that runs it and the event loop that owns the client's connection.

import GatewayWire
import ModelGateway
import NIOCore
import Synchronization

/// A call that runs. Its task puts the response into an outbox; the connection's event loop takes it out in batches.
///
/// The outbox is bounded: the stream stops while more than ``window`` bytes have not yet found room in the connection's
/// send buffer, so a client that reads slowly slows the upstream down.
final class ModelCall: Sendable {
    /// How many bytes may be under way to the client before the task has to wait.
    static let window = 128 << 10

    /// What the event loop takes at one time.
    struct Batch {
        var head: (status: Int, headers: [HTTPHeader])?
        var chunks: [[UInt8]] = []
        var ending: Ending?

        var isEmpty: Bool { head == nil && chunks.isEmpty && ending == nil }
    }

    /// How a response ends.
    enum Ending {
        /// With this body, which is all of it.
        case whole([UInt8])
        /// After the chunks that came.
        case finished
        /// With an error instead of a response, or instead of the rest of one.
        case failed(GatewayError)
    }

    private struct Outbox {
        var batch = Batch()
        /// Bytes sent by the task that do not yet fit into the connection's send buffer.
        var unsentBytes = 0
        var isPosted = false
        var isAbandoned = false
        var waiter: UnsafeContinuation<Bool, Never>?
    }

    let request: WireRequest
    /// The connection's handler, for the event loop only.
    let connection: NIOLoopBound<DataPlaneHandler>
    private let loop: LoopState
    private let outbox = Lock(Outbox())

    init(request: WireRequest, connection: NIOLoopBound<DataPlaneHandler>, loop: LoopState) {
        self.request = request
        self.connection = connection
        self.loop = loop
    }
}

// MARK: - The task's side

extension ModelCall {
    /// Runs the call to its end. A call that was abandoned ends at its next step.
    func run(on gateway: any ServedGateway) async {
        do throws(GatewayError) {
            let response = try await gateway.relay(request)
            switch response.body {
            case .bytes(let body):
                put(head: (response.status, response.headers), ending: .whole(body))
            case .stream(let stream):
                await relay(stream, status: response.status, headers: response.headers)
            }
        } catch {
            put(ending: .failed(error))
        }
    }

    private func relay(_ stream: any ByteStream, status: Int, headers: [HTTPHeader]) async {
        // The head waits for the first bytes, to go out with them. If they take long the event loop fetches it.
        outbox.withLock { $0.batch.head = (status, headers) }
        do throws(GatewayError) {
            while try await !stream.forward(to: { self.put($0, isLast: $1) }) {
                guard await hasRoom() else {
                    stream.cancel()
                    return
                }
            }
            put(ending: .finished)
        } catch {
            put(ending: .failed(error))
        }
    }

    /// Hands bytes to the event loop, the last ones together with the end of the response.
    /// - Returns: Whether there is room for more.
    private func put(_ bytes: [UInt8], isLast: Bool) -> Bool {
        let isOnLoop = loop.eventLoop.inEventLoop
        let (hasRoom, way) = outbox.withLock { outbox -> (Bool, Way) in
            guard !outbox.isAbandoned else { return (false, .nowhere) }
            outbox.unsentBytes += bytes.count
            let hasRoom = outbox.unsentBytes <= Self.window
            if isOnLoop, outbox.batch.isEmpty { return (hasRoom, .straight) }
            outbox.batch.chunks.append(bytes)
            if isLast { outbox.batch.ending = .finished }
            if isOnLoop { return (hasRoom, .outbox) }
            defer { outbox.isPosted = true }
            return (hasRoom, outbox.isPosted ? .nowhere : .post)
        }
        if way == .straight {
            connection.value.deliver(bytes, isLast: isLast, of: self)
        } else {
            send(way)
        }
        return hasRoom
    }

    private func send(_ way: Way) {
        switch way {
        case .outbox: connection.value.deliver(self)
        case .post: loop.post(self)
        case .straight, .nowhere: break
        }
    }

    /// How bytes of a stream get to the connection.
    private enum Way {
        /// As they are, because nothing waits before them.
        case straight
        /// With what waits before them.
        case outbox
        /// By a message to the event loop.
        case post
        /// Not now: the message is on its way, or nobody takes them.
        case nowhere
    }

    /// Waits until there is room for more.
    /// - Returns: Whether there is still somebody to send to.
    private func hasRoom() async -> Bool {
        await withUnsafeContinuation { continuation in
            let answer: Bool? = outbox.withLock { outbox in
                if outbox.isAbandoned { return false }
                if outbox.unsentBytes <= Self.window { return true }
                outbox.waiter = continuation
                return nil
            }
            if let answer { continuation.resume(returning: answer) }
        }
    }

    private func put(head: (status: Int, headers: [HTTPHeader])? = nil, ending: Ending) {
        let isOnLoop = loop.eventLoop.inEventLoop
        let way = outbox.withLock { outbox -> Way in
            guard !outbox.isAbandoned else { return .nowhere }
            if let head { outbox.batch.head = head }
            outbox.batch.ending = ending
            if isOnLoop { return .outbox }
            defer { outbox.isPosted = true }
            return outbox.isPosted ? .nowhere : .post
        }
        send(way)
    }
}

// MARK: - The event loop's side

extension ModelCall {
    /// Takes what has come since the last time.
    func take() -> Batch {
        outbox.withLock { outbox in
            outbox.isPosted = false
            defer { outbox.batch = Batch() }
            return outbox.batch
        }
    }

    /// Makes room: bytes have gone into the connection's send buffer.
    func credit(_ count: Int) {
        let waiter = outbox.withLock { outbox -> UnsafeContinuation<Bool, Never>? in
            outbox.unsentBytes -= count
            guard outbox.unsentBytes <= Self.window / 2 else { return nil }
            defer { outbox.waiter = nil }
            return outbox.waiter
        }
        waiter?.resume(returning: true)
    }

    /// Nobody will take the response any more.
    func abandon() {
        let waiter = outbox.withLock { outbox -> UnsafeContinuation<Bool, Never>? in
            outbox.isAbandoned = true
            outbox.batch = Batch()
            defer { outbox.waiter = nil }
            return outbox.waiter
        }
        waiter?.resume(returning: false)
    }
}
