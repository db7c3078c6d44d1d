// One TCP connection to an engine: opened, used for one call after the other, closed.

import GatewayWire
import ModelGateway
import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS

/// The handler at the end of a connection's pipeline, behind that of TLS if there is one. Used on its event loop only.
final class UpstreamConnection: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let origin: UpstreamOrigin
    private let connections: UpstreamConnections
    private var channel: (any Channel)?
    /// The handler of TLS, on a secure connection.
    private var tls: NIOSSLClientHandler?
    /// Whether the handshake of TLS is under way.
    private var isHandshaking = false
    /// The connection, when it stands.
    private var socket: UpstreamSocket?
    private var reader = HTTPResponseReader(maxHeadSize: maxHeadSize)
    private var call: UpstreamCall?
    /// Whether the call's request is not the connection's first.
    private var isReused = false
    /// Whether bytes of the call's request may still be waiting in this process.
    private var isWriting = false
    private var isClosed = false
    /// Whether it is counted among the connections of the process.
    private var holdsRoom = false
    private var context: ChannelHandlerContext?
    private var gate = ReadGate()
    /// Bytes that the present read has brought.
    private var bytesOfRead = 0
    private var idleSince: NIODeadline?
    /// Until when it has to stand that is opened for no call yet.
    private var openDeadline = NIODeadline.distantFuture
    /// Whether calls wait for it together.
    private var isAwaited = false
    /// How long it is kept without a call.
    private var idleLifetime: TimeAmount
    /// The attempt to open it, while that is under way.
    private var dial: UpstreamDial?
    private var cause: (any Error)?
    /// Why the handshake failed.
    private var handshakeFailure: String?

    /// The most bytes of a response's head.
    static let maxHeadSize = 256 << 10

    init(to origin: UpstreamOrigin, in connections: UpstreamConnections) {
        self.origin = origin
        self.connections = connections
        idleLifetime = connections.options.idleLifetime
    }

    /// Whether a call is on it.
    var isBusy: Bool { call != nil }

    /// Whether it is kept for a call to come.
    var isIdle: Bool { call == nil && idleSince != nil && !isClosed }

    /// When something has to happen to it.
    var deadline: NIODeadline {
        call?.deadline ?? idleSince.map { $0 + idleLifetime } ?? openDeadline
    }

    /// Whether an idle connection is still open. An engine's goodbye may have come in since the loop last
    /// looked, so the kernel is asked unless the last use was just now.
    var stands: Bool {
        guard let socket, let idleSince, !isClosed, socket.channel.isActive else { return false }
        let idleTime = NIODeadline.now() - idleSince
        return idleTime < idleLifetime && (idleTime < .milliseconds(1) || socket.isQuiet)
    }

    // MARK: Opening and closing

    /// Connects, and sends the call's request then; without a call, the connection is kept for one.
    /// - Parameter deadline: When it must stand, if calls wait for it together.
    func open(for call: UpstreamCall?, by deadline: NIODeadline? = nil) {
        self.call = call
        call?.carrier = self
        isAwaited = deadline != nil
        if call == nil {
            openDeadline = deadline ?? .now() + .seconds(10)
            connections.check(by: openDeadline)
        }
        holdsRoom = connections.takeRoom(isWanted: call != nil || isAwaited)
        guard holdsRoom else { return fail(TransportFailure.noDescriptor) }
        let dial = UpstreamDial(to: origin.address, on: connections.eventLoop, names: connections.options.names)
        self.dial = dial
        dial.begin(onTunnel: { self.enter(.tunnelling) }, end: { self.opened($0) })
    }

    private func opened(_ result: Result<any Channel, GatewayError>) {
        dial = nil
        switch result {
        case .success(let channel):
            do {
                try join(channel)
            } catch {
                channel.close(promise: nil)
                fail(.upstreamUnreachable(error))
            }
        case .failure(let error): fail(error)
        }
    }

    /// It comes to nothing.
    /// - Parameter error: Why; nil if its time is over and no call is on it.
    private func fail(_ error: GatewayError?) {
        let wasAwaited = isAwaited
        isAwaited = false
        leaveRoom()
        if let error { finish { $0.fail(error) } }
        close()
        if wasAwaited { origin.multiplexed?.failed(error) }
    }

    /// It has come so far.
    private func enter(_ phase: UpstreamCall.Phase) {
        call?.enter(phase)
        if isAwaited { origin.multiplexed?.move(to: phase) }
    }

    /// Takes over a channel that stands and does not read yet.
    private func join(_ channel: any Channel) throws {
        self.channel = channel
        let pipeline = channel.pipeline.syncOperations
        if origin.address.isSecure {
            guard let settings = connections.tls else { throw ChannelError.operationUnsupported }
            let handler = try settings.handler(for: origin.address.host)
            tls = handler
            isHandshaking = true
            enter(.securing)
            try pipeline.addHandler(handler)
        }
        try pipeline.addHandler(self)
        let socket = UpstreamSocket(channel, tls: tls)
        self.socket = socket
        try channel.syncOptions?.setOption(.autoRead, value: true)
        if !isHandshaking { begin(on: socket, isMultiplexed: origin.multiplexed != nil) }
    }

    /// It can be used.
    /// - Parameter isMultiplexed: Whether HTTP/2 is spoken on it.
    private func begin(on socket: UpstreamSocket, isMultiplexed: Bool) {
        origin.warmth.delay = nil
        // Opened for calls to come, which nobody expects any more.
        if call == nil, !isAwaited, origin.warmth.count == 0 { return close() }
        let (call, isAwaited) = (call, isAwaited)
        self.isAwaited = false
        if isMultiplexed, let shared = origin.multiplexed {
            self.call = nil
            isClosed = true
            holdsRoom = false
            connections.handOver(self)
            socket.channel.pipeline.syncOperations.removeHandler(self, promise: nil)
            shared.agreed(socket, for: call, isAwaited: isAwaited)
        } else if let call {
            send(call, on: socket.channel)
        } else if isAwaited, let shared = origin.multiplexed {
            shared.agreedOnHTTP1(self)
        } else {
            rest()
        }
    }

    /// Is kept for the next call.
    func rest() {
        idleSince = .now()
        connections.check(by: deadline)
        connections.keep(self)
    }

    /// Closes the connection at once. A call that is on it has been told.
    func close() {
        call = nil
        connections.remove(self)
        guard !isClosed else { return }
        isClosed = true
        dial?.cancel()
        dial = nil
        if let channel { (socket ?? UpstreamSocket(channel, tls: tls)).close() }
        leaveRoom()
    }

    private func leaveRoom() {
        guard holdsRoom else { return }
        holdsRoom = false
        connections.options.room.give()
    }

    // MARK: Calls

    /// Sends a call's request on the connection.
    /// - Parameter isReused: Whether it was kept after another call.
    func begin(_ call: UpstreamCall, isReused: Bool = true) {
        guard let channel else { return call.fail(.upstreamUnreachable(ChannelError.ioOnClosedChannel)) }
        self.call = call
        self.isReused = isReused
        idleSince = nil
        send(call, on: channel)
    }

    private func send(_ call: UpstreamCall, on channel: any Channel) {
        reader.begin(expectsBody: call.request.method != "HEAD")
        call.sending(on: self)
        let bytes = UpstreamRequest.bytes(
            of: call.request,
            target: call.target,
            authority: origin.address.authority,
            proxyAuthorization: origin.proxyAuthorization,
            allocator: channel.allocator
        )
        if let upload = call.upload {
            isWriting = true
            channel.writeAndFlush(bytes, promise: nil)
            return upload.start(for: call, on: connections.eventLoop)
        }
        guard bytes.readableBytes > Self.atOnce else {
            channel.writeAndFlush(bytes, promise: nil)
            return
        }
        isWriting = true
        channel.writeAndFlush(bytes).assumeIsolated().whenSuccess { self.isWriting = false }
    }

    /// A fresh send buffer takes this many bytes without waiting.
    private static let atOnce = 16 << 10

    /// Stops reading, so that the engine has to wait, or goes on.
    func holdBack(_ isHeldBack: Bool) {
        gate.isHeldBack = isHeldBack
        readOn()
    }

    /// Reads on after a moment of the pacer.
    func resume() {
        gate.isPaced = false
        readOn()
    }

    private func readOn() {
        if gate.answer() { context?.read() }
    }

    /// A limit of time has passed.
    func expire(at now: NIODeadline) {
        fail(call.map { $0.timeout(at: now) })
    }

    private func finish(_ end: (UpstreamCall) -> Void) {
        guard let call else { return }
        self.call = nil
        end(call)
    }

    /// The response was read to its end.
    private func responseComplete(excess: Bool) {
        guard let call else { return }
        self.call = nil
        let isKept = reader.keepsConnection && !excess && !isWriting && !isClosed
        call.complete()
        guard isKept else { return close() }
        idleLifetime = connections.idleLifetime(announcedSeconds: reader.idleSeconds)
        rest()
    }
}

