// One HTTP/2 connection to an engine, and the calls on it.

import ModelGateway
import NIOCore
import NIOHTTP2

/// The handler at the end of an HTTP/2 connection's pipeline. Used on its event loop only.
///
/// Frames go to their calls here and not through a channel for each stream, which would cost more than all the rest. What
/// comes in is always read: a call that does not take its bytes stops being granted more, and the others go on.
final class MultiplexedConnection: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    /// How long nothing may have come in before the engine is asked for a sign of life, and how long it may take for that.
    private static let silence = TimeAmount.seconds(30)
    private static let patience = TimeAmount.seconds(15)

    let origin: UpstreamOrigin
    private let connections: UpstreamConnections
    private let pool: MultiplexedConnections
    private let socket: UpstreamSocket
    private var context: ChannelHandlerContext?
    private var streams: [HTTP2StreamID: MultiplexedStream] = [:]
    private var nextID: HTTP2StreamID = 1
    /// Calls that the engine allows at a time; unknown until it has said so.
    private(set) var limit = 0
    private(set) var isReady = false
    /// Whether it takes no more calls.
    private var isClosing = false
    private var isClosed = false
    private var isFlushDue = false
    private var isReading = false
    /// Calls for which something has come in during the present read.
    private var news: [MultiplexedStream] = []
    /// The call whose stream was given up because of what the engine sent; the reason follows.
    private var broken: MultiplexedStream?
    private var cause: (any Error)?
    /// Why the engine ends the connection, if it said so.
    private var goodbye: HTTP2ErrorCode?
    private var idleSince: NIODeadline?
    private var readyBy = NIODeadline.distantFuture
    private var lastRead = NIODeadline.now()
    private var isAsked = false

    init(
        _ socket: UpstreamSocket,
        to origin: UpstreamOrigin,
        in connections: UpstreamConnections,
        pool: MultiplexedConnections
    ) {
        self.socket = socket
        self.origin = origin
        self.connections = connections
        self.pool = pool
    }

    /// Begins to speak HTTP/2.
    /// - Parameter deadline: When the engine must have answered.
    func start(by deadline: NIODeadline) {
        readyBy = deadline
        connections.check(by: deadline)
        do {
            try socket.channel.pipeline.syncOperations.addHandlers([MultiplexedSettings.handler(), self])
            grant(MultiplexedSettings.window - 65_535, to: .rootStream)
        } catch {
            cause = error
            close()
        }
    }

    // MARK: Calls

    /// Whether it takes a call now. What the engine said while nobody read is read before the next one.
    var hasRoom: Bool {
        guard isReady, !isClosing, !isClosed, streams.count < limit else { return false }
        guard let idleSince else { return true }
        let idleTime = NIODeadline.now() - idleSince
        return idleTime < connections.options.idleLifetime && (idleTime < .milliseconds(1) || socket.isQuiet)
    }

    /// Whether it may take a call when what has come in has been read.
    var isUnread: Bool { isIdle && isReady && !isClosing && limit > 0 && !socket.isQuiet }

    /// Whether it is kept for a call to come.
    var isIdle: Bool { idleSince != nil && !isClosed }

    /// Sends a call's request.
    func begin(_ call: UpstreamCall) {
        let id = nextID
        nextID = id.advanced(by: 2)
        // A connection whose numbers are used up takes no further call.
        if nextID > .maxID.advanced(by: -4) { stopTaking() }
        let stream = MultiplexedStream(id, call, on: self)
        streams[id] = stream
        idleSince = nil
        call.sending(on: stream)
        var body: [UInt8] = []
        if case .bytes(let bytes) = call.request.body { body = bytes }
        let isWhole = body.isEmpty && call.upload == nil
        write(.headers(.init(headers: MultiplexedRequest.headers(of: call), endStream: isWhole)), to: id)
        if !body.isEmpty {
            let buffer = socket.channel.allocator.buffer(bytes: body)
            write(.data(.init(data: .byteBuffer(buffer), endStream: true)), to: id)
        }
        flushSoon()
        call.upload?.start(for: call, on: connections.eventLoop)
    }

    func send(_ body: [UInt8], on stream: MultiplexedStream) -> EventLoopFuture<Void> {
        guard let context, streams[stream.id] === stream else {
            return connections.eventLoop.makeFailedFuture(ChannelError.ioOnClosedChannel)
        }
        let sent = context.eventLoop.makePromise(of: Void.self)
        let buffer = context.channel.allocator.buffer(bytes: body)
        let frame = HTTP2Frame(streamID: stream.id, payload: .data(.init(data: .byteBuffer(buffer))))
        context.writeAndFlush(wrapOutboundOut(frame), promise: sent)
        return sent.futureResult
    }

    func endBody(of stream: MultiplexedStream) {
        guard streams[stream.id] === stream else { return }
        write(.data(.init(data: .byteBuffer(ByteBuffer()), endStream: true)), to: stream.id)
        flushSoon()
    }

    /// A call's answer is whole.
    func leave(_ stream: MultiplexedStream) {
        guard streams.removeValue(forKey: stream.id) != nil else { return }
        if !stream.hasSentEnd {
            // Nobody needs the rest of the request.
            write(.rstStream(.cancel), to: stream.id)
            flushSoon()
        }
        left()
    }

    /// A call was given up.
    func reset(_ stream: MultiplexedStream) {
        guard streams.removeValue(forKey: stream.id) != nil else { return }
        write(.rstStream(.cancel), to: stream.id)
        flushSoon()
        left()
    }

    private func left() {
        guard !isClosed else { return }
        if streams.isEmpty {
            if isClosing { return close() }
            idleSince = .now()
            connections.check(by: deadline)
        }
        pool.roomChanged(on: self)
    }

    private func stopTaking() {
        guard !isClosing else { return }
        isClosing = true
        pool.closing(self)
    }

    // MARK: Frames out

    private func write(_ payload: HTTP2Frame.FramePayload, to id: HTTP2StreamID) {
        context?.write(wrapOutboundOut(HTTP2Frame(streamID: id, payload: payload)), promise: nil)
    }

    /// Lets the engine send more of a call's answer.
    func grant(_ bytes: Int, to stream: MultiplexedStream) {
        if streams[stream.id] === stream { grant(bytes, to: stream.id) }
    }

    private func grant(_ bytes: Int, to id: HTTP2StreamID) {
        write(.windowUpdate(windowSizeIncrement: bytes), to: id)
        flushSoon()
    }

    /// One flush for all calls that begin in the same turn of the event loop.
    private func flushSoon() {
        guard !isFlushDue else { return }
        isFlushDue = true
        if !isReading { connections.eventLoop.assumeIsolated().execute { self.flush() } }
    }

    private func flush() {
        guard isFlushDue else { return }
        isFlushDue = false
        context?.flush()
    }

    // MARK: Limits of time

    /// When something has to happen to it or to a call on it.
    var deadline: NIODeadline {
        guard isReady else { return readyBy }
        let own = lastRead + (isAsked ? Self.silence + Self.patience : Self.silence)
        let unused = idleSince.map { $0 + connections.options.idleLifetime } ?? .distantFuture
        return streams.values.reduce(min(own, unused)) { min($0, $1.call.deadline) }
    }

    func expire(at now: NIODeadline) {
        guard isReady else { return close() }
        for stream in Array(streams.values) where stream.call.deadline <= now {
            stream.call.giveUp(stream.call.timeout(at: now))
        }
        if let idleSince, idleSince + connections.options.idleLifetime <= now { return close() }
        guard lastRead + Self.silence <= now else { return }
        if isAsked, lastRead + Self.silence + Self.patience <= now {
            end { stream in .upstreamSilent(in: stream.call.phase) }
        } else if !isAsked {
            isAsked = true
            write(.ping(HTTP2PingData(withInteger: 0), ack: false), to: .rootStream)
            flushSoon()
        }
    }

    /// Closes it if it is not in use, or else after its use.
    func retire() {
        stopTaking()
        if streams.isEmpty { close() }
    }
}

