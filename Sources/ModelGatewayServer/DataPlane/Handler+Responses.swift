// The data plane's way out: response heads, batches of a stream, errors, and the end of a connection.

import ModelGateway
import NIOCore
import NIOHPACK
import NIOHTTP1
import NIOHTTP2

extension DataPlaneHandler {
    /// Whether the server has room for a connection without a request.
    var hasRoom: Bool { !server.isDraining && !server.connections.isCrowded }

    /// Tells a client that it may send the body it announced.
    func writeContinue() {
        if isStream {
            let fields: HPACKHeaders = [":status": "100"]
            wire?.writeAndFlush(NIOAny(HTTP2Frame.FramePayload.headers(.init(headers: fields))), promise: nil)
        } else {
            let bytes = ByteBuffer(staticString: "HTTP/1.1 100 Continue\r\n\r\n")
            wire?.writeAndFlush(NIOAny(IOData.byteBuffer(bytes)), promise: nil)
        }
    }

    func output(capacity: Int) -> Outgoing {
        Outgoing(isHTTP2: isStream, capacity: capacity)
    }

    func flush(_ output: Outgoing) {
        if isStream {
            flushFrames(output)
        } else {
            wire?.writeAndFlush(NIOAny(IOData.byteBuffer(output.bytes)), promise: nil)
        }
    }

    // MARK: Whole responses

    /// Answers with an error in the client's format.
    func respond(to exchange: Exchange, with error: GatewayError, closing: Bool) {
        let format = exchange.format
        var headers = format.headers(of: error, to: exchange.caller)
        if error.code == .methodNotAllowed { headers.append(HTTPHeader("allow", "POST, OPTIONS")) }
        if error.code == .unsupportedMediaType, exchange.isBodyEncoded { headers.append(RequestBody.acceptedCodings) }
        let body = format.body(of: error.overHTTP)
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
        var output = output(capacity: body.count + 512)
        let hasBody = status != 204 && status != 304
        writeHead(
            of: exchange,
            status: status,
            headers: headers,
            framing: hasBody ? .length(body.count) : .untilClose,
            isKept: state.sendHead(isLast: closing, hasRoom: hasRoom),
            to: &output
        )
        if hasBody, exchange.method != .HEAD {
            output.bytes.writeBytes(body)
            exchange.responseBytes += body.count
        }
        output.isEnd = true
        flush(output)
        finish(exchange)
    }

    func writeHead(
        of exchange: Exchange,
        status: Int,
        headers: [HTTPHeader],
        framing: BodyFraming,
        isKept: Bool,
        to output: inout Outgoing
    ) {
        exchange.status = status
        exchange.firstByte = .now()
        let allow = exchange.method == .OPTIONS ? headers.first { HeaderText.equals($0.name, "allow") }?.value : nil
        let head = ResponseHead(
            status: status,
            headers: exchange.crossOrigin == nil
                ? headers : headers + crossOriginHeaders(of: exchange, allow: allow),
            framing: framing,
            requestID: exchange.requestID,
            isKeptAlive: isKept,
            announcesKeepAlive: !exchange.isModern
        )
        output.write(head, date: loop.date())
    }

    /// What an answer says to the web page that asked, if it may read it.
    /// - Parameter allow: The methods that the path takes.
    func crossOriginHeaders(of exchange: Exchange, allow: String?) -> [HTTPHeader] {
        exchange.crossOrigin?.headers(methods: exchange.method == .OPTIONS ? allow : nil) ?? []
    }

    // MARK: Responses of calls

    /// Sends what a call has produced since the last time, in one write.
    func deliver(_ call: ModelCall) {
        guard let exchange, exchange.call === call else { return }
        let batch = call.take()
        switch (state.answer(hasHead: batch.head != nil, ending: batch.ending?.kind), batch.head, batch.ending) {
        case (.whole, let head?, .whole(let body)):
            respond(to: exchange, status: head.status, headers: head.headers, body: body)
        case (.error, _, .failed(let error)):
            respond(to: exchange, with: error, closing: false)
        default:
            stream(batch, of: exchange)
        }
    }

    /// Sends bytes of a call's stream, before which nothing waits.
    func deliver(_ bytes: [UInt8], isLast: Bool, of call: ModelCall) {
        guard let exchange, exchange.call === call else { return }
        var output = output(capacity: bytes.count + Chunk.overhead + 16)
        write(bytes, of: exchange, to: &output)
        if isLast { write(.finished, of: exchange, to: &output) }
        send(output, carrying: bytes.count, isLast: isLast, of: exchange)
    }

    func stream(_ batch: ModelCall.Batch, of exchange: Exchange) {
        let byteCount = batch.chunks.reduce(0) { $0 + $1.count + Chunk.overhead }
        var output = output(capacity: byteCount + (batch.head == nil ? 16 : 512))
        if let head = batch.head {
            let isWhole = if case .whole = batch.ending { true } else { false }
            beginStream(of: exchange, head: head, isWhole: isWhole, to: &output)
        }
        var sent = 0
        for chunk in batch.chunks {
            write(chunk, of: exchange, to: &output)
            sent += chunk.count
        }
        if let ending = batch.ending { write(ending, of: exchange, to: &output) }
        send(output, carrying: sent, isLast: batch.ending != nil, of: exchange)
    }

