// The channel handler that takes model calls off an HTTP/1 connection and lets everything else pass to the router.

import ModelGateway
import NIOCore
import NIOHTTP1

/// Answers model calls by itself and passes other requests on, one at a time and in the order in which they came.
///
/// It sits right behind NIO's HTTP decoder, and writes its responses as bytes below NIO's encoder: head, chunk framing
/// and body in one buffer, so that a batch of stream events is one write. While a request is being answered the next
/// ones of the connection wait, and nothing more is read; that the client went away is seen nevertheless.
final class DataPlaneHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// What the connection is doing.
    enum Phase {
        /// Nothing: the next thing to come is a request's head.
        case idle
        /// Reading the body of a model call.
        case receiving
        /// Reading past the body of a model call that will be refused.
        case refusing
        /// A model call runs and its response goes out.
        case calling
        /// A request is with the router.
        case passing
        /// The last response is on its way or out; what still comes in is dropped.
        case closing
    }

    let server: ServerState
    let loop: LoopState
    private(set) var context: ChannelHandlerContext?
    /// The context of NIO's response encoder: bytes written through it go out as they are.
    private(set) var encoder: ChannelHandlerContext?

    /// Whether the client is on this machine.
    private(set) lazy var isPeerLocal = context?.channel.remoteAddress?.isLocal ?? false

    var phase = Phase.idle
    var exchange: Exchange?
    /// Parts of requests that wait for the one before them to be answered.
    var waiting = CircularBuffer<HTTPServerRequestPart>(initialCapacity: 0)
    var waitingError: (any Error)?
    var isAdvancing = false
    var isReadHeld = false
    /// Whether the handlers behind this one got something that the end of a read makes them look at.
    var hasPassedOn = false
    var isDraining = false
    var isInputEnded = false
    /// Whether everything up to the last response has left.
    var isFlushed = false
    var isAborted = false

    /// Whether it has had a request.
    var hasServed = false
    /// Where its client is, while the connection counts among those of that address.
    private var address: ClientAddress?

    // Times, exact to a tick of the loop.
    private let opened = NIODeadline.now()
    var lastArrival: NIODeadline
    /// When the first bytes of a head came that is not complete yet.
    var headStart: NIODeadline?
    var unwritableSince: NIODeadline?
    var closingSince: NIODeadline?

    init(server: ServerState, loop: LoopState) {
        self.server = server
        self.loop = loop
        lastArrival = .now()
    }

    /// Puts a handler for a new connection into its pipeline, together with the one that watches bytes arrive.
    static func install(in pipeline: ChannelPipeline.SynchronousOperations, server: ServerState) throws {
        let handler = DataPlaneHandler(server: server, loop: server.loop(for: pipeline.eventLoop))
        let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
        try pipeline.addHandler(handler, position: .after(decoder))
        try pipeline.addHandler(ArrivalHandler(connection: handler), position: .first)
    }
}

// MARK: - Life in the pipeline