// MARK: - A streamed body

extension UpstreamConnection: UpstreamCarrier {
    func send(body: [UInt8]) -> EventLoopFuture<Void> {
        guard let channel, let call, !isClosed else {
            return connections.eventLoop.makeFailedFuture(ChannelError.ioOnClosedChannel)
        }
        guard call.upload?.length == nil else { return channel.writeAndFlush(channel.allocator.buffer(bytes: body)) }
        var buffer = channel.allocator.buffer(capacity: body.count + 20)
        buffer.writeString(String(body.count, radix: 16))
        buffer.writeStaticString("\r\n")
        buffer.writeBytes(body)
        buffer.writeStaticString("\r\n")
        return channel.writeAndFlush(buffer)
    }

    func endBody() {
        isWriting = false
        guard let channel, let call, !isClosed, call.upload?.length == nil else { return }
        channel.writeAndFlush(channel.allocator.buffer(staticString: "0\r\n\r\n"), promise: nil)
    }
}

// MARK: - What comes in

extension UpstreamConnection {
    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    /// The channel asks for more, as it does after each read.
    func read(context: ChannelHandlerContext) {
        if gate.ask() { context.read() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        bytesOfRead += buffer.readableBytes
        // Bytes that nobody asked for would be taken for the next answer.
        guard let call else { return close() }
        call.receivedSomething(at: .now())
        do throws(HTTPResponseError) {
            let count = try buffer.withUnsafeBytes { bytes throws(HTTPResponseError) in
                try reader.read(bytes, onHead: { take($0, of: call) }, onBody: { call.received(body: $0) })
            }
            if reader.isComplete { responseComplete(excess: count < buffer.readableBytes) }
        } catch {
            call.fail(.upstreamMalformed(error, in: call.phase))
            close()
        }
    }

    private func take(_ head: HTTPResponseHead, of call: UpstreamCall) {
        if head.status == 407, let proxy = origin.address.proxy, proxy.kind == .http {
            call.fail(TransportFailure.tunnelFailed(proxy.user == nil ? .wantsCredentials : .refusesCredentials))
            return close()
        }
        guard head.isEncoded, !call.takesEncodedBodies else { return call.received(head) }
        origin.compressesUnasked = true
        call.fail(.upstreamCompressed)
        close()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        let isSmall = bytesOfRead < Self.longRead
        bytesOfRead = 0
        guard let call else { return }
        call.wake()
        guard isSmall, call.isForwarding, !gate.isPaced else { return }
        gate.isPaced = connections.pacer.holds(self, at: .now())
    }

    /// A read of this many bytes is worth its cost.
    private static let longRead = 16 << 10

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard isHandshaking, case TLSUserEvent.handshakeCompleted(let version) = event, let tls else {
            return context.fireUserInboundEventTriggered(event)
        }
        isHandshaking = false
        guard connections.tls?.isPinned(tls) == true else {
            return fail(.upstreamTLSFailed(TransportFailure.notPinned))
        }
        if let socket { begin(on: socket, isMultiplexed: version == "h2") }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if isHandshaking, handshakeFailure == nil {
            // The server's certificate is gone with the handler.
            handshakeFailure = HandshakeFailure.reason(error, certificate: tls?.peerCertificate)
        }
        cause = cause ?? error
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        isClosed = true
        leaveRoom()
        connections.remove(self)
        if isHandshaking { return fail(.upstreamTLSFailed(handshakeFailure ?? HandshakeFailure.closed)) }
        guard let call else { return }
        self.call = nil
        if cause == nil, reader.end() { return call.complete() }
        if isReused, !reader.hasBegun, call.isRepeatable { return call.starting() }
        call.fail(.upstreamBroke(cause, in: call.phase, wasReused: isReused))
    }
}

extension ByteBuffer {
    /// Calls `body` with the readable bytes; unlike `withUnsafeReadableBytes` it passes a typed error on.
    fileprivate func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let result = withUnsafeReadableBytes { bytes in
            do throws(Failure) {
                return Swift.Result<Result, Failure>.success(try body(bytes))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
