// The requests that the router answers: on their way to it, and its answers on their way out.

import GatewayWire
import ModelGateway
import NIOCore
import NIOHTTP1

extension DataPlaneHandler {
    /// Lets the router answer a request.
    func beginPassing(_ head: HTTPRequestHead) {
        let requestID =
            head.headers.first(name: "x-request-id").flatMap { HeaderText.isRequestID($0) ? $0 : nil }
            ?? RandomID.make(prefix: "req_")
        let exchange = Exchange(head, requestID: requestID)
        if server.crossOrigin.isOn, RequestTarget.plainPath(of: head.uri).hasPrefix("/v1/") {
            noteOrigin(of: exchange, head)
        }
        noteSender(of: exchange, head)
        let hostCount = head.headers.count { HeaderText.equals($0.name, "host") }
        if !exchange.isHostClear(count: hostCount) { exchange.refusal = .unclearHost(count: hostCount) }
        let expectation = head.headers.first(name: "expect")
        let facts = RequestFacts(
            answerer: .router,
            isRefused: exchange.refusal != nil,
            hasExpectation: expectation.map { HeaderText.equals($0, "100-continue") } ?? false,
            allowsKeepAlive: head.isKeepAlive,
            isModern: exchange.isModern
        )
        guard case .pass = begin(exchange, facts), installRouter() else { return }
        var head = head
        head.headers.replaceOrAdd(name: "x-request-id", value: requestID)
        pass(.head(head))
    }

    /// Puts the router behind this handler, if it is not there yet.
    private func installRouter() -> Bool {
        guard let router, let context else { return true }
        do {
            try router.install(on: context.channel)
            self.router = nil
            return true
        } catch {
            // Only a channel that is closing takes no handlers.
            letGo(as: .clientGone)
            context.close(promise: nil)
            return false
        }
    }

    func pass(_ part: HTTPServerRequestPart) {
        hasPassedOn = true
        context?.fireChannelRead(wrapInboundOut(part))
    }

    /// Responses of the router come through here on their way out.
    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard state.phase == .passing, let exchange else {
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
            let isKept = state.sendHead(isLast: !head.isKeepAlive, hasRoom: hasRoom)
            if !isKept {
                head.headers.replaceOrAdd(name: "connection", value: "close")
            } else if !exchange.isModern {
                head.headers.replaceOrAdd(name: "connection", value: "keep-alive")
            }
            for header in crossOriginHeaders(of: exchange, allow: head.headers.first(name: "allow")) {
                head.headers.add(name: header.name, value: header.value)
            }
            head.headers.replaceOrAdd(name: "x-request-id", value: exchange.requestID)
            head.headers.replaceOrAdd(name: "date", value: loop.date().text)
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
        var output = output(capacity: 512)
        writeHead(
            of: exchange,
            status: Int(head.status.code),
            headers: head.headers.map { HTTPHeader($0.name, $0.value) },
            framing: length.map { BodyFraming.length($0) } ?? .untilClose,
            isKept: state.sendHead(isLast: !head.isKeepAlive, hasRoom: hasRoom),
            to: &output
        )
        output.isEnd = true
        flush(output)
        promise?.succeed()
    }

    private func endPassing(_ exchange: Exchange) {
        state.completeAnswer()
        // Not from inside the router's write: what follows may pass the next request into it.
        context?.eventLoop.assumeIsolated().execute { self.finishPassing(exchange) }
    }

    func finishPassing(_ exchange: Exchange) {
        guard self.exchange === exchange, state.exchange?.isPassed == true else { return }
        finish(exchange)
    }
}
