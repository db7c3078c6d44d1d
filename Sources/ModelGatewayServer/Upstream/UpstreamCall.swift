// One request to an engine and its response, between the connection that carries it and the task that waits for it.

import GatewayWire
import ModelGateway
import NIOCore

/// A call under way. Used on its event loop only; ``UpstreamCallReference`` is how others hold it.
final class UpstreamCall {
    /// How the forwarding of the body ended.
    enum ForwardEnd {
        case whole
        /// The receiver wanted no more.
        case stopped
        case failed(GatewayError)
    }

    /// What a reader of the body gets.
    enum BodyRead {
        case bytes([UInt8])
        case end
        case failed(GatewayError)
    }

    /// How far it has come. The order matters.
    enum Phase: Int, Comparable {
        case connecting
        /// Connected to a proxy, which is asked to pass bytes on.
        case tunnelling
        /// Connected; TLS is being agreed on.
        case securing
        /// The engine is to say how it speaks HTTP/2.
        case agreeing
        case sending
        case readingHead
        case readingBody
        case ended

        static func < (left: Phase, right: Phase) -> Bool { left.rawValue < right.rawValue }
    }

    typealias HeadWaiter = UnsafeContinuation<Result<HTTPResponseHead, GatewayError>, Never>
    typealias BodyWaiter = UnsafeContinuation<BodyRead, Never>
    typealias ForwardWaiter = UnsafeContinuation<ForwardEnd, Never>

    let request: HTTPTransportRequest
    let origin: UpstreamOrigin
    let target: String
    private let connections: UpstreamConnections
    private(set) var phase = Phase.connecting
    /// What carries it, while something does.
    weak var carrier: (any UpstreamCarrier)?
    /// Sends the body, if that is a stream.
    let upload: UpstreamUpload?
    private let start = NIODeadline.now()
    private var phaseDeadline = NIODeadline.distantFuture
    private let totalDeadline: NIODeadline

    private var headWaiter: HeadWaiter?
    private var bodyWaiter: BodyWaiter?
    private var receiver: (receive: BodyReceiver, end: ForwardWaiter)?
    /// Whether the receiver has been called and not returned yet: what it does may wake the call again.
    private var isPassingOn = false
    private var head: HTTPResponseHead?
    private var received: [UInt8] = []
    private var failure: GatewayError?
    private var isHeldBack = false
    /// How often the engine has refused it unread.
    private var refusals = 0
    private static let mostRefusals = 5
    /// The bytes that may still be read and thrown away; nil while they are wanted.
    private var discardBudget: Int?

    /// Bytes of a body that may wait for their reader before the engine is held back. One read of the event loop may bring
    /// 256 KiB more: four buffers of 64 KiB each.
    private static let window = 128 << 10

    init(
        _ request: HTTPTransportRequest,
        to origin: UpstreamOrigin,
        target: String,
        in connections: UpstreamConnections
    ) {
        self.request = request
        self.origin = origin
        self.target = target
        self.connections = connections
        totalDeadline = start.after(request.timeouts.total)
        upload =
            if case .stream(let source, let length) = request.body {
                UpstreamUpload(source, length: length)
            } else {
                nil
            }
    }

    /// When a limit of time passes, the phase's or the total's.
    var deadline: NIODeadline { min(phaseDeadline, totalDeadline) }

    /// Whether it is over, whatever became of it.
    var hasEnded: Bool { phase == .ended }

    /// Whether the body is a stream on its way through.
    var isForwarding: Bool { receiver != nil }

    /// Whether the request may go out a second time without doing its work twice.
    var isRepeatable: Bool { request.isRepeatable && upload == nil }

    /// Whether the caller reads compressed bodies itself.
    var takesEncodedBodies: Bool { request.headers.contains { HeaderText.equals($0.name, "accept-encoding") } }
}

// MARK: - The reader's side

extension UpstreamCall {
    /// Begins the call and resumes the continuation with the final head.
    func begin(_ waiter: HeadWaiter) {
        if let failure { return waiter.resume(returning: .failure(failure)) }
        do throws(GatewayError) {
            try UpstreamRequest.check(request)
        } catch {
            phase = .ended
            failure = error
            upload?.stop()
            return waiter.resume(returning: .failure(error))
        }
        headWaiter = waiter
        allow(request.timeouts.connect, from: start)
        connections.start(self)
    }

    /// What of the body is there, or its end; nil if there is nothing yet.
    func take() -> BodyRead? {
        if !received.isEmpty {
            var bytes: [UInt8] = []
            swap(&bytes, &received)
            if isHeldBack { release() }
            return .bytes(bytes)
        }
        if let failure { return .failed(failure) }
        return phase == .ended ? .end : nil
    }

    /// Resumes the continuation with what comes next of the body.
    func read(_ waiter: BodyWaiter) {
        if let read = take() { waiter.resume(returning: read) } else { bodyWaiter = waiter }
    }

    /// Passes on what comes of the body until its end, and resumes the continuation then.
    func forward(to receive: @escaping BodyReceiver, _ waiter: ForwardWaiter) {
        receiver = (receive, waiter)
        passOn()
    }

    /// Gives the call up: its connection is closed unless the response has been read, or its rest was discarded.
    func cancel() {
        received = []
        guard discardBudget == nil else { return }
        guard phase < .ended else {
            if failure == nil { failure = TransportFailure.cancelled(wasSent: true) }
            return
        }
        close()
    }

