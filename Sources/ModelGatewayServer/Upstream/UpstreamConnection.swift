// One TCP connection to an engine: opened, used for one call after the other, closed.

import GatewaySystem
import GatewayWire
import ModelGateway
import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS

/// The handler at the end of a connection's pipeline, behind that of TLS if there is one. Used on its event loop only.
final class UpstreamConnection: ChannelDuplexHandler {
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
    /// The channel's own; nothing but a look is done with it here.
    private var socket: NIOBSDSocket.Handle?
    private var reader = HTTPResponseReader(maxHeadSize: 256 << 10)
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
    /// How long it is kept without a call.
    private var idleLifetime: TimeAmount
    /// The attempt to open it, while that is under way.
    private var dial: UpstreamDial?
    private var cause: (any Error)?
    /// Why the handshake failed.
    private var handshakeFailure: String?

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
        guard let channel, let idleSince, !isClosed, channel.isActive else { return false }
        let idleTime = NIODeadline.now() - idleSince
        return idleTime < idleLifetime && (idleTime < .milliseconds(1) || isQuiet)
    }

    /// Whether nothing waits to be read: no end of the connection, and no bytes that nobody asked for.
    private var isQuiet: Bool {
        socket.map(SystemSocket.isQuiet) ?? true
    }

    // MARK: Opening and closing

    /// Connects, and sends the call's request then; without a call, the connection is kept for one.
    func open(for call: UpstreamCall?) {
        self.call = call
        call?.connection = self
        if call == nil {
            openDeadline = .now() + .seconds(10)
            connections.check(by: openDeadline)
        }
        holdsRoom = connections.takeRoom()
        guard holdsRoom else {
            finish { $0.fail(TransportFailure.noDescriptor) }
            return close()
        }
        let dial = UpstreamDial(to: origin.address, on: connections.eventLoop, names: connections.options.names)
        self.dial = dial
        dial.begin(onTunnel: { self.call?.tunnelling() }, end: { self.opened($0) })
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

    private func fail(_ error: GatewayError) {
        leaveRoom()
        finish { $0.fail(error) }
        close()
    }

    /// Takes over a channel that stands and does not read yet.
    private func join(_ channel: any Channel) throws {
        self.channel = channel
        let pipeline = channel.pipeline.syncOperations
        // Asked for once: it takes longer than all the rest of sending a request.
        socket = try? pipeline.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { $0 }
        if origin.address.isSecure {
            guard let settings = connections.tls else { throw ChannelError.operationUnsupported }
            let handler = try settings.handler(for: origin.address.host)
            tls = handler
            isHandshaking = true
            call?.securing()
            try pipeline.addHandler(handler)
        }
        try pipeline.addHandler(self)
        try channel.syncOptions?.setOption(.autoRead, value: true)
        if !isHandshaking { begin(on: channel) }
    }

    /// It can be used.
    private func begin(on channel: any Channel) {
        origin.warmth.delay = nil
        if let call { return send(call, on: channel) }
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
        if let channel { shut(channel) }
        leaveRoom()
    }

    private func shut(_ channel: any Channel) {
        channel.close(promise: nil)
        guard let tls else { return }
        // TLS has said goodbye with that and would wait for the server's, which nobody needs.
        let handler = NIOLoopBound(tls, eventLoop: connections.eventLoop)
        connections.eventLoop.execute {
            (try? channel.pipeline.syncOperations.context(handler: handler.value))?.close(promise: nil)
        }
    }

    private func leaveRoom() {
        guard holdsRoom else { return }
        holdsRoom = false
        connections.options.room.give()
    }

    // MARK: Calls

    /// Sends a call's request on the connection, which was kept.
    func begin(_ call: UpstreamCall) {
        guard let channel else { return call.fail(.upstreamUnreachable(ChannelError.ioOnClosedChannel)) }
        self.call = call
        isReused = true
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
        if let call { call.fail(call.timeout(at: now)) }
        close()
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
        idleSince = .now()
        connections.check(by: deadline)
        connections.keep(self)
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
        guard isHandshaking, case TLSUserEvent.handshakeCompleted = event, let tls else {
            return context.fireUserInboundEventTriggered(event)
        }
        isHandshaking = false
        guard connections.tls?.isPinned(tls) == true else {
            finish { $0.fail(.upstreamTLSFailed(TransportFailure.notPinned)) }
            return close()
        }
        if let channel { begin(on: channel) }
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
        guard let call else { return }
        self.call = nil
        if isHandshaking { return call.fail(.upstreamTLSFailed(handshakeFailure ?? HandshakeFailure.closed)) }
        if cause == nil, reader.end() { return call.complete() }
        if isReused, !reader.hasBegun, call.request.isRepeatable { return call.starting() }
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