extension DataPlaneHandler {
    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        encoder = try? context.pipeline.syncOperations.context(handlerType: HTTPResponseEncoder.self)
        loop.add(self)
        server.observer?.connectionOpened()
        // Small batches must leave at once: Nagle's algorithm would hold them until the last one is acknowledged.
        try? context.channel.syncOptions?.setOption(ChannelOptions.tcpOption(.tcp_nodelay), value: 1)
    }

    func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        guard server.connections.limitPerAddress > 0, let client = ClientAddress(context.remoteAddress) else { return }
        if server.connections.enter(client) {
            address = client
        } else {
            refuseSurplus()
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        if let address { server.connections.leave(address) }
        loop.remove(self)
        server.observer?.connectionClosed()
        self.context = nil
        encoder = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        clientGone()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent:
            // Not passed on: the handlers behind this one do not know of its calls and would close at once.
            isDraining = true
            if phase == .idle { closeAfterWrites() }
        case ChannelEvent.inputClosed:
            inputClosed(context)
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    /// The client has ended its side. While a call runs that means it went away: a client that wants the answer keeps
    /// its side open, and there is no other sign of one that left.
    private func inputClosed(_ context: ChannelHandlerContext) {
        isInputEnded = true
        switch phase {
        case .idle: closeAfterWrites()
        case .passing where exchange?.isRequestComplete == true: break
        case .passing: context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        case .closing where !isFlushed: break
        case .receiving, .refusing, .calling, .closing:
            clientGone()
            context.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is HTTPParserError || error is NIOHTTPDecoderError else {
            clientGone()
            context.fireErrorCaught(error)
            context.close(promise: nil)
            return
        }
        switch phase {
        case .idle, .receiving, .refusing: refuseMalformed(error)
        case .passing where exchange?.isRequestComplete == false: context.fireErrorCaught(error)
        case .calling, .passing: waitingError = error
        case .closing: break
        }
    }

    /// Lets go of a call whose client cannot be answered any more.
    private func clientGone() {
        guard let exchange else { return }
        exchange.call?.abandon()
        exchange.task?.cancel()
        self.exchange = nil
        phase = .closing
        server.observer?.requestFinished(exchange.record(.clientGone))
    }
}

// MARK: - Making room

extension DataPlaneHandler {
    /// Whether no request is under way on it. One of which only a part of the first head has come counts as unused.
    var isUnused: Bool { phase == .idle && waiting.isEmpty && (headStart == nil || !hasServed) }

    /// Since when it lies unused.
    var unusedSince: NIODeadline { hasServed ? lastArrival : opened }

    /// Closes it to make room for others.
    func evict() {
        phase = .closing
        context?.close(promise: nil)
    }
}

// MARK: - Reading

extension DataPlaneHandler {
    /// Whether more input may be read from the socket. While a request is answered one read's worth may come early and
    /// waits; more could fill the memory with requests. Without that the socket's registration with the kernel would
    /// change twice for each request.
    private var mayRead: Bool { takesParts || (waiting.isEmpty && waitingError == nil) }

    /// Whether what has been read is looked at now, and not after the response that is being given.
    private var takesParts: Bool {
        switch phase {
        case .calling: false
        case .passing: exchange?.isRequestComplete == false
        case .idle, .receiving, .refusing, .closing: true
        }
    }

    func read(context: ChannelHandlerContext) {
        if mayRead { context.read() } else { isReadHeld = true }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        if phase == .closing { return }
        if waiting.isEmpty, takesParts { take(part) } else { waiting.append(part) }
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
        while takesParts, phase != .closing, let part = waiting.popFirst() { take(part) }
        isAdvancing = false
        if phase == .idle, waiting.isEmpty {
            if let error = waitingError {
                refuseMalformed(error)
            } else if isInputEnded || isDraining {
                closeAfterWrites()
            }
        }
        channelReadComplete(context: context)
        if mayRead, isReadHeld {
            isReadHeld = false
            context.read()
        }
    }

    private func take(_ part: HTTPServerRequestPart) {
        switch (phase, part) {
        case (.idle, .head(let head)): begin(head)
        case (.receiving, .body(let bytes)): receive(bytes)
        case (.receiving, .end): startCall()
        case (.refusing, .body(let bytes)): discard(bytes)
        case (.refusing, .end): finishRefusal()
        case (.passing, let part): pass(part)
        // The decoder yields a head, bodies and an end in this order.
        case (.idle, _), (.receiving, .head), (.refusing, .head), (.calling, _), (.closing, _): break
        }
    }
}

// MARK: - Writability

extension DataPlaneHandler {
    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            unwritableSince = nil
            if let exchange, exchange.uncreditedBytes > 0 {
                exchange.call?.credit(exchange.uncreditedBytes)
                exchange.uncreditedBytes = 0
            }
        } else {
            unwritableSince = loop.now
        }
        context.fireChannelWritabilityChanged()
    }
}