    private func close() {
        giveUp(TransportFailure.cancelled(wasSent: phase > .agreeing))
    }

    /// Lets a small rest of the body come in unread, so that the connection can be kept.
    func discard() {
        received = []
        guard phase < .ended, discardBudget == nil else { return }
        discardBudget = 64 << 10
        phaseDeadline = .now() + .seconds(1)
        connections.check(by: phaseDeadline)
        if isHeldBack {
            isHeldBack = false
            carrier?.holdBack(false)
        }
    }

    private func passOn() {
        guard !isPassingOn else { return }
        isPassingOn = true
        defer { isPassingOn = false }
        while let receiver, let read = take() {
            let end: ForwardEnd
            switch read {
            case .bytes(let bytes):
                let isLast = phase == .ended && failure == nil
                if receiver.receive(bytes, isLast) { continue }
                end = .stopped
            case .end: end = .whole
            case .failed(let error): end = .failed(error)
            }
            self.receiver = nil
            receiver.end.resume(returning: end)
        }
    }

    private func release() {
        isHeldBack = false
        allow(request.timeouts.idle, from: .now())
        carrier?.holdBack(false)
    }
}

// MARK: - The connection's side

extension UpstreamCall {
    /// The connection for it has come so far.
    func enter(_ phase: Phase) {
        if self.phase < .ended { self.phase = phase }
    }

    /// The request goes out.
    func sending(on carrier: any UpstreamCarrier) {
        self.carrier = carrier
        phase = .sending
        allow(request.timeouts.firstByte, from: .now())
    }

    /// A piece of the streamed body goes out.
    func uploaded() {
        if phase == .sending { allow(request.timeouts.firstByte, from: .now()) }
    }

    /// The request is to go out once more on another connection.
    func starting() {
        carrier = nil
        phase = .connecting
        allow(request.timeouts.connect, from: .now())
        connections.start(self, mayReuse: false)
    }

    /// The engine has not looked at the request, which goes out again if it can.
    func refused() {
        guard phase < .ended else { return }
        refusals += 1
        guard refusals <= Self.mostRefusals, head == nil, phase < .readingBody, upload?.hasBegun != true else {
            return fail(TransportFailure.refused)
        }
        carrier = nil
        phase = .connecting
        allow(request.timeouts.connect, from: .now())
        connections.start(self)
    }

    /// Something of the response came in.
    func receivedSomething(at now: NIODeadline) {
        if phase == .sending { phase = .readingHead }
        guard discardBudget == nil, !isHeldBack else { return }
        allow(request.timeouts.idle, from: now)
    }

    func received(_ head: HTTPResponseHead) {
        phase = .readingBody
        self.head = head
    }

    /// Takes body bytes.
    func received(body bytes: UnsafeRawBufferPointer) {
        if let budget = discardBudget {
            discardBudget = budget - bytes.count
            if budget < bytes.count { close() }
            return
        }
        guard failure == nil else { return }
        received.append(contentsOf: bytes.assumingMemoryBound(to: UInt8.self))
    }

    /// The response is whole; the connection goes its own way.
    func complete() {
        phase = .ended
        carrier = nil
        upload?.stop()
        wake()
    }

    func fail(_ error: GatewayError) {
        guard phase < .ended else { return }
        phase = .ended
        failure = error
        upload?.stop()
        wake()
    }

    /// Fails, and frees what carries it.
    func giveUp(_ error: GatewayError) {
        fail(error)
        carrier?.close()
    }

    /// Hands over what came in during one read, and holds the engine back if nobody takes it.
    func wake() {
        if let waiter = headWaiter {
            if let head {
                self.head = nil
                headWaiter = nil
                waiter.resume(returning: .success(head))
            } else if let failure {
                headWaiter = nil
                waiter.resume(returning: .failure(failure))
            }
        } else if let waiter = bodyWaiter {
            guard let read = take() else { return }
            bodyWaiter = nil
            waiter.resume(returning: read)
        } else if receiver != nil {
            passOn()
        }
        if received.count >= Self.window, phase == .readingBody, !isHeldBack {
            isHeldBack = true
            phaseDeadline = .distantFuture
            carrier?.holdBack(true)
        }
    }

    /// The limit that has passed, as a failure.
    func timeout(at now: NIODeadline) -> GatewayError {
        let limit =
            if totalDeadline <= now {
                "total"
            } else {
                switch phase {
                case .connecting, .tunnelling, .securing, .agreeing: "connect"
                case .sending: "first-byte"
                case .readingHead, .readingBody, .ended: "idle"
                }
            }
        return .upstreamTimeout(limit, in: phase, isUploading: upload?.isComplete == false)
    }

    private func allow(_ limit: Duration, from now: NIODeadline) {
        phaseDeadline = now.after(limit)
        connections.check(by: deadline)
    }
}

extension NIODeadline {
    /// The end of a limit that begins now; zero means no limit.
    fileprivate func after(_ limit: Duration) -> NIODeadline {
        guard limit > .zero else { return .distantFuture }
        let century = Duration.seconds(100 * 366 * 86_400)
        return self + TimeAmount(min(limit, century))
    }
}
