// The data plane's way in: from a request's head to a running call, or to a refusal.

import GatewayWire
import ModelGateway
import NIOCore
import NIOHTTP1

extension DataPlaneHandler {
    /// The largest body that is read to its end only to keep the connection of a refused request.
    private static let discardLimit = 1 << 20

    /// Decides at a request's head who answers it.
    func begin(_ head: HTTPRequestHead) {
        headStart = nil
        hasServed = true
        guard let endpoint = ModelEndpoint.find(target: head.uri) else {
            beginPassing(head)
            return
        }
        let fields = RequestFields(head.headers, further: server.options.forwardedHeaders)
        let requestID = fields.requestID.flatMap { HeaderText.isRequestID($0) ? $0 : nil }
        let exchange = Exchange(head, requestID: requestID ?? RandomID.make(prefix: "req_"), now: loop.now)
        exchange.endpoint = endpoint
        if server.crossOrigin.isOn { noteOrigin(of: exchange, head) }
        exchange.fields = fields
        self.exchange = exchange
        if let refusal = refusal(of: exchange, fields: fields) {
            refuse(exchange, refusal)
            return
        }
        phase = .receiving
        if fields.expectation != nil { writeContinue() }
        // A claimed length is believed up to a bound: memory is taken for bytes that came.
        exchange.body.reserveCapacity(min(fields.contentLength ?? 0, Self.discardLimit))
    }

    private func noteOrigin(of exchange: Exchange, _ head: HTTPRequestHead) {
        guard let origin = server.crossOrigin.allowed(head.headers.first(name: "origin")) else { return }
        exchange.crossOrigin = CrossOriginRequest(
            allowedOrigin: origin,
            wantedHeaders: head.headers.first(name: "access-control-request-headers")
        )
    }

    /// What is wrong with a request by its head alone.
    private func refusal(of exchange: Exchange, fields: RequestFields) -> GatewayError? {
        guard exchange.isHostClear(count: fields.hostCount) else { return .unclearHost(count: fields.hostCount) }
        guard exchange.method == .POST else {
            return GatewayError(.methodNotAllowed, "This endpoint takes POST only, not \(exchange.method.rawValue).")
        }
        let credentials = fields.credentials(isPeerLocal: isPeerLocal)
        guard let caller = server.access.caller(credentials) else {
            return .badKey(isMissing: credentials.areMissing)
        }
        exchange.caller = caller
        if caller != .admin, fields.forwarded("x-gateway-deployment") != nil { return .deploymentIsForAdmins }
        if let length = fields.contentLength, length > server.options.maxBodyBytes { return tooLarge() }
        if let mistake = RequestBody.mistake(contentType: fields.contentType, coding: fields.contentCoding) {
            return mistake
        }
        if let expectation = fields.expectation, !HeaderText.equals(expectation, "100-continue") {
            return GatewayError(.invalidRequest, "The only expectation that is understood is 100-continue.")
        }
        return nil
    }

    private func tooLarge() -> GatewayError {
        GatewayError(
            .payloadTooLarge,
            "The request body is larger than the limit of \(server.options.maxBodyBytes) bytes."
        )
    }

    func receive(_ bytes: ByteBuffer) {
        guard let exchange else { return }
        guard exchange.body.count + bytes.readableBytes <= server.options.maxBodyBytes else {
            respond(to: exchange, with: tooLarge(), closing: true)
            return
        }
        bytes.withUnsafeReadableBytes { exchange.body.append(contentsOf: $0) }
    }

    /// The whole request is there: its call begins.
    func startCall() {
        guard let exchange, let endpoint = exchange.endpoint, let context else { return }
        phase = .calling
        exchange.isRequestComplete = true
        exchange.lastWrite = loop.now
        let request = WireRequest(
            mode: endpoint.mode,
            format: endpoint.format,
            body: exchange.body,
            headers: exchange.fields?.forwarded ?? [],
            requestID: exchange.requestID,
            deployment: exchange.fields?.forwarded("x-gateway-deployment"),
            caller: exchange.caller
        )
        let call = ModelCall(request: request, connection: NIOLoopBound(self, eventLoop: context.eventLoop), loop: loop)
        exchange.call = call
        let gateway = server.gateway
        exchange.task = Task(executorPreference: loop.executor) { await call.run(on: gateway) }
    }
}

// MARK: - Refusing

extension DataPlaneHandler {
    /// Answers a request without making its call: once its body has been read, so that the connection can go on, or at
    /// once and for the last time if the body is large or its client waits to be told to send it.
    private func refuse(_ exchange: Exchange, _ error: GatewayError) {
        let isLong = exchange.fields?.contentLength.map { $0 > Self.discardLimit } ?? false
        if isLong || exchange.fields?.expectation != nil {
            respond(to: exchange, with: error, closing: true)
        } else {
            exchange.refusal = error
            phase = .refusing
        }
    }

    func discard(_ bytes: ByteBuffer) {
        guard let exchange, let refusal = exchange.refusal else { return }
        exchange.discardedBytes += bytes.readableBytes
        if exchange.discardedBytes > Self.discardLimit {
            respond(to: exchange, with: refusal, closing: true)
        }
    }

    func finishRefusal() {
        guard let exchange, let refusal = exchange.refusal else { return }
        if exchange.method == .OPTIONS, refusal.code == .methodNotAllowed {
            respond(to: exchange, status: 204, headers: [HTTPHeader("allow", "POST, OPTIONS")], body: [])
        } else {
            respond(to: exchange, with: refusal, closing: false)
        }
    }

