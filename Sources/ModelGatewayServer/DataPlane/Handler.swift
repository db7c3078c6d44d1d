// The channel handler that takes model calls off a connection or stream and lets everything else pass to the router.

import ModelGateway
import NIOCore
import NIOHTTP1
import NIOHTTP2

/// Answers model calls by itself and passes other requests on, one at a time and in the order in which they came.
///
/// It sits right behind NIO's HTTP decoder, and writes its responses as bytes below NIO's encoder: head, chunk framing
/// and body in one buffer, so that a batch of stream events is one write. While a request is being answered the next
/// ones of the connection wait, and nothing more is read; that the client went away is seen nevertheless.
///
/// A stream of an HTTP/2 connection has a handler of its own, behind the codec that gives it the same parts of requests; it
/// carries one request, and its responses are written as frames.
final class DataPlaneHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    let server: ServerState
    let loop: LoopState
    private(set) var context: ChannelHandlerContext?
    /// The context of NIO's response encoder or codec: bytes or frames written through it go out as they are.
    private(set) var wire: ChannelHandlerContext?
    /// Whether it is the handler of an HTTP/2 stream.
    let isStream: Bool
    /// What answers the requests of a stream that are no model calls, until it is in the stream's pipeline.
    var router: StreamRouter?
    /// Whether the frame that ends the stream's answer has been written.
    var isEndWritten = false

    /// Who is at the other end.
    private(set) lazy var peer = connection?.peer ?? context.map { server.peers.peer(of: $0.channel) }
    /// The connection that the stream belongs to.
    private let connection: HTTP2ConnectionHandler?

    /// What is done about each thing that happens.
    var state: ConnectionState
    var exchange: Exchange?
    /// Parts of requests that wait for the one before them to be answered.
    private var waiting = CircularBuffer<HTTPServerRequestPart>(initialCapacity: 0)
    private var waitingError: (any Error)?
    private var isAdvancing = false
    /// Whether the handlers behind this one got something that the end of a read makes them look at.
    var hasPassedOn = false
    /// Where its client is, while the connection counts among those of that address.
    var address: ClientAddress?

    init(
        server: ServerState,
        loop: LoopState,
        router: StreamRouter? = nil,
        connection: HTTP2ConnectionHandler? = nil
    ) {
        self.server = server
        self.loop = loop
        self.router = router
        self.connection = connection
        isStream = router != nil
        state = ConnectionState(router == nil ? .connection : .stream, now: .now())
    }

    /// Puts a handler for a new connection into its pipeline, together with the one that watches bytes arrive.
    static func install(in pipeline: ChannelPipeline.SynchronousOperations, server: ServerState) throws {
        let handler = DataPlaneHandler(server: server, loop: server.loop(for: pipeline.eventLoop))
        let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
        try pipeline.addHandler(handler, position: .after(decoder))
        // What a proxy says first is no part of a request.
        let proxy = server.peers.hasProxyHeaders ? try? pipeline.handler(type: ProxyHeaderHandler.self) : nil
        try pipeline.addHandler(ArrivalHandler(connection: handler), position: proxy.map { .after($0) } ?? .first)
    }

    /// Puts a handler for a new stream into its pipeline, behind the codec.
    static func install(
        in pipeline: ChannelPipeline.SynchronousOperations,
        server: ServerState,
        loop: LoopState,
        router: StreamRouter,
        connection: HTTP2ConnectionHandler
    ) throws {
        try pipeline.addHandler(HTTP2FramePayloadToHTTP1ServerCodec())
        try pipeline.addHandler(DataPlaneHandler(server: server, loop: loop, router: router, connection: connection))
    }
}

// MARK: - Life in the pipeline

extension DataPlaneHandler {
    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        loop.add(self)
        let pipeline = context.pipeline.syncOperations
        if isStream {
            wire = try? pipeline.context(handlerType: HTTP2FramePayloadToHTTP1ServerCodec.self)
            return
        }
        wire = try? pipeline.context(handlerType: HTTPResponseEncoder.self)
        server.observer?.connectionOpened()
        // Small batches must leave at once: Nagle's algorithm would hold them until the last one is acknowledged.
        try? context.channel.syncOptions?.setOption(ChannelOptions.tcpOption(.tcp_nodelay), value: 1)
    }

    func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        if !isStream { enter() }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        if let address { server.connections.leave(address) }
        loop.remove(self)
        if !isStream { server.observer?.connectionClosed() }
        self.context = nil
        wire = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        letGo(as: .clientGone)
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent:
            // Not passed on: the handlers behind this one do not know of its calls and would close at once.
            perform(state.drain(now: loop.now))
        case ChannelEvent.inputClosed:
            let action = state.inputClosed(now: loop.now)
            if action == .passOn { context.fireUserInboundEventTriggered(event) }
            perform(action)
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is HTTPParserError || error is NIOHTTPDecoderError else {
            letGo(as: .clientGone)
            context.fireErrorCaught(error)
            context.close(promise: nil)
            return
        }
        switch state.unreadable(now: loop.now) {
        case .refuse: refuseMalformed(error)
        case .passOn: context.fireErrorCaught(error)
        case .keep: waitingError = error
        case .drop: break
        }
    }

    /// Lets go of a call that cannot be answered any more.
    func letGo(as outcome: RequestRecord.Outcome) {
        // A stream closes with the end of its answer.
        let isAnswered = isStream && state.exchange?.isAnswerComplete == true
        state.abandon()
        waiting.removeAll()
        guard let exchange else { return }
        exchange.call?.abandon()
        if !isAnswered { exchange.task?.cancel() }
        self.exchange = nil
        leave(exchange)
        server.observer?.requestFinished(exchange.record(isAnswered ? .completed : outcome))
    }
}

