// The data plane's limits of time, checked for all connections of an event loop at each of its ticks.

import ModelGateway
import NIOCore

extension DataPlaneHandler {
    /// How long a connection is read on after its last response, to let the client see that response.
    private static let lingerTime = Duration.seconds(2)

    /// Bytes came from the client.
    func bytesArrived() {
        lastArrival = loop.now
        if phase == .idle, headStart == nil { headStart = loop.now }
    }

    /// Ends what has taken too long, and keeps silent streams alive.
    func tick(now: NIODeadline) {
        // The event of the drain misses a connection whose handlers were put in place just then.
        if server.isDraining, !isDraining {
            isDraining = true
            if phase == .idle { closeAfterWrites() }
        }
        let options = server.options
        if let since = unwritableSince, isOver(options.writeTimeout, since: since, at: now) {
            giveUp()
            return
        }
        switch phase {
        case .idle:
            if let headStart {
                if isOver(options.headTimeout, since: headStart, at: now) { refuseSlow("its head") }
            } else if isOver(options.idleTimeout, since: lastArrival, at: now) {
                closeAfterWrites()
            }
        case .receiving, .refusing:
            if isOver(options.bodyTimeout, since: lastArrival, at: now) { refuseSlow("its body") }
        case .passing:
            if exchange?.isRequestComplete == false, isOver(options.bodyTimeout, since: lastArrival, at: now) {
                giveUp()
            }
        case .calling:
            guard let exchange, let call = exchange.call else { return }
            // A head whose first bytes take long goes out alone.
            if !exchange.isHeadSent { deliver(call) }
            if self.exchange === exchange, isOver(options.keepAliveInterval, since: exchange.lastWrite, at: now) {
                writeKeepAlive(of: exchange)
            }
        case .closing:
            let limit = isFlushed || isAborted ? Self.lingerTime : options.writeTimeout
            if let closingSince, isOver(limit, since: closingSince, at: now) { context?.close(promise: nil) }
        }
    }

    private func isOver(_ limit: Duration, since start: NIODeadline, at now: NIODeadline) -> Bool {
        limit > .zero && now - start >= TimeAmount(limit)
    }

    private func refuseSlow(_ part: String) {
        let error = GatewayError(.requestTimeout, "The request took too long: \(part) did not arrive in time.")
        respond(to: exchange ?? .unreadable(now: loop.now), with: error, closing: true)
    }

    /// Closes a connection whose client neither reads nor sends.
    private func giveUp() {
        if let exchange {
            exchange.call?.abandon()
            exchange.task?.cancel()
            self.exchange = nil
            server.observer?.requestFinished(exchange.record(.aborted))
        }
        phase = .closing
        context?.close(promise: nil)
    }
}
