// The data plane's way out: response heads, batches of a stream, errors, and the end of a connection.

import ModelGateway
import NIOCore
import NIOHTTP1

extension DataPlaneHandler {
    /// Whether the connection may be used again after this exchange, as far as is known now.
    func mayKeepConnection(_ exchange: Exchange) -> Bool {
        exchange.allowsKeepAlive && !isDraining && !server.isDraining && !isInputEnded && !server.connections.isCrowded
    }

    /// Tells a client that it may send the body it announced.
    func writeContinue() {
        var buffer = Self.allocator.buffer(capacity: 32)
        buffer.writeStaticString("HTTP/1.1 100 Continue\r\n\r\n")
        flush(buffer)
    }

    func flush(_ buffer: ByteBuffer) {
        encoder?.writeAndFlush(NIOAny(IOData.byteBuffer(buffer)), promise: nil)
    }

    // MARK: Whole responses

    /// Answers with an error in the client's format.
    func respond(to exchange: Exchange, with error: GatewayError, closing: Bool) {
        let format = exchange.endpoint?.format ?? .openAI
        var headers = format.errorHeaders(for: error, to: exchange.caller)
        if error.code == .methodNotAllowed { headers.append(HTTPHeader("allow", "POST, OPTIONS")) }
        if error.code == .unsupportedMediaType, exchange.fields?.contentCoding != nil {
            headers.append(RequestBody.acceptedCodings)
        }
        let body = format.errorBody(for: error.overHTTP)
        respond(to: exchange, status: error.status, headers: headers, body: body, closing: closing)
    }

    /// Answers with a whole body, in one write.
    func respond(
        to exchange: Exchange,
        status: Int,
        headers: [HTTPHeader],
        body: [UInt8],
        closing: Bool = false
    ) {
        var buffer = Self.allocator.buffer(capacity: body.count + 512)
        let hasBody = status != 204 && status != 304
        writeHead(
            of: exchange,
            status: status,
            headers: headers,
            framing: hasBody ? .length(body.count) : .untilClose,
            closing: closing,
            to: &buffer
        )
        if hasBody, exchange.method != .HEAD {
            buffer.writeBytes(body)
            exchange.responseBytes += body.count
        }
        flush(buffer)
        finish(exchange)
    }

    func writeHead(
        of exchange: Exchange,
        status: Int,
        headers: [HTTPHeader],
        framing: BodyFraming,
        closing: Bool = false,
        to buffer: inout ByteBuffer
    ) {
        exchange.status = status
        exchange.framing = framing
        exchange.firstByte = .now()
        exchange.isConnectionKept = !closing && mayKeepConnection(exchange)
        let allow = exchange.method == .OPTIONS ? headers.first { HeaderText.equals($0.name, "allow") }?.value : nil
        ResponseHead(
            status: status,
            headers: exchange.crossOrigin == nil
                ? headers : headers + crossOriginHeaders(of: exchange, allow: allow),
            framing: framing,
            requestID: exchange.requestID,
            isKeptAlive: exchange.isConnectionKept,
            announcesKeepAlive: !exchange.isModern
        ).write(to: &buffer, date: loop.date())
    }

    /// What an answer says to the web page that asked, if it may read it.
    /// - Parameter allow: The methods that the path takes.
    func crossOriginHeaders(of exchange: Exchange, allow: String?) -> [HTTPHeader] {
        exchange.crossOrigin?.headers(methods: exchange.method == .OPTIONS ? allow : nil) ?? []
    }

    // MARK: Responses of calls

    /// Sends what a call has produced since the last time, in one write.
    func deliver(_ call: ModelCall) {
        guard phase == .calling, let exchange, exchange.call === call else { return }
        let batch = call.take()
        if case .whole(let body) = batch.ending, let head = batch.head, !exchange.isHeadSent {
            respond(to: exchange, status: head.status, headers: head.headers, body: body)
            return
        }
        if case .failed(let error) = batch.ending, !exchange.isHeadSent {
            // Nothing has gone out, so the status can tell the error.
            respond(to: exchange, with: error, closing: false)
            return
        }
        stream(batch, of: exchange)
    }

    /// Sends bytes of a call's stream, before which nothing waits.
    func deliver(_ bytes: [UInt8], isLast: Bool, of call: ModelCall) {
        guard phase == .calling, let exchange, exchange.call === call else { return }
        var buffer = Self.allocator.buffer(capacity: bytes.count + Chunk.overhead + 16)
        if !exchange.isConverted { write(bytes, of: exchange, to: &buffer) }
        if isLast { write(.finished, of: exchange, to: &buffer) }
        send(buffer, carrying: bytes.count, isLast: isLast, of: exchange)
    }

    private func stream(_ batch: ModelCall.Batch, of exchange: Exchange) {
        let byteCount = batch.chunks.reduce(0) { $0 + $1.count + Chunk.overhead }
        var buffer = Self.allocator.buffer(capacity: byteCount + (exchange.isHeadSent ? 16 : 512))
        if let head = batch.head { beginStream(of: exchange, head: head, to: &buffer) }
        var sent = 0
        for chunk in batch.chunks {
            if !exchange.isConverted { write(chunk, of: exchange, to: &buffer) }
            sent += chunk.count
        }
        if let ending = batch.ending { write(ending, of: exchange, to: &buffer) }
        send(buffer, carrying: sent, isLast: batch.ending != nil, of: exchange)
    }

    private func send(_ buffer: ByteBuffer, carrying count: Int, isLast: Bool, of exchange: Exchange) {
        if buffer.readableBytes > 0 {
            exchange.lastWrite = loop.now
            flush(buffer)
        }
        credit(count, to: exchange)
        if isLast { finish(exchange) }
    }