// MARK: - What has to be done

extension DataPlaneHandler {
    func perform(_ action: ConnectionState.Action) {
        switch action {
        case .nothing, .passOn: break
        case .closeAfterWrites: closeAfterWrites()
        case .closeOutput: context?.close(mode: .output, promise: nil)
        case .close: context?.close(promise: nil)
        case .abandonAndClose:
            letGo(as: .clientGone)
            context?.close(promise: nil)
        case .giveUp:
            letGo(as: .aborted)
            context?.close(promise: nil)
        case .refuseMalformed: refuseMalformed(waitingError ?? HTTPParserError.unknown)
        case .refuseSlowHead: refuseSlow("its head")
        case .refuseSlowBody: refuseSlow("its body")
        case .refuseForShutdown:
            exchange?.task?.cancel()
            respond(to: refusedExchange(), with: .shutdown, closing: true)
        case .failStream:
            exchange?.task?.cancel()
            if let exchange { stream(ModelCall.Batch(ending: .failed(.shutdown)), of: exchange) }
        case .attendCall: attendCall()
        }
    }

    /// Bytes came from the client.
    func bytesArrived() {
        state.bytesArrived(now: loop.now)
    }

    /// Ends what has taken too long, and keeps silent streams alive.
    func tick() {
        perform(state.tick(limits: server.limits, isServerDraining: server.isDraining, now: loop.now))
    }

    /// Ends whatever goes on: the server's time to drain is over.
    func abort() {
        perform(state.abort())
    }

}

extension DataPlaneHandler: LoopMember {
    /// A stream takes no place of its own.
    var isUnused: Bool { !isStream && state.isUnused }

    var hasServed: Bool { state.hasServed }

    var unusedSince: NIODeadline { state.unusedSince }

    func evict() {
        if state.evict() { context?.close(promise: nil) }
    }
}

// MARK: - Reading

extension DataPlaneHandler {
    func read(context: ChannelHandlerContext) {
        if state.read() { context.read() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        if isStream { bytesArrived() }
        switch state.partArrived() {
        case .take: take(part)
        case .keep: waiting.append(part)
        case .drop: break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        guard hasPassedOn else { return }
        hasPassedOn = false
        context.fireChannelReadComplete()
    }

    /// Goes on with what waited for the last response.
    func advance() {
        guard !isAdvancing, let context else { return }
        isAdvancing = true
        while state.takeKeptPart(), let part = waiting.popFirst() { take(part) }
        isAdvancing = false
        perform(state.keptPartsTaken(now: loop.now))
        channelReadComplete(context: context)
        if state.resumeReading() { context.read() }
    }

    private func take(_ part: HTTPServerRequestPart) {
        switch part {
        case .head(let head): begin(head)
        case .body(let bytes): takeBody(bytes)
        case .end(let trailers): takeEnd(trailers)
        }
    }

    /// Ends the connection once everything is written. The input is read on for a moment, because closing a socket with
    /// unread input would reset it, and the client might never see the last response.
    func closeAfterWrites() {
        guard let context, let wire else { return }
        waiting.removeAll()
        if isStream { return endStream() }
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { result in
            let isWritten = if case .success = result { true } else { false }
            self.perform(self.state.flushed(isWritten: isWritten, now: self.loop.now))
        }
        wire.writeAndFlush(NIOAny(IOData.byteBuffer(ByteBuffer())), promise: promise)
        if state.resumeReading() { context.read() }
    }
}

// MARK: - Writability

extension DataPlaneHandler {
    func channelWritabilityChanged(context: ChannelHandlerContext) {
        let room = state.writabilityChanged(isWritable: context.channel.isWritable, now: loop.now)
        if room > 0 { exchange?.call?.credit(room) }
        context.fireChannelWritabilityChanged()
    }
}