    private func send(_ output: Outgoing, carrying count: Int, isLast: Bool, of exchange: Exchange) {
        let isVisible = output.isVisible
        if isVisible { flush(output) }
        let room = state.wrote(count, isVisible: isVisible, now: loop.now)
        if room > 0 { exchange.call?.credit(room) }
        if isLast { finish(exchange) }
    }

    private func beginStream(
        of exchange: Exchange,
        head: (status: Int, headers: [HTTPHeader]),
        isWhole: Bool,
        to output: inout Outgoing
    ) {
        let type = head.headers.value(of: "content-type") ?? ""
        let isEventStream = HeaderText.hasPrefix(type, "text/event-stream")
        let isOK = head.status == 200
        switch state.streamHead(isEventStream: isEventStream, isOK: isOK, isWhole: isWhole, hasRoom: hasRoom) {
        case .leaveOut: break
        case .errorEvent:
            let error = GatewayError(.upstreamFailed, "The provider answered with status \(head.status), not a stream.")
            writeEvent(exchange.format.event(of: error), of: exchange, to: &output)
        case .write: writeStreamHead(of: exchange, status: head.status, headers: head.headers, to: &output)
        }
    }

    private func writeStreamHead(
        of exchange: Exchange,
        status: Int,
        headers: [HTTPHeader],
        to output: inout Outgoing
    ) {
        let state = state.exchange
        writeHead(
            of: exchange,
            status: status,
            headers: headers,
            framing: state?.isChunked == true ? .chunked : .untilClose,
            isKept: state?.isKept ?? false,
            to: &output
        )
    }

    private func write(_ ending: ModelCall.Ending, of exchange: Exchange, to output: inout Outgoing) {
        switch (state.streamEnd(ending.kind), ending) {
        case (.cut, _): return
        case (.event, .whole(let body)):
            // Only behind an early head: the body becomes the one event of the stream.
            writeEvent(EventText.event(of: body), of: exchange, to: &output)
            if !EventText.isError(body) { writeEvent(exchange.format.framing.endMark, of: exchange, to: &output) }
        case (.errorEvent, .failed(let error)):
            writeEvent(exchange.format.event(of: error), of: exchange, to: &output)
        default: break
        }
        output.isEnd = true
        if state.exchange?.isChunked == true { Chunk.writeEnd(to: &output.bytes) }
    }

    /// Writes bytes of a call's stream.
    private func write(_ bytes: [UInt8], of exchange: Exchange, to output: inout Outgoing) {
        switch state.streamPart(endsEvent: EventText.endsEvent(bytes)) {
        case .leaveOut: return
        case .chunk: Chunk.write(bytes, to: &output.bytes)
        case .plain: output.bytes.writeBytes(bytes)
        }
        exchange.responseBytes += bytes.count
    }

    /// Writes an event of the server's own into a stream.
    private func writeEvent(_ event: [UInt8], of exchange: Exchange, to output: inout Outgoing) {
        if state.exchange?.isChunked == true {
            Chunk.write(event, to: &output.bytes)
        } else {
            output.bytes.writeBytes(event)
        }
        exchange.responseBytes += event.count
    }

    // MARK: Silent calls

    /// Sends a head whose first bytes take long alone, and keeps a silent stream alive.
    func attendCall() {
        guard let exchange, let call = exchange.call else { return }
        if state.exchange?.isHeadSent == false { deliver(call) }
        guard self.exchange === exchange else { return }
        var output = output(capacity: 0)
        switch state.keepAlive(limits: server.limits, now: loop.now) {
        case .beginStream where exchange.asksForStream:
            state.beginStreamEarly(hasRoom: hasRoom)
            writeStreamHead(of: exchange, status: 200, headers: exchange.format.framing.headers, to: &output)
        case .comment: break
        case .nothing, .beginStream: return
        }
        writeEvent(exchange.format.framing.keepAlive, of: exchange, to: &output)
        send(output, carrying: 0, isLast: false, of: exchange)
    }

    // MARK: Ends

    /// An exchange is over: the next one of the connection begins, or the connection ends.
    func finish(_ exchange: Exchange) {
        let action = state.finish(now: loop.now)
        guard action != .nothing else { return }
        self.exchange = nil
        exchange.call?.abandon()
        leave(exchange)
        server.observer?.requestFinished(exchange.record(.completed))
        if action == .next { advance() } else { closeAfterWrites() }
    }
}

extension ModelCall.Ending {
    /// What matters to the decisions about it.
    fileprivate var kind: ExchangeState.Ending {
        switch self {
        case .whole: .whole
        case .finished: .finished
        case .failed: .failed
        }
    }
}
