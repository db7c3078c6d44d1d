// The data plane's way in: from a request's head to a running call, or to a refusal.

import GatewayWire
import ModelGateway
import NIOCore
import NIOHTTP1

extension DataPlaneHandler {
    /// Decides at a request's head who answers it.
    func begin(_ head: HTTPRequestHead) {
        guard let endpoint = Endpoint.find(target: head.uri) else { return beginPassing(head) }
        let fields = RequestFields(head.headers, further: server.options.forwardedHeaders)
        let requestID = fields.requestID.flatMap { HeaderText.isRequestID($0) ? $0 : nil }
        let exchange = Exchange(head, requestID: requestID ?? RandomID.make(prefix: "req_"))
        exchange.endpoint = endpoint
        exchange.forwarded = fields.forwarded
        exchange.isBodyEncoded = fields.contentCoding != nil
        if server.crossOrigin.isOn { noteOrigin(of: exchange, head) }
        noteSender(of: exchange, head)
        exchange.refusal = exchange.refusal ?? refusal(of: exchange, fields: fields)
        let facts = RequestFacts(
            answerer: .call,
            isRefused: exchange.refusal != nil,
            contentLength: fields.contentLength,
            hasExpectation: fields.expectation != nil,
            allowsKeepAlive: head.isKeepAlive,
            isModern: exchange.isModern
        )
        guard case .receive = begin(exchange, facts) else { return }
        // A claimed length is believed up to a bound: memory is taken for bytes that came.
        exchange.body.reserveCapacity(min(fields.contentLength ?? 0, server.limits.maxDiscardedBytes))
    }

    /// Takes a request up, or refuses it.
    func begin(_ exchange: Exchange, _ facts: RequestFacts) -> ConnectionState.HeadAction {
        let action = state.head(facts, limits: server.limits, now: loop.now)
        guard action != .drop else { return action }
        self.exchange = exchange
        switch action {
        case .receive(sayingContinue: true), .pass(sayingContinue: true): writeContinue()
        case .refuse: refuse(exchange, closing: true)
        case .receive, .pass, .readPast, .drop: break
        }
        return action
    }

    func noteOrigin(of exchange: Exchange, _ head: HTTPRequestHead) {
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
            return GatewayError(.methodNotAllowed, "This endpoint accepts POST only, not \(exchange.method.rawValue).")
        }
        let credentials = fields.credentials(isPeerLocal: peer?.isLocal ?? false)
        guard let caller = server.access.caller(credentials) else {
            return .badKey(isMissing: credentials.areMissing)
        }
        exchange.caller = caller
        if caller != .admin, fields.forwarded.value(of: "x-gateway-deployment") != nil { return .deploymentIsForAdmins }
        if let length = fields.contentLength, length > server.options.maxBodyBytes { return tooLarge() }
        if let mistake = RequestBody.mistake(contentType: fields.contentType, coding: fields.contentCoding) {
            return mistake
        }
        if let expectation = fields.expectation, !HeaderText.equals(expectation, "100-continue") {
            return GatewayError(.invalidRequest, "The only supported expectation is 100-continue.")
        }
        return nil
    }

    func tooLarge() -> GatewayError {
        GatewayError(
            .payloadTooLarge,
            "The request body is larger than the limit of \(server.options.maxBodyBytes) bytes."
        )
    }

    func takeBody(_ bytes: ByteBuffer) {
        guard let exchange else { return }
        switch state.bodyPart(bytes.readableBytes, limits: server.limits) {
        case .collect: bytes.withUnsafeReadableBytes { exchange.body.append(contentsOf: $0) }
        case .discard: exchange.discardedBytes += bytes.readableBytes
        case .refuse:
            exchange.discardedBytes += bytes.readableBytes
            refuse(exchange, closing: true)
        case .refuseTooLarge: respond(to: exchange, with: tooLarge(), closing: true)
        case .passOn:
            exchange.discardedBytes += bytes.readableBytes
            pass(.body(bytes))
        case .drop: break
        }
    }

    func takeEnd(_ trailers: HTTPHeaders?) {
        guard let exchange else { return }
        switch state.requestEnd(now: loop.now) {
        case .startCall: startCall(exchange)
        case .refuse: refuse(exchange, closing: false)
        case .passOn:
            pass(.end(trailers))
            finishPassing(exchange)
        case .drop: break
        }
    }

    /// The whole request is there: its call begins.
    private func startCall(_ exchange: Exchange) {
        guard let endpoint = exchange.endpoint, let context else { return }
        let request = WireRequest(
            endpoint,
            body: exchange.body,
            headers: exchange.forwarded,
            requestID: exchange.requestID,
            deployment: exchange.forwarded.value(of: "x-gateway-deployment"),
            caller: exchange.caller,
            sender: exchange.sender
        )
        let call = ModelCall(request: request, connection: NIOLoopBound(self, eventLoop: context.eventLoop), loop: loop)
        exchange.call = call
        let gateway = server.gateway
        exchange.task = Task(executorPreference: loop.executor) { await call.run(on: gateway) }
    }
}

// MARK: - Refusing

extension DataPlaneHandler {
    /// Answers a request that its head was reason enough to refuse.
    private func refuse(_ exchange: Exchange, closing: Bool) {
        guard let refusal = exchange.refusal else { return }
        if !closing, exchange.method == .OPTIONS, refusal.code == .methodNotAllowed {
            respond(to: exchange, status: 204, headers: [HTTPHeader("allow", "POST, OPTIONS")], body: [])
        } else {
            respond(to: exchange, with: refusal, closing: closing)
        }
    }

    /// The request that cannot be taken further, or what stands for one without a readable head.
    func refusedExchange() -> Exchange {
        if let exchange { return exchange }
        let head = HTTPRequestHead(version: .http1_1, method: .RAW(value: ""), uri: "")
        let exchange = Exchange(head, requestID: RandomID.make(prefix: "req_"))
        self.exchange = exchange
        return exchange
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
        respond(to: refusedExchange(), with: error, closing: true)
    }

    func refuseSlow(_ part: String) {
        let error = GatewayError(.requestTimeout, "The request took too long: \(part) did not arrive in time.")
        respond(to: refusedExchange(), with: error, closing: true)
    }

    /// Answers a client that has as many connections as its address may have, and ends this one.
    func refuseSurplus() {
        guard state.refuseSurplus(now: loop.now) else { return }
        respond(to: refusedExchange(), with: .surplusConnection, closing: true)
    }
}

extension GatewayError {
    /// The server ends while it answers.
    static let shutdown = GatewayError(
        .shuttingDown,
        "The gateway is shutting down; try again.",
        retryAfter: .seconds(1)
    )
}