    /// Answers bytes that are not HTTP and ends the connection, on which nothing can be understood any more.
    func refuseMalformed(_ error: any Error) {
        let reason: String =
            switch error {
            case HTTPParserError.invalidEOFState: "it ended before its content-length"
            case HTTPParserError.headerOverflow: "its header is too large"
            case is NIOHTTPDecoderError: "its header is too large"
            default: "it is not valid HTTP"
            }
        let error = GatewayError(.invalidRequest, "The request cannot be read: \(reason).")
        respond(to: exchange ?? .unreadable(now: loop.now), with: error, closing: true)
    }
}

extension DataPlaneHandler {
    /// Answers a client that has as many connections as its address may have, and ends this one.
    func refuseSurplus() {
        let error = GatewayError(
            .rateLimited,
            "Your address has as many connections to this gateway as it may have; close one, or use those you have.",
            retryAfter: .seconds(1)
        )
        respond(to: .unreadable(now: loop.now), with: error, closing: true)
    }
}

extension Exchange {
    /// Stands for a request without a readable head.
    static func unreadable(now: NIODeadline) -> Exchange {
        let head = HTTPRequestHead(version: .http1_1, method: .RAW(value: ""), uri: "")
        return Exchange(head, requestID: RandomID.make(prefix: "req_"), now: now)
    }
}

// MARK: - Passing on

extension DataPlaneHandler {
    /// Lets the router answer a request.
    private func beginPassing(_ head: HTTPRequestHead) {
        phase = .passing
        let requestID =
            head.headers.first(name: "x-request-id").flatMap { HeaderText.isRequestID($0) ? $0 : nil }
            ?? RandomID.make(prefix: "req_")
        let exchange = Exchange(head, requestID: requestID, now: loop.now)
        self.exchange = exchange
        if server.crossOrigin.isOn, RequestTarget.plainPath(of: head.uri).hasPrefix("/v1/") {
            noteOrigin(of: exchange, head)
        }
        let hostCount = head.headers.count { HeaderText.equals($0.name, "host") }
        guard exchange.isHostClear(count: hostCount) else { return refuse(exchange, .unclearHost(count: hostCount)) }
        if head.headers.first(name: "expect").map({ HeaderText.equals($0, "100-continue") }) == true { writeContinue() }
        var head = head
        head.headers.replaceOrAdd(name: "x-request-id", value: requestID)
        hasPassedOn = true
        context?.fireChannelRead(wrapInboundOut(.head(head)))
    }

    func pass(_ part: HTTPServerRequestPart) {
        guard let exchange, let context else { return }
        switch part {
        case .head: break
        case .body(let bytes): exchange.discardedBytes += bytes.readableBytes
        case .end: exchange.isRequestComplete = true
        }
        hasPassedOn = true
        context.fireChannelRead(wrapInboundOut(part))
        finishPassing(exchange)
    }

    /// Responses of the router come through here on their way out.
    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard phase == .passing, let exchange else {
            // A response to a request that was answered in the router's place.
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        switch unwrapOutboundIn(data) {
        case .head(let head) where exchange.method == .HEAD && !(100..<200).contains(head.status.code):
            writeHeadOnly(head, of: exchange, promise: promise)
        case .body where exchange.method == .HEAD:
            promise?.succeed()
        case .end where exchange.method == .HEAD:
            endPassing(exchange)
            promise?.succeed()
        case .head(var head) where !(100..<200).contains(head.status.code):
            exchange.status = Int(head.status.code)
            exchange.firstByte = .now()
            exchange.isConnectionKept = mayKeepConnection(exchange) && head.isKeepAlive
            if !exchange.isConnectionKept {
                head.headers.replaceOrAdd(name: "connection", value: "close")
            } else if !exchange.isModern {
                head.headers.replaceOrAdd(name: "connection", value: "keep-alive")
            }
            for header in crossOriginHeaders(of: exchange, allow: head.headers.first(name: "allow")) {
                head.headers.add(name: header.name, value: header.value)
            }
            head.headers.replaceOrAdd(name: "x-request-id", value: exchange.requestID)
            head.headers.replaceOrAdd(name: "date", value: String(decoding: loop.date().bytes, as: UTF8.self))
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .head(let head):
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body(let bytes):
            exchange.responseBytes += bytes.readableBytes
            context.write(wrapOutboundOut(.body(bytes)), promise: promise)
        case .end(let trailers):
            context.write(wrapOutboundOut(.end(trailers)), promise: promise)
            endPassing(exchange)
        }
    }

    /// Writes the head of an answer to `HEAD`, past the encoder, which would frame a body.
    private func writeHeadOnly(
        _ head: NIOHTTP1.HTTPResponseHead,
        of exchange: Exchange,
        promise: EventLoopPromise<Void>?
    ) {
        let length = head.headers.first(name: "content-length").flatMap { Int($0) }
        var buffer = Self.allocator.buffer(capacity: 512)
        writeHead(
            of: exchange,
            status: Int(head.status.code),
            headers: head.headers.map { HTTPHeader($0.name, $0.value) },
            framing: length.map { BodyFraming.length($0) } ?? .untilClose,
            closing: !head.isKeepAlive,
            to: &buffer
        )
        flush(buffer)
        promise?.succeed()
    }

    private func endPassing(_ exchange: Exchange) {
        exchange.isResponseComplete = true
        // Not from inside the router's write: what follows may pass the next request into it.
        context?.eventLoop.assumeIsolated().execute { self.finishPassing(exchange) }
    }

    private func finishPassing(_ exchange: Exchange) {
        guard self.exchange === exchange, exchange.isRequestComplete, exchange.isResponseComplete else { return }
        finish(exchange)
    }
}