// MARK: - What comes in

extension MultiplexedConnection {
    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        isReading = true
        let frame = unwrapInboundIn(data)
        switch frame.payload {
        case .data(let data):
            guard let stream = streams[frame.streamID], case .byteBuffer(let bytes) = data.data else { return }
            note(stream)
            stream.receive(bytes, isEnd: data.endStream)
        case .headers(let block):
            guard let stream = streams[frame.streamID] else { return }
            note(stream)
            stream.receive(block.headers, isEnd: block.endStream)
        case .rstStream(let code): wasReset(frame.streamID, code)
        case .goAway(let last, let code, _): goesAway(after: last, code)
        case .settings(.settings(let settings)): take(settings)
        default: break
        }
    }

    /// The call is told at the end of the read, once for all that came.
    private func note(_ stream: MultiplexedStream) {
        guard !stream.isNews else { return }
        stream.isNews = true
        news.append(stream)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        lastRead = .now()
        isAsked = false
        let news = news
        self.news.removeAll(keepingCapacity: true)
        for stream in news { stream.passOn() }
        isReading = false
        pool.wasRead(self)
        flush()
    }

    private func take(_ settings: HTTP2Settings) {
        let streams = settings.last { $0.parameter == .maxConcurrentStreams }?.value
        if let streams { limit = min(streams, MultiplexedSettings.maxStreams) }
        guard !isReady else { return pool.roomChanged(on: self) }
        if streams == nil { limit = MultiplexedSettings.maxStreams }
        isReady = true
        idleSince = .now()
        connections.check(by: deadline)
        pool.ready(self)
    }

    private func wasReset(_ id: HTTP2StreamID, _ code: HTTP2ErrorCode) {
        guard let stream = streams.removeValue(forKey: id) else { return }
        left()
        if code == .refusedStream, !stream.hasBegun {
            stream.call.refused()
        } else {
            stream.call.fail(.upstreamReset(code, in: stream.call.phase))
        }
    }

    /// The engine takes no more calls, and has not looked at those after the last one that it names.
    private func goesAway(after last: HTTP2StreamID, _ code: HTTP2ErrorCode) {
        if code != .noError { goodbye = code }
        stopTaking()
        let refused = streams.values.filter { $0.id > last }.sorted { $0.id < $1.id }
        for stream in refused { streams[stream.id] = nil }
        if streams.isEmpty { close() }
        for stream in refused { stream.call.refused() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case let event as NIOHTTP2WindowUpdatedEvent:
            guard let size = event.inboundWindowSize else { return }
            if event.streamID != .rootStream {
                streams[event.streamID]?.windowChanged(to: size)
            } else if size <= MultiplexedSettings.window / 2, isReady {
                grant(MultiplexedSettings.window - size, to: .rootStream)
            }
        case let event as StreamClosedEvent:
            // What the engine sent breaks the rules; why comes as an error.
            if let stream = streams.removeValue(forKey: event.streamID) { broken = stream }
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? NIOHTTP2Errors.StreamError {
            guard let stream = streams.removeValue(forKey: error.streamID) else { return }
            stream.call.fail(.upstreamBrokeRules(error.baseError, in: stream.call.phase))
            return left()
        }
        if let stream = broken {
            broken = nil
            stream.call.fail(.upstreamBrokeRules(error, in: stream.call.phase))
            return left()
        }
        cause = cause ?? error
        guard error is any NIOHTTP2Error else { return socket.close() }
        end { stream in .upstreamBrokeRules(error, in: stream.call.phase) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        let (cause, goodbye) = (cause, goodbye)
        end { stream in
            if let goodbye { return .upstreamReset(goodbye, in: stream.call.phase) }
            return .upstreamBroke(cause, in: stream.call.phase, wasReused: stream.id != 1)
        }
    }

    // MARK: The end

    /// Closes it at once, with nothing on it.
    func close() {
        end { stream in .upstreamBroke(nil, in: stream.call.phase, wasReused: stream.id != 1) }
    }

    /// Closes it at once. Calls whose request may go out again do so elsewhere; the others fail.
    private func end(_ error: (MultiplexedStream) -> GatewayError) {
        guard !isClosed else { return }
        isClosed = true
        idleSince = nil
        let left = streams.values.sorted { $0.id < $1.id }
        streams = [:]
        connections.options.room.give()
        connections.ended(to: origin)
        pool.remove(self, isReady ? nil : .upstreamWithoutHTTP2(cause, isLate: readyBy <= .now()))
        if isReady, context?.channel.isActive == true {
            write(.goAway(lastStreamID: .rootStream, errorCode: .noError, opaqueData: nil), to: .rootStream)
            context?.flush()
        }
        socket.close()
        for stream in left {
            if !stream.hasBegun, stream.id != 1, stream.call.isRepeatable {
                stream.call.starting()
            } else {
                stream.call.fail(error(stream))
            }
        }
    }
}