    static let allocator = ByteBufferAllocator()

    private func beginStream(
        of exchange: Exchange,
        head: (status: Int, headers: [HTTPHeader]),
        to buffer: inout ByteBuffer
    ) {
        let type = head.headers.first { HeaderText.equals($0.name, "content-type") }?.value ?? ""
        let isEventStream = HeaderText.hasPrefix(type, "text/event-stream")
        if exchange.isHeadSent {
            // The head went out with a comment already. What cannot follow it is told as an error.
            guard !isEventStream || head.status != 200 else { return }
            exchange.isEventStream = false
            let error = GatewayError(.upstreamFailed, "The provider answered with status \(head.status), not a stream.")
            write((exchange.endpoint?.format ?? .openAI).errorEvent(for: error), of: exchange, to: &buffer)
        } else {
            exchange.isEventStream = isEventStream
            let framing = exchange.isModern ? BodyFraming.chunked : .untilClose
            writeHead(
                of: exchange,
                status: head.status,
                headers: head.headers,
                framing: framing,
                closing: framing == .untilClose,
                to: &buffer
            )
        }
    }

    private func write(_ ending: ModelCall.Ending, of exchange: Exchange, to buffer: inout ByteBuffer) {
        let format = exchange.endpoint?.format ?? .openAI
        var isWhole = true
        switch ending {
        case .finished:
            break
        case .whole(let body):
            // Only behind an early head: the body becomes the one event of the stream.
            write(EventText.event(of: body), of: exchange, to: &buffer)
            if EventText.isError(body) == false { write(EventText.done, of: exchange, to: &buffer) }
        case .failed(let error) where exchange.isEventStream:
            write(format.errorEvent(for: error), of: exchange, to: &buffer)
        case .failed:
            // There is no place for an error in a body of this type: it stays incomplete, and the client sees that.
            isWhole = false
            exchange.isConnectionKept = false
        }
        if isWhole, exchange.framing == .chunked { Chunk.writeEnd(to: &buffer) }
    }

    private func write(_ bytes: [UInt8], of exchange: Exchange, to buffer: inout ByteBuffer) {
        if exchange.framing == .chunked {
            Chunk.write(bytes, to: &buffer)
        } else {
            buffer.writeBytes(bytes)
        }
        exchange.responseBytes += bytes.count
        exchange.isBetweenEvents = EventText.endsEvent(bytes)
    }

    private func credit(_ count: Int, to exchange: Exchange) {
        guard count > 0 else { return }
        if unwritableSince == nil {
            exchange.call?.credit(count)
        } else {
            exchange.uncreditedBytes += count
        }
    }

    /// Keeps a silent stream alive. Before there is an answer the head of a stream goes out first.
    func writeKeepAlive(of exchange: Exchange) {
        guard unwritableSince == nil else { return }
        var buffer = Self.allocator.buffer(capacity: 512)
        if !exchange.isHeadSent {
            guard exchange.asksForStream else { return }
            exchange.isHeadEarly = true
            exchange.isEventStream = true
            writeHead(
                of: exchange,
                status: 200,
                headers: EventText.headers,
                framing: exchange.isModern ? .chunked : .untilClose,
                closing: !exchange.isModern,
                to: &buffer
            )
        }
        guard exchange.isEventStream, exchange.isBetweenEvents else { return }
        write(EventText.keepAlive, of: exchange, to: &buffer)
        exchange.lastWrite = loop.now
        flush(buffer)
    }
}

// MARK: - Ends

extension DataPlaneHandler {
    /// An exchange is over: the next one of the connection begins, or the connection ends.
    func finish(_ exchange: Exchange, outcome: RequestRecord.Outcome = .completed) {
        self.exchange = nil
        exchange.call?.abandon()
        server.observer?.requestFinished(exchange.record(outcome))
        if exchange.isConnectionKept {
            phase = .idle
            lastArrival = loop.now
            advance()
        } else {
            closeAfterWrites()
        }
    }

    /// Ends the connection once everything is written. The input is read on for a moment, because closing a socket with
    /// unread input would reset it, and the client might never see the last response.
    func closeAfterWrites() {
        guard closingSince == nil, let context, let encoder else { return }
        phase = .closing
        closingSince = loop.now
        waiting.removeAll()
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { result in
            guard case .success = result, !self.isInputEnded else {
                context.close(promise: nil)
                return
            }
            self.isFlushed = true
            self.closingSince = self.loop.now
            context.close(mode: .output, promise: nil)
        }
        encoder.writeAndFlush(NIOAny(IOData.byteBuffer(ByteBuffer())), promise: promise)
        if isReadHeld {
            isReadHeld = false
            context.read()
        }
    }

    /// Ends whatever goes on: the server's time to drain is over.
    func abort() {
        guard let context else { return }
        isDraining = true
        isAborted = true
        let error = GatewayError(.shuttingDown, "The gateway is shutting down; try again.", retryAfter: .seconds(1))
        guard let exchange else {
            context.close(promise: nil)
            return
        }
        switch phase {
        case .receiving, .refusing:
            respond(to: exchange, with: error, closing: true)
        case .calling:
            exchange.task?.cancel()
            if exchange.isHeadSent {
                stream(ModelCall.Batch(ending: .failed(error)), of: exchange)
            } else {
                respond(to: exchange, with: error, closing: true)
            }
        case .idle, .passing, .closing:
            context.close(promise: nil)
        }
    }
}
